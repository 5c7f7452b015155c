// Values of the three types as float and back, and how many of them 16 bytes hold.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/kernels/value_type.h"

namespace penstock::train::cuda {

__host__ __device__ inline float to_float(float value) {
  return value;
}
__host__ __device__ inline float to_float(__half value) {
  return __half2float(value);
}
__host__ __device__ inline float to_float(__nv_bfloat16 value) {
  return __bfloat162float(value);
}

/// To the nearest, ties to even.
template <class T>
__host__ __device__ T from_float(float value);
template <>
__host__ __device__ inline float from_float<float>(float value) {
  return value;
}
template <>
__host__ __device__ inline __half from_float<__half>(float value) {
  return __float2half_rn(value);
}
template <>
__host__ __device__ inline __nv_bfloat16 from_float<__nv_bfloat16>(float value) {
  return __float2bfloat16_rn(value);
}

/// Values of T in 16 bytes: one load or store.
template <class T>
inline constexpr unsigned kVectorValues = 16 / sizeof(T);

/// Whether rows of so many values of T, from an aligned place on, can be read by vectors.
template <class T>
constexpr bool has_whole_vectors(std::size_t row_values) {
  return row_values % kVectorValues<T> == 0;
}

/// Calls use(T{}) for the C++ type of `type`.
template <class Use>
decltype(auto) with_value_type(ValueType type, Use&& use) {
  switch (type) {
    case ValueType::kFloat16:
      return use(__half{});
    case ValueType::kBfloat16:
      return use(__nv_bfloat16{});
    case ValueType::kFloat32:
      break;
  }
  return use(float{});
}

}  // namespace penstock::train::cuda
