// Decoded crops as the values that a network takes: sampled, coloured, erased, normalised and mixed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/device_status.h"
#include "train/backend/cuda/kernels/value_type.h"

namespace penstock::train::cuda {

/// What crop_record.h says of each place, with the float operations of the CPU's transform in its order. Values of a
/// place without a picture, and channels beyond the pictures', are 0. A partner may lie beyond these samples, but
/// within the batch that they are part of.
///
/// Shapes   places: [num_samples, crop_bytes], aligned as BatchSpec says; values:
///          [num_samples, height_px, width_px, stored_channels]; means: num_crop_means() floats of scratch
/// Launches two: means, which only contrast needs and other samples leave at once, then values
struct CropValues {
  ValueType value_type;
  std::size_t num_samples;
  std::size_t crop_bytes;
  std::uint32_t height_px;
  std::uint32_t width_px;
  std::uint32_t channels;  // 1 or 3
  std::uint32_t stored_channels;
  const std::byte* places;
  float* means;
  void* values;
};
DeviceStatus crop_values(const CropValues& args, Stream stream);

/// Three channels of a sample, and of its partner.
constexpr std::size_t num_crop_means(std::size_t num_samples) {
  return num_samples * 2 * 3;
}

}  // namespace penstock::train::cuda
