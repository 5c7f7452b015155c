#include "augment/warp_kernel.h"

#include <algorithm>

#include "augment/column_table.h"
#include "augment/simd_target.h"
#include "augment/turned_positions.h"
#include "augment/warp_columns.h"
#include "augment/warp_general.h"
#include "augment/warp_pixel.h"
#include "augment/warp_rows.h"

namespace penstock::augment {
namespace {

template <std::uint32_t kChannels>
void sample_pixel_by_pixel(const WarpJob& job) noexcept {
  const Frame frame(job);
  const bool is_turned = has_turned_positions(job.map, {frame.width, frame.height});
  for (std::uint32_t y = 0; y < frame.height; ++y) {
    if (job.slot.is_abandoned()) return;
    const TurnedRow turned(is_turned ? job.map : AffineMap{}, y);
    for (std::uint32_t x = 0; x < frame.width; ++x) {
      const PointPx p =
          is_turned ? turned.at(x) : job.map({static_cast<double>(x), static_cast<double>(y)});
      sample_point<kChannels>(job, frame, p, frame.row(y) + x * frame.step);
    }
  }
}

void sample_turned(const WarpJob& job, const Frame& frame) noexcept {
  if (!has_general_way(job)) return warp_pixel_by_pixel(job);
  sample_general(job, frame);
}

}  // namespace

std::size_t warp_scratch_bytes(const BatchSpec& spec) noexcept {
  return column_table_bytes(std::max(spec.width_px, spec.height_px));
}

void warp(const WarpJob& job, std::span<std::byte> scratch) noexcept {
  if (is_scalar_forced()) return warp_pixel_by_pixel(job);
  const Frame frame(job);
  if (!job.map.is_separable() && !job.map.is_quarter_turn()) return sample_turned(job, frame);
  const Lines lines(job, frame);
  ColumnTable table;
  if (!make_column_table(job, frame, lines, scratch, table)) return warp_pixel_by_pixel(job);
  if (job.map.is_separable()) return sample_rows(job, frame, lines, table);
  sample_columns(job, frame, lines, table);
}

void warp_pixel_by_pixel(const WarpJob& job) noexcept {
  if (job.slot.spec->channels == 1) return sample_pixel_by_pixel<1>(job);
  sample_pixel_by_pixel<3>(job);
}

}  // namespace penstock::augment
