#include "augment/warp/byte_table.h"

#include <algorithm>
#include <optional>

#include "augment/warp/fixed_point.h"

namespace penstock::augment {
namespace {

/// 32-bit weights of a pixel: one for each value of its block.
constexpr std::uint32_t kMaxWeights = 4;

std::size_t max_pixels(std::uint32_t line_px) noexcept {
  constexpr std::size_t kUnitPx = ByteTable::kBlockPx * ByteTable::kMaxBlocks;
  return (line_px + kUnitPx - 1) / kUnitPx * kUnitPx;
}

/// The pixel of a source row, or behind it, that has both neighbours side by side from it on.
std::optional<std::uint32_t> place_of(const ColumnTable& columns, std::uint32_t pixel) noexcept {
  const auto left = static_cast<std::uint32_t>(columns.left[pixel]);
  const auto right = static_cast<std::uint32_t>(columns.right[pixel]);
  const std::uint32_t last = columns.num_px - 1;
  if (columns.weight[pixel] == 0 || right == left + 1) return left;
  if (left == last && right == last) return last;
  if (left == last && right == 0) return last + 1;
  if (left == 0 && right == 0) return last + 2;
  return std::nullopt;
}

std::int32_t weight_pair(float weight) noexcept {
  const auto right = static_cast<std::uint32_t>(fixed_column_weight(weight));
  const std::uint32_t left = (1u << kColumnWeightBits) - right;
  return static_cast<std::int32_t>(left | right << 16);
}

static_assert(ByteTable::kBlockPx * ByteTable::kMaxBlocks == WordTable::kUnitPx);
static_assert(WordTable::kUnitPx * 2 * sizeof(std::int16_t) + 2 * sizeof(std::uint32_t) <=
              WordTable::kUnitPx * (kMaxWeights * sizeof(std::int32_t) + sizeof(std::uint32_t)));

/// The neighbours of a unit's pixels.
struct WordUnit {
  std::uint32_t places[WordTable::kUnitPx];
  std::int16_t weights[WordTable::kUnitPx];
};

bool find_word_unit(const ColumnTable& columns, std::uint32_t first_px, WordUnit& unit) noexcept {
  for (std::uint32_t i = 0; i < WordTable::kUnitPx; ++i) {
    const std::uint32_t pixel = std::min(first_px + i, columns.end - 1);
    const std::optional<std::uint32_t> place = place_of(columns, pixel);
    if (!place) return false;
    const int weight = fixed_column_weight(columns.weight[pixel]);
    const bool is_right = weight == 1 << kColumnWeightBits;  // 16 signed bits have no 2^15
    unit.places[i] = *place + (is_right ? 1 : 0);
    unit.weights[i] = static_cast<std::int16_t>(is_right ? 0 : 2 * weight);
  }
  return true;
}

/// Whether the neighbours of pixels from `begin` to `end` fit into a window; where that begins.
bool find_window(const WordUnit& unit, std::uint32_t begin, std::uint32_t end,
                 std::uint32_t& first) noexcept {
  const auto [lowest, highest] = std::minmax_element(unit.places + begin, unit.places + end);
  first = *lowest;
  return *highest + 1 - *lowest < WordTable::kWindowPx;
}

}  // namespace

bool make_word_table(const ColumnTable& columns, std::byte* place, WordTable& table) noexcept {
  constexpr std::uint32_t kUnitPx = WordTable::kUnitPx;
  table.num_units = (columns.end - columns.begin + kUnitPx - 1) / kUnitPx;
  table.left = reinterpret_cast<std::int16_t*>(place);
  table.weights = table.left + std::size_t{table.num_units} * kUnitPx;
  table.windows =
      reinterpret_cast<std::uint32_t*>(table.weights + std::size_t{table.num_units} * kUnitPx);
  for (std::uint32_t idx = 0; idx < table.num_units; ++idx) {
    WordUnit unit;
    if (!find_word_unit(columns, columns.begin + idx * kUnitPx, unit)) return false;
    std::uint32_t* const windows = table.windows + 2 * idx;
    if (find_window(unit, 0, kUnitPx, windows[0])) {
      windows[1] = windows[0];
    } else if (!find_window(unit, 0, kUnitPx / 2, windows[0]) ||
               !find_window(unit, kUnitPx / 2, kUnitPx, windows[1])) {
      return false;
    }
    for (std::uint32_t i = 0; i < kUnitPx; ++i) {
      const std::uint32_t window = windows[i / (kUnitPx / 2)];
      table.left[idx * kUnitPx + i] = static_cast<std::int16_t>(unit.places[i] - window);
      table.weights[idx * kUnitPx + i] = unit.weights[i];
    }
  }
  return true;
}

std::size_t byte_table_bytes(std::uint32_t line_px) noexcept {
  return max_pixels(line_px) * (kMaxWeights * sizeof(std::int32_t) + sizeof(std::uint32_t));
}

bool make_byte_table(const ColumnTable& columns, const ByteShape& shape, std::byte* place,
                     ByteTable& table) noexcept {
  const std::uint32_t blocks = shape.num_blocks;
  const std::uint32_t unit_px = blocks * ByteTable::kBlockPx;
  const std::uint32_t num_px = columns.end - columns.begin;
  const std::uint32_t num_weights = shape.channels == 1 ? 1 : kMaxWeights;
  table.num_units = (num_px + unit_px - 1) / unit_px;
  table.weights = reinterpret_cast<std::int32_t*>(place);
  table.places = reinterpret_cast<std::uint32_t*>(table.weights + std::size_t{table.num_units} *
                                                                      unit_px * num_weights);
  for (std::uint32_t i = 0; i < table.num_units * unit_px; ++i) {
    const std::uint32_t pixel = columns.begin + std::min(i, num_px - 1);
    const std::optional<std::uint32_t> source = place_of(columns, pixel);
    if (!source) return false;
    const std::uint32_t block = i % unit_px / ByteTable::kBlockPx;
    const std::uint32_t in_block = i % ByteTable::kBlockPx;
    const std::uint32_t in_unit = shape.channels == 1
                                      ? 4 * (in_block / 4 * blocks + block) + in_block % 4
                                      : in_block * blocks + block;
    const std::size_t at = i - i % unit_px + in_unit;
    table.places[at] = *source * shape.channels;
    std::fill_n(table.weights + at * num_weights, num_weights, weight_pair(columns.weight[pixel]));
  }
  return true;
}

}  // namespace penstock::augment
