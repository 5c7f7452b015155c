// How a block of threads walks through its piece of a tensor.
#pragma once

#include <type_traits>

#include "train/backend/cuda/kernels/element_group.h"
#include "train/backend/cuda/kernels/launch.h"
#include "train/backend/cuda/kernels/update_kernels.h"

namespace penstock::train::cuda {

inline constexpr unsigned kPieceThreads = 256;

/// Blocks for so many pieces; one where there are none, for what else a kernel does.
inline LaunchShape piece_shape(std::uint32_t num_pieces) {
  return {.grid = {num_pieces > 0 ? num_pieces : 1}, .block = {kPieceThreads}};
}

/// Calls visit(width, first element) until the block has seen every element of the piece: kWidth at a time, those
/// that are left over one by one.
template <unsigned kWidth, class Visit>
__device__ void for_each_group(const TensorPiece& piece, bool is_aligned, const Visit& visit) {
  const std::uint32_t num_grouped = is_aligned ? piece.num_elements / kWidth * kWidth : 0;
  for (std::uint32_t i = threadIdx.x * kWidth; i < num_grouped; i += kPieceThreads * kWidth) {
    visit(std::integral_constant<unsigned, kWidth>{}, piece.first_element + i);
  }
  for (std::uint32_t i = num_grouped + threadIdx.x; i < piece.num_elements; i += kPieceThreads) {
    visit(std::integral_constant<unsigned, 1>{}, piece.first_element + i);
  }
}

}  // namespace penstock::train::cuda
