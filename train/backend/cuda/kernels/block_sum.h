// Sums over the threads of a warp and of a block, in an order that is the same every time.
#pragma once

#include "train/backend/cuda/kernels/launch.h"

namespace penstock::train::cuda {

/// The sum over the warp, in every lane. All lanes call it.
template <class T>
__device__ T warp_sum(T value) {
  for (unsigned lanes = kWarpThreads / 2; lanes > 0; lanes /= 2) {
    value += __shfl_xor_sync(0xFFFFFFFFu, value, static_cast<int>(lanes));
  }
  return value;
}

/// The sum over a block of kThreads threads along x, in every thread. All threads call it.
template <unsigned kThreads, class T>
__device__ T block_sum(T value) {
  static_assert(kThreads % kWarpThreads == 0 && kThreads <= 1024);
  constexpr unsigned kWarps = kThreads / kWarpThreads;
  PENSTOCK_SHARED(T, of_warp, kWarps);
  value = warp_sum(value);
  __syncthreads();  // a sum before may still be read
  if (threadIdx.x % kWarpThreads == 0) of_warp[threadIdx.x / kWarpThreads] = value;
  __syncthreads();
  T sum{};
  for (unsigned warp = 0; warp < kWarps; ++warp) sum += of_warp[warp];
  return sum;
}

}  // namespace penstock::train::cuda
