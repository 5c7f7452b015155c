// What a user would write with OpenCV instead of the pass: one step after the other.
#pragma once

#include <cstddef>
#include <memory>

#include "augment/augment_config.h"
#include "augment/augment_draws.h"
#include "streamer/core/batch.h"
#include "streamer/core/image_view.h"

namespace penstock::tools::bench {

/// One sample: the whole picture, what was drawn for it, and where it goes.
///
/// Shapes  source: three channels, no gaps; out: elements as `spec` says, not bfloat16
struct ChainInput {
  ImageView source;
  augment::AugmentDraws drawn;
  augment::AffineMap map;  // output pixels -> pixels of the picture
  const augment::AugmentConfig* config = nullptr;
  const BatchSpec* spec = nullptr;
  std::byte* out = nullptr;
};

/// The pictures between the steps, kept from sample to sample.
struct OpencvBuffers;
std::shared_ptr<OpencvBuffers> make_opencv_buffers();

/// Threads  one at a time per buffers; computes on the calling thread alone
using OpencvChain = void (*)(const ChainInput& input, OpencvBuffers& buffers);

/// warpAffine, convertTo, subtract, multiply, split
void warp_with_opencv(const ChainInput& input, OpencvBuffers& buffers);

/// crop, resize INTER_LINEAR, flip, convertTo, subtract, multiply, split; of uint8 without the
/// normalisation, of float16 with one more convertTo
void resize_with_opencv(const ChainInput& input, OpencvBuffers& buffers);

/// resize INTER_AREA, flip, convertTo, subtract, multiply, split
void shrink_with_opencv(const ChainInput& input, OpencvBuffers& buffers);

/// The same with INTER_CUBIC, whose cubic is Keys' with a = -0.75.
void cubic_with_opencv(const ChainInput& input, OpencvBuffers& buffers);

/// The same with INTER_NEAREST_EXACT.
void nearest_with_opencv(const ChainInput& input, OpencvBuffers& buffers);

/// resize_with_opencv(), whose convertTo adds the channel shift; max, min.
void shift_with_opencv(const ChainInput& input, OpencvBuffers& buffers);

/// resize_with_opencv(), and before it subtracts: brightness by convertTo, contrast by mean and convertTo,
/// saturation by cvtColor and addWeighted, max, min; hue by cvtColor to HSV and back
void jitter_with_opencv(const ChainInput& input, OpencvBuffers& buffers);

/// copyMakeBorder, crop, flip, convertTo, subtract, multiply, split
void pad_with_opencv(const ChainInput& input, OpencvBuffers& buffers);

}  // namespace penstock::tools::bench
