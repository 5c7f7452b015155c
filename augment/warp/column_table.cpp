#include "augment/warp/column_table.h"

#include <algorithm>
#include <memory>

#include "augment/warp/byte_table.h"
#include "augment/warp/pick_table.h"

namespace penstock::augment {
namespace {

constexpr std::size_t kAlignment = 64;

/// Pixels of a source row that the scratch has room for.
std::size_t row_capacity_px(std::uint32_t line_px) noexcept {
  return 4 * std::size_t{line_px} + 8;
}

/// Floats of one plane, a multiple of a cache line.
std::size_t plane_floats(std::uint32_t line_px) noexcept {
  return (row_capacity_px(line_px) + ColumnTable::kSlackPx + 15) / 16 * 16;
}

/// One of both, multiples of a cache line.
std::size_t pick_place_bytes(std::uint32_t line_px) noexcept {
  return std::max(pick_table_bytes(line_px), byte_table_bytes(line_px));
}

bool place_table(std::uint32_t line_px, std::span<std::byte> scratch, ColumnTable& table) noexcept {
  void* place = scratch.data();
  std::size_t left_bytes = scratch.size();
  if (place == nullptr || std::align(kAlignment, column_table_bytes(line_px) - kAlignment, place,
                                     left_bytes) == nullptr) {
    return false;
  }
  table.values = static_cast<float*>(place);
  table.plane_stride = plane_floats(line_px);
  float* const behind =
      table.values + ColumnTable::kBlockRows * ColumnTable::kNumPlanes * table.plane_stride;
  table.pick_place = reinterpret_cast<std::byte*>(behind);
  table.weight = {reinterpret_cast<float*>(table.pick_place + pick_place_bytes(line_px)), line_px};
  table.left = {reinterpret_cast<std::int32_t*>(table.weight.data() + line_px), line_px};
  table.right = {table.left.data() + line_px, line_px};
  return true;
}

/// Tells whether the columns are a run of whole pixels, in which direction, and how often the outermost
/// are repeated beside it, as FillMode::kNearest does.
void find_copy(ColumnTable& table) noexcept {
  table.is_copy = false;
  const auto last = static_cast<std::int32_t>(table.num_px - 1);
  table.is_reversed = table.num_px > 1 && table.left[table.begin] == last;
  const auto source_of = [&](std::int32_t i) { return table.is_reversed ? last - i : i; };
  std::uint32_t at = table.begin;
  while (at + 1 < table.end && table.left[at + 1] == source_of(0)) ++at;
  table.copy_begin = at;
  if (table.num_px > table.end - at) return;
  for (std::uint32_t i = table.begin; i < table.end; ++i) {
    const auto in_run = static_cast<std::int32_t>(i) - static_cast<std::int32_t>(at);
    if (table.weight[i] != 0 || table.left[i] != source_of(std::clamp(in_run, 0, last))) return;
  }
  table.is_copy = true;
}

}  // namespace

Lines::Lines(const WarpJob& job, const Frame& frame) noexcept {
  const std::size_t row_stride = frame.width * frame.step;
  if (job.map.is_separable()) {
    num_lines = frame.height;
    num_pixels = frame.width;
    line_stride = row_stride;
    pixel_stride = frame.step;
    row_factor = job.map.yy;
    column_factor = job.map.xx;
  } else {
    num_lines = frame.width;
    num_pixels = frame.height;
    line_stride = frame.step;
    pixel_stride = row_stride;
    row_factor = job.map.yx;
    column_factor = job.map.xy;
  }
}

std::size_t column_table_bytes(std::uint32_t line_px) noexcept {
  const std::size_t floats =
      ColumnTable::kBlockRows * ColumnTable::kNumPlanes * plane_floats(line_px) + line_px;
  return kAlignment + floats * sizeof(float) + 2 * line_px * sizeof(std::int32_t) +
         pick_place_bytes(line_px);
}

bool make_column_table(const WarpJob& job, const Frame& frame, const Lines& lines,
                       std::span<std::byte> scratch, ColumnTable& table) noexcept {
  if (!place_table(lines.num_pixels, scratch, table)) return false;
  const auto neighbours_of = [&](std::uint32_t i) {
    return find_neighbours(lines.column_factor * i + job.map.x0, frame.x);
  };
  // Positions rise or fall along a line, so the pixels that show the picture are neighbours, and where
  // nothing comes again the outermost source pixels belong to the first and the last of them.
  table.begin = 0;
  table.end = lines.num_pixels;
  while (table.begin < table.end && !frame.shows(neighbours_of(table.begin))) ++table.begin;
  while (table.end > table.begin && !frame.shows(neighbours_of(table.end - 1))) --table.end;
  if (table.begin == table.end) return true;
  // Where the weight is 0 the second neighbour is of no effect; leaving it out tells a copy of
  // whole pixels from a blend.
  const auto second = [](const Neighbours& n) { return n.weight == 0 ? n.first : n.second; };
  table.first_px = UINT32_MAX;
  std::uint32_t last_px = 0;
  const auto include = [&](std::uint32_t i) {
    const Neighbours n = neighbours_of(i);
    table.first_px = std::min({table.first_px, n.first, second(n)});
    last_px = std::max({last_px, n.first, second(n)});
  };
  if (comes_again(frame.x.fill_mode)) {
    for (std::uint32_t i = table.begin; i < table.end; ++i) include(i);  // they turn back
  } else {
    include(table.begin);
    include(table.end - 1);
  }
  table.num_px = last_px - table.first_px + 1;
  if (table.num_px > row_capacity_px(lines.num_pixels)) return false;
  for (std::uint32_t i = table.begin; i < table.end; ++i) {
    const Neighbours n = neighbours_of(i);
    table.left[i] = static_cast<std::int32_t>(n.first - table.first_px);
    table.right[i] = static_cast<std::int32_t>(second(n) - table.first_px);
    table.weight[i] = n.weight;
  }
  find_copy(table);
  return true;
}

}  // namespace penstock::augment
