// Arrays as NumPy stores them: what the probe and its scripts hand each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace penstock::tests {

/// A picture of interleaved bytes.
struct NpyPicture {
  std::vector<std::uint8_t> pixels_hwc;
  std::uint32_t height_px = 0;
  std::uint32_t width_px = 0;
  std::uint32_t channels = 0;
};

/// Reads an array of uint8 [height, width, channels] in C order.
///
/// Errors  CorruptData for any other; Io
/// Source  NEP 1, format version 1.0
NpyPicture read_npy_picture(const std::filesystem::path& path);

/// Writes float32 [num, height, width, channels] in C order.
void write_npy(const std::filesystem::path& path, std::span<const float> values,
               std::span<const std::size_t> shape);

}  // namespace penstock::tests
