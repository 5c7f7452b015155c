// How kernels over [rows, channels] share out their work. A block takes a tile of channels and a part of the rows;
// a thread takes one pack of channels and every so-manieth row of the part, so that what belongs to a channel stays
// in its registers, and threads side by side read bytes side by side.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/kernels/launch.h"
#include "train/backend/cuda/kernels/packed_values.h"

namespace penstock::train::cuda {

inline constexpr unsigned kRowThreads = 256;
inline constexpr std::uint32_t kTileChannels = 256;  // at most
/// Values of a tile's part, at least: 8 rows for a thread that takes 16 bytes of 2-byte values.
inline constexpr std::size_t kPartValues = 16384;
/// Blocks that fill every multiprocessor a few times over: of sums fewer, since each writes partial ones.
inline constexpr std::size_t kMostSumBlocks = 1024;
inline constexpr std::size_t kMostMapBlocks = 4096;

/// Rows lie in groups, and no part in two of them: a sample's places, or all rows in one.
struct RowTiles {
  std::size_t rows_per_group;
  std::size_t rows_per_part;
  std::uint32_t parts_per_group;
  std::uint32_t num_parts;
  std::uint32_t channels;
  std::uint32_t num_tiles;
  std::uint32_t tile_packs;  // packs of a tile's row: threads side by side
  std::uint32_t lanes;       // rows that a block takes at once

  std::uint32_t num_blocks() const { return num_parts * num_tiles; }
  LaunchShape launch_shape() const { return {.grid = {num_blocks()}, .block = {kRowThreads}}; }
};

/// Parts are as many as `most_blocks` blocks and `least_values` of a tile in each allow.
constexpr std::size_t rows_of_part(std::size_t num_rows, std::uint32_t channels,
                                   std::size_t most_blocks,
                                   std::size_t least_values = kPartValues) {
  const std::size_t num_tiles = num_blocks_for(channels, kTileChannels);
  const std::size_t most_parts = std::max<std::size_t>(1, most_blocks / num_tiles);
  const std::size_t least_rows = least_values / std::min(channels, kTileChannels);
  return std::max({least_rows, num_blocks_for(num_rows, most_parts), std::size_t{1}});
}

/// Tiles of packs of kValues; `channels` is a multiple of it.
template <unsigned kValues>
RowTiles row_tiles(std::size_t num_groups, std::size_t rows_per_group, std::size_t rows_per_part,
                   std::uint32_t channels) {
  const auto packs = static_cast<std::uint32_t>(num_blocks_for(channels, kValues));
  const auto tile_packs =
      static_cast<std::uint32_t>(num_blocks_for(packs, num_blocks_for(channels, kTileChannels)));
  const auto parts_per_group =
      static_cast<std::uint32_t>(num_blocks_for(rows_per_group, rows_per_part));
  return {.rows_per_group = rows_per_group,
          .rows_per_part = rows_per_part,
          .parts_per_group = parts_per_group,
          .num_parts = static_cast<std::uint32_t>(num_groups * parts_per_group),
          .channels = channels,
          .num_tiles = static_cast<std::uint32_t>(num_blocks_for(packs, tile_packs)),
          .tile_packs = tile_packs,
          .lanes = kRowThreads / tile_packs};
}

/// Tiles of all rows as one group.
template <unsigned kValues>
RowTiles row_tiles(std::size_t num_rows, std::uint32_t channels, std::size_t most_blocks) {
  return row_tiles<kValues>(1, num_rows, rows_of_part(num_rows, channels, most_blocks), channels);
}

/// What one thread takes: values `first`, `first + step`, ... before `end`, each the first of a pack.
struct RowThread {
  bool is_active;  // else there is nothing for it, and first is end
  std::uint32_t part;
  std::uint32_t group;
  std::uint32_t channel;  // the first of its pack
  unsigned lane;
  std::size_t first;
  std::size_t end;
  std::size_t step;
  std::size_t first_row;
  std::size_t end_row;
};

template <unsigned kValues>
__device__ RowThread row_thread(const RowTiles& tiles) {
  const std::uint32_t tile = blockIdx.x % tiles.num_tiles;
  const std::uint32_t part = blockIdx.x / tiles.num_tiles;
  const std::uint32_t group = part / tiles.parts_per_group;
  const unsigned lane = threadIdx.x / tiles.tile_packs;
  const std::uint32_t channel =
      (tile * tiles.tile_packs + threadIdx.x % tiles.tile_packs) * kValues;
  const std::size_t group_row = group * tiles.rows_per_group;
  const std::size_t part_row = group_row + part % tiles.parts_per_group * tiles.rows_per_part;
  const std::size_t part_end = part_row + tiles.rows_per_part;
  const std::size_t group_end = group_row + tiles.rows_per_group;
  const bool is_active = lane < tiles.lanes && channel < tiles.channels;
  const std::size_t end_row = part_end < group_end ? part_end : group_end;
  const std::size_t end = end_row * tiles.channels;
  return {.is_active = is_active,
          .part = part,
          .group = group,
          .channel = channel,
          .lane = lane,
          .first = is_active ? (part_row + lane) * tiles.channels + channel : end,
          .end = end,
          .step = std::size_t{tiles.lanes} * tiles.channels,
          .first_row = part_row + lane,
          .end_row = end_row};
}

/// Calls use(i, load(i)) for each pack of the thread, where kRows of them are loaded before the first is used.
template <unsigned kRows, class Load, class Use>
__device__ void for_each_row(const RowThread& thread, Load&& load, Use&& use) {
  for (std::size_t first = thread.first; first < thread.end; first += kRows * thread.step) {
    decltype(load(first)) loaded[kRows];
    PENSTOCK_UNROLL
    for (unsigned k = 0; k < kRows; ++k) {
      const std::size_t i = first + k * thread.step;
      if (i < thread.end) loaded[k] = load(i);
    }
    PENSTOCK_UNROLL
    for (unsigned k = 0; k < kRows; ++k) {
      const std::size_t i = first + k * thread.step;
      if (i < thread.end) use(i, loaded[k]);
    }
  }
}

/// kValues numbers of float32, as they belong to the channels of a pack.
template <unsigned kValues>
__device__ void load_floats(const float* place, float (&values)[kValues]) {
  constexpr unsigned kAtOnce = kValues < 4 ? 1 : 4;
  PENSTOCK_UNROLL
  for (unsigned i = 0; i < kValues; i += kAtOnce) {
    float loaded[kAtOnce];
    unpack(load_packed<kAtOnce>(place + i), loaded);
    PENSTOCK_UNROLL
    for (unsigned k = 0; k < kAtOnce; ++k) values[i + k] = loaded[k];
  }
}

/// Calls use.operator()<kValues>(): 16 bytes at once, or one value where rows or pointers do not allow more.
template <class T, class Use>
DeviceStatus with_row_packs(std::uint32_t channels, std::initializer_list<const void*> pointers,
                            Use&& use) {
  if (has_whole_vectors<T>(channels) && are_vector_aligned(pointers)) {
    return use.template operator()<kVectorValues<T>>();
  }
  return use.template operator()<1u>();
}

}  // namespace penstock::train::cuda
