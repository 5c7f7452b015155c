#include "augment/warp/warp_kernel.h"

#include <algorithm>

#include "augment/simd_target.h"
#include "augment/warp/column_table.h"
#include "augment/warp/low_halves.h"
#include "augment/warp/turned_positions.h"
#include "augment/warp/warp_columns.h"
#include "augment/warp/warp_filtered.h"
#include "augment/warp/warp_general.h"
#include "augment/warp/warp_pixel.h"
#include "augment/warp/warp_rows.h"

namespace penstock::augment {

bool warps_into(ElementType element, Interpolation interpolation) noexcept {
  return element == ElementType::kFloat32 || !is_filtered(interpolation);
}

std::size_t warp_scratch_bytes(const BatchSpec& spec, Interpolation interpolation) noexcept {
  if (is_filtered(interpolation)) return filter_scratch_bytes(spec, interpolation);
  return column_table_bytes(std::max(spec.width_px, spec.height_px));
}

void warp(const WarpJob& job, std::span<std::byte> scratch) noexcept {
  if (is_scalar_forced()) return warp_pixel_by_pixel(job);
  if (is_filtered(job.interpolation)) return warp_filtered(job, scratch);
  const Frame frame(job);
  if (job.map.is_turned()) {
    return has_general_way(job) ? sample_general(job, frame) : warp_pixel_by_pixel(job);
  }
  const Lines lines(job, frame);
  ColumnTable table;
  if (!make_column_table(job, frame, lines, scratch, table)) return warp_pixel_by_pixel(job);
  if (job.map.is_separable()) return sample_rows(job, frame, lines, table);
  sample_columns(job, frame, lines, table);
}

void warp_low_halves(const WarpJob& job, std::span<std::byte> scratch) noexcept {
  if (!is_scalar_forced() && !is_filtered(job.interpolation) && job.map.is_separable()) {
    const Frame frame(job);
    const Lines lines(job, frame);
    ColumnTable table;
    if (make_column_table(job, frame, lines, scratch, table) &&
        sample_low_halves(job, frame, lines, table)) {
      return;
    }
  }
  warp(job, scratch);
  gather_low_halves(reinterpret_cast<float*>(job.slot.pixels),
                    job.slot.spec->sample_bytes() / sizeof(float));
}

void warp_pixel_by_pixel(const WarpJob& job) noexcept {
  if (is_filtered(job.interpolation)) return warp_filtered_pixel_by_pixel(job);
  sample_pixel_by_pixel(job, Frame(job));
}

}  // namespace penstock::augment
