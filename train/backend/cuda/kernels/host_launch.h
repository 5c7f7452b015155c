// What kernels need to run on the CPU, thread by thread: only for tests, which define these functions
// (tests/train/backend/cuda/host_gpu). Nothing of it is in the program or the module.
#pragma once

#include <vector_types.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#include "train/backend/cuda/device_status.h"

/// Of the thread that runs now.
extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;

#undef __launch_bounds__
#define __launch_bounds__(...)

namespace penstock::train::cuda {

struct HostLaunch {
  const char* name;
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes;
};

/// Runs `thread` for every thread of every block, at once or when the stream comes to it.
DeviceStatus host_launch(const HostLaunch& launch, Stream stream, std::function<void()> thread);

/// The block's memory of one place in the source; full of NaN when it is new.
void* host_shared(const void* site, std::size_t bytes);
void* host_dynamic_shared();

/// Waits for all threads of the block that have not ended.
void host_barrier();

/// Gives and takes one word in each lane of `mask`, once all of them have come.
struct HostWarpWords {
  std::uint64_t of_lane[32];
};
HostWarpWords host_warp_exchange(unsigned mask, std::uint64_t word);

template <class T>
T host_word_as(std::uint64_t word) {
  T value;
  std::memcpy(&value, &word, sizeof(T));
  return value;
}

template <class T>
std::uint64_t host_word_of(T value) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t word = 0;
  std::memcpy(&word, &value, sizeof(T));
  return word;
}

/// The thread's number in its block, and in its warp.
inline unsigned host_thread_number() {
  return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}
inline unsigned host_lane() {
  return host_thread_number() % 32;
}

template <class T>
T host_shuffle(unsigned mask, T value, unsigned from_lane) {
  return host_word_as<T>(host_warp_exchange(mask, host_word_of(value)).of_lane[from_lane % 32]);
}

}  // namespace penstock::train::cuda

inline void __syncthreads() {
  penstock::train::cuda::host_barrier();
}
inline void __syncwarp(unsigned mask = 0xFFFFFFFFu) {
  penstock::train::cuda::host_warp_exchange(mask, 0);
}
inline void __threadfence() {}

template <class T>
T __shfl_sync(unsigned mask, T value, int from_lane) {
  return penstock::train::cuda::host_shuffle(mask, value, static_cast<unsigned>(from_lane));
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask) {
  const unsigned lane = penstock::train::cuda::host_lane();
  return penstock::train::cuda::host_shuffle(mask, value, lane ^ static_cast<unsigned>(lane_mask));
}
/// Lanes without a partner keep their own value.
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta) {
  const unsigned lane = penstock::train::cuda::host_lane();
  return penstock::train::cuda::host_shuffle(mask, value, lane + delta < 32 ? lane + delta : lane);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  const auto words = penstock::train::cuda::host_warp_exchange(mask, predicate != 0 ? 1 : 0);
  unsigned ballot = 0;
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1u) != 0 && words.of_lane[lane] != 0) ballot |= 1u << lane;
  }
  return ballot;
}

/// Threads of all blocks run one at a time.
template <class T>
T atomicAdd(T* place, T value) {
  const T before = *place;
  *place = before + value;
  return before;
}
template <class T>
T atomicOr(T* place, T value) {
  const T before = *place;
  *place = before | value;
  return before;
}
