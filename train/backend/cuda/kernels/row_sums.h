// Sums of each channel over rows: threads add up few values in float32, lanes of a block meet in a tree, parts are
// added up in double. The order is the same every time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/kernels/row_tiles.h"

namespace penstock::train::cuda {

/// Adds up the sums of threads `lane_threads` apart, lane by lane; the first lane has the whole. All threads of the
/// block call it, once in a kernel; those with lane >= num_lanes give nothing.
template <unsigned kThreads, unsigned kSums, class Sum>
__device__ void sum_over_lanes(Sum (&sums)[kSums], unsigned lane, unsigned num_lanes,
                               unsigned lane_threads) {
  PENSTOCK_SHARED(Sum, of_thread, kSums * kThreads);
  while (num_lanes > 1) {
    const unsigned half = (num_lanes + 1) / 2;
    // Each thread writes in one round only, so one barrier a round is enough.
    if (lane >= half && lane < num_lanes) {
      PENSTOCK_UNROLL
      for (unsigned i = 0; i < kSums; ++i) of_thread[i * kThreads + threadIdx.x] = sums[i];
    }
    __syncthreads();
    if (lane < num_lanes - half) {
      PENSTOCK_UNROLL
      for (unsigned i = 0; i < kSums; ++i) {
        sums[i] += of_thread[i * kThreads + threadIdx.x + half * lane_threads];
      }
    }
    num_lanes = half;
  }
}

/// Writes the sums of a part: partials [num_parts, kSums, channels]. All threads of the block call it.
template <unsigned kSums, unsigned kValues>
__device__ void store_part_sums(const RowTiles& tiles, const RowThread& thread,
                                float (&sums)[kSums * kValues], float* partials) {
  sum_over_lanes<kRowThreads>(sums, thread.lane, tiles.lanes, tiles.tile_packs);
  if (!thread.is_active || thread.lane != 0) return;
  float* const to = partials + std::size_t{thread.part} * kSums * tiles.channels + thread.channel;
  PENSTOCK_UNROLL
  for (unsigned s = 0; s < kSums; ++s) {
    PENSTOCK_UNROLL
    for (unsigned i = 0; i < kValues; ++i) {
      to[std::size_t{s} * tiles.channels + i] = sums[s * kValues + i];
    }
  }
}

inline constexpr unsigned kPartThreads = 512;
inline constexpr unsigned kPartChannels = 8;  // of a block: 32 bytes side by side
inline constexpr unsigned kPartLanes = kPartThreads / kPartChannels;

inline LaunchShape part_launch_shape(std::uint32_t channels) {
  return {.grid = {static_cast<unsigned>(num_blocks_for(channels, kPartChannels))},
          .block = {kPartThreads}};
}

/// The channel that a thread of the launch adds up.
__device__ inline std::uint32_t part_channel() {
  return blockIdx.x * kPartChannels + threadIdx.x % kPartChannels;
}

/// Adds up a channel's parts. All threads of the block call it; true for the one thread that has the sums.
template <unsigned kSums>
__device__ bool sum_parts(const float* partials, std::uint32_t num_parts, std::uint32_t channels,
                          double (&sums)[kSums]) {
  constexpr unsigned kAtOnce = 8;
  const std::uint32_t channel = part_channel();
  const unsigned lane = threadIdx.x / kPartChannels;
  for (double& sum : sums) sum = 0;
  const std::uint32_t end = channel < channels ? num_parts : 0;
  for (std::uint32_t first = lane; first < end; first += kAtOnce * kPartLanes) {
    float loaded[kAtOnce][kSums];
    PENSTOCK_UNROLL
    for (unsigned k = 0; k < kAtOnce; ++k) {
      const std::uint32_t part = first + k * kPartLanes;
      PENSTOCK_UNROLL
      for (unsigned s = 0; s < kSums; ++s) {
        loaded[k][s] =
            part < end ? partials[(std::size_t{part} * kSums + s) * channels + channel] : 0.0f;
      }
    }
    PENSTOCK_UNROLL
    for (unsigned k = 0; k < kAtOnce; ++k) {
      PENSTOCK_UNROLL
      for (unsigned s = 0; s < kSums; ++s) sums[s] += static_cast<double>(loaded[k][s]);
    }
  }
  sum_over_lanes<kPartThreads>(sums, lane, kPartLanes, kPartChannels);
  return lane == 0 && channel < channels;
}

/// Enqueues: sums [channels] of partials [num_parts, channels].
DeviceStatus add_up_parts(std::uint32_t channels, std::uint32_t num_parts, const float* partials,
                          float* sums, Stream stream);

}  // namespace penstock::train::cuda
