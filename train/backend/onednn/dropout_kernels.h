// Vector kernels of dropout: the draws of train/graph/train_draws.h, many at a time, and what they leave. Types
// and threads as in nhwc_kernels.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/bfloat16.h"

namespace penstock::train::onednn {

/// What the draws of one sample in one dropout layer depend on.
struct DropoutDraws {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint32_t sample_idx = 0;  // in the step
  std::uint32_t node = 0;
  std::uint32_t threshold = 0;  // dropout_threshold()
};

/// Draws that are made at a time, 4 of each counter.
inline constexpr std::size_t kDropoutBlock = 1024;

/// Sets kept[i] to 1 where value `block_idx * kDropoutBlock + i` of the sample is kept, else to 0.
///
/// Units  values in canonical order, CHW
void draw_kept(const DropoutDraws& draws, std::size_t block_idx, std::uint8_t* kept);

/// Sets y to x times `scale` where kept is 1, else to 0 whatever x is. y may be x.
void scale_kept(std::size_t count, const std::uint8_t* kept, float scale, const float* x, float* y);
void scale_kept(std::size_t count, const std::uint8_t* kept, float scale, const Bfloat16* x,
                Bfloat16* y);

}  // namespace penstock::train::onednn
