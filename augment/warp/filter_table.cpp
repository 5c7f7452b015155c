#include "augment/warp/filter_table.h"

#include <algorithm>
#include <memory>

namespace penstock::augment {
namespace {

constexpr std::size_t kAlignment = 64;

// A window's weights for every pixel of a line that shrinks up to twelve times; all columns of a source
// of 16,384 count twice.
std::size_t weights_capacity(std::uint32_t line_px) noexcept {
  return std::max<std::size_t>(32768, 24 * std::size_t{line_px});
}

constexpr std::size_t kStripBytes =
    FilterTable::kStripFloats * FilterTable::kMaxLanes * sizeof(float);
constexpr std::size_t kRowWeightsBytes =
    FilterTable::kMaxLanes * FilterTable::kMaxTaps / 2 * sizeof(std::int32_t);

/// The most whole numbers that lie within the radius of a position.
std::uint32_t most_taps(const FilterPositions& positions) noexcept {
  const double taps = std::min(std::ceil(2 * positions.filter.radius), 1e6);
  return std::min(static_cast<std::uint32_t>(taps), positions.filter.axis.length);
}

}  // namespace

ShownRange shown_range(const FilterPositions& positions, std::uint32_t count,
                       bool fills_constant) noexcept {
  ShownRange range{0, count};
  if (!fills_constant) return range;
  while (range.begin < range.end && !positions.window(range.begin).is_inside) ++range.begin;
  while (range.end > range.begin && !positions.window(range.end - 1).is_inside) --range.end;
  return range;
}

std::size_t filter_table_bytes(std::uint32_t line_px) noexcept {
  return kAlignment + kStripBytes + kRowWeightsBytes + weights_capacity(line_px) * sizeof(float) +
         line_px * sizeof(std::uint32_t);
}

bool make_filter_table(const FilterPass& pass, std::span<std::byte> scratch,
                       FilterTable& table) noexcept {
  void* place = scratch.data();
  std::size_t room = scratch.size();
  if (place == nullptr || std::align(kAlignment, filter_table_bytes(pass.num_pixels) - kAlignment,
                                     place, room) == nullptr) {
    return false;
  }
  table.num_taps = most_taps(pass.columns);
  if (table.num_taps > FilterTable::kMaxTaps || most_taps(pass.rows) > FilterTable::kMaxTaps ||
      std::size_t{table.num_taps} * pass.num_pixels > weights_capacity(pass.num_pixels)) {
    return false;
  }
  std::byte* const bytes = static_cast<std::byte*>(place);
  table.strip = reinterpret_cast<float*>(bytes);
  table.row_weights = reinterpret_cast<std::int32_t*>(bytes + kStripBytes);
  table.weights = reinterpret_cast<float*>(bytes + kStripBytes + kRowWeightsBytes);
  table.first = reinterpret_cast<std::uint32_t*>(table.weights + weights_capacity(pass.num_pixels));
  for (std::uint32_t i = 0; i < pass.num_pixels; ++i) {
    const FilterWindow window = pass.columns.window(i);
    // Moved in from the right end, so that all taps are columns of the image.
    table.first[i] = std::min(window.first, pass.image.width_px - table.num_taps);
    float* const weights = table.weights + std::size_t{i} * table.num_taps;
    const std::uint32_t begin = window.first - table.first[i];
    std::fill_n(weights, begin, 0.0f);
    for (std::uint32_t tap = 0; tap < window.count; ++tap) {
      weights[begin + tap] = window.column_weight(tap);
    }
    std::fill(weights + begin + window.count, weights + table.num_taps, 0.0f);
  }
  return true;
}

}  // namespace penstock::augment
