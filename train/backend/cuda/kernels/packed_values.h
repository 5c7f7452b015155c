// Values that a kernel loads and stores at once: 16 bytes of them, or a single one where rows or pointers do not
// allow more. Kernels are templates on the number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <type_traits>

#include "train/backend/cuda/kernels/launch.h"
#include "train/backend/cuda/kernels/value_io.h"

namespace penstock::train::cuda {

/// One load or store: kValues is 1 or kVectorValues<T>. Vectors are kept as words: values of 2 bytes would each
/// take a register of their own while they wait.
template <class T, unsigned kValues>
struct alignas(sizeof(T) * kValues) PackedValues {
  static_assert(kValues == 1 || kValues == kVectorValues<T>);
  using Word = std::conditional_t<kValues == 1, T, std::uint32_t>;
  Word words[sizeof(T) * kValues / sizeof(Word)];
};

template <unsigned kValues, class T>
__device__ PackedValues<T, kValues> load_packed(const T* place) {
  return *reinterpret_cast<const PackedValues<T, kValues>*>(place);
}

/// Two values of 2 bytes in a word, the first one low.
template <class T>
using PairOf = std::conditional_t<std::is_same_v<T, __half>, __half2, __nv_bfloat162>;

__device__ inline float2 to_floats(__half2 pair) {
  return __half22float2(pair);
}
__device__ inline float2 to_floats(__nv_bfloat162 pair) {
  return __bfloat1622float2(pair);
}

template <class Pair>
__device__ Pair pair_of(float low, float high) {
  if constexpr (std::is_same_v<Pair, __half2>) {
    return __floats2half2_rn(low, high);
  } else {
    return __floats2bfloat162_rn(low, high);
  }
}

template <class T, unsigned kValues>
__device__ void unpack(const PackedValues<T, kValues>& packed, float (&values)[kValues]) {
  if constexpr (kValues == 1) {
    values[0] = to_float(packed.words[0]);
  } else if constexpr (sizeof(T) == sizeof(float)) {
    std::memcpy(values, packed.words, sizeof(values));
  } else {
    PENSTOCK_UNROLL
    for (unsigned i = 0; i < kValues / 2; ++i) {
      PairOf<T> pair;
      std::memcpy(static_cast<void*>(&pair), &packed.words[i], sizeof(pair));
      const float2 both = to_floats(pair);
      values[2 * i] = both.x;
      values[2 * i + 1] = both.y;
    }
  }
}

template <class T, unsigned kValues>
__device__ void store_packed(T* place, const float (&values)[kValues]) {
  PackedValues<T, kValues> packed;
  if constexpr (kValues == 1) {
    packed.words[0] = from_float<T>(values[0]);
  } else if constexpr (sizeof(T) == sizeof(float)) {
    std::memcpy(packed.words, values, sizeof(values));
  } else {
    PENSTOCK_UNROLL
    for (unsigned i = 0; i < kValues / 2; ++i) {
      const auto pair = pair_of<PairOf<T>>(values[2 * i], values[2 * i + 1]);
      std::memcpy(&packed.words[i], &pair, sizeof(pair));
    }
  }
  *reinterpret_cast<PackedValues<T, kValues>*>(place) = packed;
}

/// Whether all of these are aligned to 16 bytes; a null pointer is.
inline bool are_vector_aligned(std::initializer_list<const void*> pointers) {
  for (const void* const pointer : pointers) {
    if (reinterpret_cast<std::uintptr_t>(pointer) % 16 != 0) return false;
  }
  return true;
}

}  // namespace penstock::train::cuda
