// Neighbouring elements of a tensor whose type only the launch knows, as float and back: 16 bytes are four of
// float32, and eight of the others.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/kernels/value_io.h"

namespace penstock::train::cuda {

/// kWidth elements, in registers.
template <unsigned kWidth>
struct ElementGroup {
  float values[kWidth];
};

/// How they lie in memory: one load or store, or two of 16 bytes.
template <class T, unsigned kWidth>
struct alignas(sizeof(T) * kWidth < 16 ? sizeof(T) * kWidth : 16) StoredGroup {
  T values[kWidth];
};

/// `place` is aligned to the whole group, or to 16 bytes.
template <unsigned kWidth, class T>
__device__ ElementGroup<kWidth> load_group(const T* place) {
  const auto stored = *reinterpret_cast<const StoredGroup<T, kWidth>*>(place);
  ElementGroup<kWidth> group;
  for (unsigned v = 0; v < kWidth; ++v) group.values[v] = to_float(stored.values[v]);
  return group;
}

template <unsigned kWidth, class T>
__device__ void store_group(T* place, const ElementGroup<kWidth>& group) {
  StoredGroup<T, kWidth> stored;
  for (unsigned v = 0; v < kWidth; ++v) stored.values[v] = from_float<T>(group.values[v]);
  *reinterpret_cast<StoredGroup<T, kWidth>*>(place) = stored;
}

/// Of a tensor of `type`, from element `first` on.
template <unsigned kWidth>
__device__ ElementGroup<kWidth> load_group_of(ValueType type, const void* tensor,
                                              std::size_t first) {
  switch (type) {
    case ValueType::kFloat16:
      return load_group<kWidth>(static_cast<const __half*>(tensor) + first);
    case ValueType::kBfloat16:
      return load_group<kWidth>(static_cast<const __nv_bfloat16*>(tensor) + first);
    case ValueType::kFloat32:
      break;
  }
  return load_group<kWidth>(static_cast<const float*>(tensor) + first);
}

template <unsigned kWidth>
__device__ void store_group_of(ValueType type, void* tensor, std::size_t first,
                               const ElementGroup<kWidth>& group) {
  switch (type) {
    case ValueType::kFloat16:
      return store_group(static_cast<__half*>(tensor) + first, group);
    case ValueType::kBfloat16:
      return store_group(static_cast<__nv_bfloat16*>(tensor) + first, group);
    case ValueType::kFloat32:
      break;
  }
  store_group(static_cast<float*>(tensor) + first, group);
}

/// Whether groups may begin at all of these; a null pointer counts as one.
template <class... Places>
__device__ bool are_aligned(const Places*... places) {
  return ((reinterpret_cast<std::uintptr_t>(places) | ...) % 16) == 0;
}

}  // namespace penstock::train::cuda
