// How kernels are started and what they may use. The same source runs on a GPU (nvcc) and on the CPU (g++, for
// tests), under these rules: kernels are started by launch(), shared memory is asked for by the two macros, and
// what all threads of a block read stands behind a barrier.
#pragma once

#include <cstddef>

#include "train/backend/cuda/device_status.h"

#ifdef __CUDACC__
#include <cuda_runtime.h>
#else
#include "train/backend/cuda/kernels/host_launch.h"
#endif

namespace penstock::train::cuda {

/// Blocks and threads of one launch.
struct LaunchShape {
  dim3 grid{1, 1, 1};
  dim3 block{1, 1, 1};
  std::size_t shared_bytes = 0;  // of PENSTOCK_DYNAMIC_SHARED
};

inline constexpr unsigned kWarpThreads = 32;

/// Blocks of `per_block` items that cover `count`.
constexpr std::size_t num_blocks_for(std::size_t count, std::size_t per_block) {
  return (count + per_block - 1) / per_block;
}

}  // namespace penstock::train::cuda

#ifdef __CUDACC__

/// Before a loop over an array that must stay in registers: nvcc leaves long bodies as loops, and the array then
/// lies in memory.
#define PENSTOCK_UNROLL _Pragma("unroll")

/// Declares an array that the threads of a block share.
#define PENSTOCK_SHARED(type, name, count) __shared__ type name[count]

/// Declares a pointer to the LaunchShape::shared_bytes of the block, aligned to 16 bytes; at most one in a kernel.
#define PENSTOCK_DYNAMIC_SHARED(type, name)                              \
  extern __shared__ __align__(16) unsigned char penstock_shared_bytes[]; \
  type* const name = reinterpret_cast<type*>(penstock_shared_bytes)

namespace penstock::train::cuda {

/// Enqueues a kernel. `name` is for messages.
template <class... Params, class... Args>
DeviceStatus launch(const char* name, void (*kernel)(Params...), const LaunchShape& shape,
                    Stream stream, const Args&... args) {
  kernel<<<shape.grid, shape.block, shape.shared_bytes, stream>>>(args...);
  const cudaError_t error = cudaGetLastError();
  if (error == cudaSuccess) return {};
  return {.code = error,
          .call = name,
          .name = cudaGetErrorName(error),
          .text = cudaGetErrorString(error)};
}

}  // namespace penstock::train::cuda

#else

#define PENSTOCK_UNROLL

#define PENSTOCK_SHARED(type, name, count)                                  \
  type* const name = static_cast<type*>(penstock::train::cuda::host_shared( \
      [] {                                                                  \
        static char site;                                                   \
        return &site;                                                       \
      }(),                                                                  \
      sizeof(type) * (count)))

#define PENSTOCK_DYNAMIC_SHARED(type, name) \
  type* const name = static_cast<type*>(penstock::train::cuda::host_dynamic_shared())

namespace penstock::train::cuda {

template <class... Params, class... Args>
DeviceStatus launch(const char* name, void (*kernel)(Params...), const LaunchShape& shape,
                    Stream stream, const Args&... args) {
  return host_launch({name, shape.grid, shape.block, shape.shared_bytes}, stream,
                     [=] { kernel(args...); });
}

}  // namespace penstock::train::cuda

#endif
