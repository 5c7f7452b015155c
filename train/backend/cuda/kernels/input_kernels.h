// Pixels of a batch as the values that a network takes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/device_status.h"
#include "train/backend/cuda/kernels/value_type.h"

namespace penstock::train::cuda {

enum class PixelType : std::uint8_t { kUint8, kFloat16, kBfloat16, kFloat32 };

/// value = gain[c] * pixel + offset[c]; channels beyond the pixels' are 0.
///
/// Shapes  pixels: [num_places, channels]; values: [num_places, stored_channels]
struct InputPixels {
  PixelType pixel_type;
  ValueType value_type;
  std::size_t num_places;  // of all samples
  std::uint32_t channels;  // at most 4
  std::uint32_t stored_channels;
  float gain[4];
  float offset[4];
  const void* pixels;
  void* values;
};
DeviceStatus input_pixels(const InputPixels& args, Stream stream);

}  // namespace penstock::train::cuda
