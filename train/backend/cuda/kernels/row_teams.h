// How kernels whose sums stay within a row share out their work: a team of neighbouring lanes of a warp takes a
// row, so that its sums need no barrier. A thread's packs of a row lie a team apart.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/kernels/launch.h"
#include "train/backend/cuda/kernels/packed_values.h"
#include "train/backend/cuda/kernels/row_tiles.h"

namespace penstock::train::cuda {

inline constexpr unsigned kTeamThreads = 256;

struct RowTeams {
  std::size_t num_rows;
  std::uint32_t channels;
  std::uint32_t packs;  // of a row
  std::uint32_t lanes;  // of a team: a power of 2

  __host__ __device__ std::uint32_t teams() const { return kTeamThreads / lanes; }
  LaunchShape launch_shape() const {
    return {.grid = {static_cast<unsigned>(num_blocks_for(num_rows, teams()))},
            .block = {kTeamThreads}};
  }
};

/// Four packs to a lane where rows are long enough, so that several loads are under way.
template <unsigned kValues>
RowTeams row_teams(std::size_t num_rows, std::uint32_t channels) {
  const std::uint32_t packs = channels / kValues;
  std::uint32_t lanes = 1;
  while (lanes < kWarpThreads && lanes * 4 < packs) lanes *= 2;
  return {num_rows, channels, packs, lanes};
}

/// What a thread knows of its team. Lanes whose team has no row take part in sums all the same.
struct TeamThread {
  std::uint32_t team;  // in the block
  std::uint32_t lane;
};

__device__ inline TeamThread team_thread(const RowTeams& teams) {
  return {threadIdx.x / teams.lanes, threadIdx.x % teams.lanes};
}

template <class T>
__device__ T team_sum(T value, std::uint32_t lanes) {
  for (std::uint32_t half = lanes / 2; half > 0; half /= 2) {
    value += __shfl_xor_sync(0xFFFFFFFFu, value, static_cast<int>(half));
  }
  return value;
}

/// What is not a number loses.
__device__ inline float team_max(float value, std::uint32_t lanes) {
  for (std::uint32_t half = lanes / 2; half > 0; half /= 2) {
    const float other = __shfl_xor_sync(0xFFFFFFFFu, value, static_cast<int>(half));
    value = other > value ? other : value;
  }
  return value;
}

/// Calls visit(first channel of a pack) for the thread's packs of a row.
template <unsigned kValues, class Visit>
__device__ void for_each_channel_pack(const RowTeams& teams, std::uint32_t lane, bool has_row,
                                      const Visit& visit) {
  const std::uint32_t end = has_row ? teams.packs : 0;
  for (std::uint32_t pack = lane; pack < end; pack += teams.lanes) visit(pack * kValues);
}

/// Mean and 1 / deviation of a row.
struct RowMoments {
  float mean;
  float inv_deviation;
};

/// In two passes, so that a mean far from 0 costs no digits; the second one finds the row in the cache. All lanes
/// of a warp call it.
template <unsigned kValues, class T>
__device__ RowMoments row_moments(const RowTeams& teams, std::uint32_t lane, const T* row,
                                  bool has_row, float epsilon) {
  const float share = 1.0f / static_cast<float>(teams.channels);
  float sum = 0;
  for_each_channel_pack<kValues>(teams, lane, has_row, [&](std::uint32_t channel) {
    float values[kValues];
    unpack(load_packed<kValues>(row + channel), values);
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) sum += values[v];
  });
  const float mean = team_sum(sum, teams.lanes) * share;
  float squares = 0;
  for_each_channel_pack<kValues>(teams, lane, has_row, [&](std::uint32_t channel) {
    float values[kValues];
    unpack(load_packed<kValues>(row + channel), values);
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) squares += (values[v] - mean) * (values[v] - mean);
  });
  const float variance = team_sum(squares, teams.lanes) * share;
  return {mean, 1.0f / std::sqrt(variance + epsilon)};
}

}  // namespace penstock::train::cuda
