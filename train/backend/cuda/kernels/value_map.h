// Kernels that compute each value from those at the same place: no rows, no channels.
#pragma once

#include <cstddef>

#include "train/backend/cuda/kernels/launch.h"
#include "train/backend/cuda/kernels/packed_values.h"

namespace penstock::train::cuda {

inline constexpr unsigned kMapThreads = 256;
/// Packs of one thread, loaded before the first is computed.
inline constexpr unsigned kMapPacks = 4;

/// `out` may be an input: a value is read and written by one thread.
template <class T, unsigned kInputs>
struct MapArrays {
  std::size_t count;
  const T* in[kInputs];
  T* out;
};

template <unsigned kValues, class T, unsigned kInputs, class Function>
__device__ void map_pack(const MapArrays<T, kInputs>& arrays, std::size_t first,
                         const PackedValues<T, kValues> (&packs)[kInputs],
                         const Function& function) {
  float values[kInputs][kValues];
  for (unsigned input = 0; input < kInputs; ++input) unpack(packs[input], values[input]);
  function(values);
  store_packed(arrays.out + first, values[0]);
}

/// Behind the last whole pack single values are left, fewer than a pack has.
template <unsigned kValues, class T, unsigned kInputs, class Function>
__global__ void __launch_bounds__(kMapThreads)
    map_values_kernel(MapArrays<T, kInputs> arrays, Function function) {
  const std::size_t num_packs = arrays.count / kValues;
  const std::size_t first_pack = std::size_t{blockIdx.x} * (kMapThreads * kMapPacks) + threadIdx.x;
  PackedValues<T, kValues> packs[kMapPacks][kInputs];
  PENSTOCK_UNROLL
  for (unsigned k = 0; k < kMapPacks; ++k) {
    const std::size_t pack = first_pack + k * kMapThreads;
    if (pack < num_packs) {
      for (unsigned input = 0; input < kInputs; ++input) {
        packs[k][input] = load_packed<kValues>(arrays.in[input] + pack * kValues);
      }
    }
  }
  PENSTOCK_UNROLL
  for (unsigned k = 0; k < kMapPacks; ++k) {
    const std::size_t pack = first_pack + k * kMapThreads;
    if (pack < num_packs) map_pack<kValues>(arrays, pack * kValues, packs[k], function);
  }
  if constexpr (kValues > 1) {
    const std::size_t single = num_packs * kValues + threadIdx.x;
    if (blockIdx.x != 0 || single >= arrays.count) return;
    PackedValues<T, 1> singles[kInputs];
    for (unsigned input = 0; input < kInputs; ++input) {
      singles[input] = load_packed<1>(arrays.in[input] + single);
    }
    map_pack<1>(arrays, single, singles, function);
  }
}

template <unsigned kValues, class T, unsigned kInputs, class Function>
DeviceStatus map_packs(const char* name, const MapArrays<T, kInputs>& arrays,
                       const Function& function, Stream stream) {
  const std::size_t num_blocks =
      num_blocks_for(arrays.count, std::size_t{kMapThreads} * kMapPacks * kValues);
  return launch(name, map_values_kernel<kValues, T, kInputs, Function>,
                {.grid = {static_cast<unsigned>(num_blocks)}, .block = {kMapThreads}}, stream,
                arrays, function);
}

/// Enqueues: function(values) for each place, `values` a float (&)[kInputs][n] of n places whose first row it
/// turns into what `out` gets.
template <class T, unsigned kInputs, class Function>
DeviceStatus map_values(const char* name, const MapArrays<T, kInputs>& arrays,
                        const Function& function, Stream stream) {
  if (arrays.count == 0) return {};
  bool has_vectors = are_vector_aligned({arrays.out});
  for (const T* const in : arrays.in) has_vectors = has_vectors && are_vector_aligned({in});
  if (has_vectors) return map_packs<kVectorValues<T>>(name, arrays, function, stream);
  return map_packs<1>(name, arrays, function, stream);
}

}  // namespace penstock::train::cuda
