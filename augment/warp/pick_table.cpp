#include "augment/warp/pick_table.h"

#include <algorithm>

namespace penstock::augment {
namespace {

constexpr std::size_t kMaxLanes = 16;
constexpr std::size_t kMaxChannels = 3;

// Floats of all vectors, the last one moved back: less than a vector more than the row has.
std::size_t max_floats(std::uint32_t line_px) noexcept {
  return (kMaxChannels * line_px + kMaxLanes - 1) / kMaxLanes * kMaxLanes;
}

// The neighbours of float `at` of an output row, as floats of the source row.
struct Floats {
  std::int32_t left;
  std::int32_t right;
  float weight;
};

Floats neighbours_of(std::uint32_t at, const ColumnTable& columns,
                     const PickShape& shape) noexcept {
  const std::uint32_t pixel = at / shape.out_channels;
  const auto step = static_cast<std::int32_t>(shape.row_channels);
  const std::int32_t channel = step == 1 ? 0 : static_cast<std::int32_t>(at % shape.out_channels);
  return {.left = columns.left[pixel] * step + channel,
          .right = columns.right[pixel] * step + channel,
          .weight = columns.weight[pixel]};
}

}  // namespace

std::size_t pick_table_bytes(std::uint32_t line_px) noexcept {
  constexpr std::size_t kBytesOfFloat = 2 * sizeof(std::int32_t) + sizeof(float);
  return max_floats(line_px) *
         (kBytesOfFloat + sizeof(PickVector));  // vectors of one float at worst
}

PickTable make_pick_table(const ColumnTable& columns, const PickShape& shape,
                          std::byte* place) noexcept {
  const std::uint32_t first = columns.begin * shape.out_channels;
  const std::uint32_t last = columns.end * shape.out_channels;
  const std::uint32_t lanes = shape.lanes;
  const std::size_t count = (last - first + lanes - 1) / lanes;
  PickTable table;
  table.left = reinterpret_cast<std::int32_t*>(place);
  table.right = table.left + count * lanes;
  table.weight = reinterpret_cast<float*>(table.right + count * lanes);
  table.vectors = {reinterpret_cast<PickVector*>(table.weight + count * lanes), count};
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = std::min(first + static_cast<std::uint32_t>(i) * lanes, last - lanes);
    std::int32_t* const left = table.left + i * lanes;
    std::int32_t* const right = table.right + i * lanes;
    float* const weight = table.weight + i * lanes;
    for (std::uint32_t lane = 0; lane < lanes; ++lane) {
      const Floats floats = neighbours_of(at + lane, columns, shape);
      left[lane] = floats.left;
      right[lane] = floats.right;
      weight[lane] = floats.weight;
    }
    const auto [lo_left, hi_left] = std::minmax_element(left, left + lanes);
    const auto [lo_right, hi_right] = std::minmax_element(right, right + lanes);
    const std::int32_t lowest = std::min(*lo_left, *lo_right);
    const std::int32_t highest = std::max(*hi_left, *hi_right);
    const auto length = static_cast<std::int32_t>(lanes);
    const std::int32_t base = lowest & -length;
    table.vectors[i] = {.at = at,
                        .base = base,
                        .num_vectors = static_cast<std::uint32_t>((highest - base) / length + 1)};
    for (std::uint32_t lane = 0; lane < lanes; ++lane) {
      left[lane] -= base;
      right[lane] -= base;
    }
  }
  return table;
}

}  // namespace penstock::augment
