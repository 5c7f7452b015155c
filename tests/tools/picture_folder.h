// Folders of small pictures for the tests of convert: made by fixtures, laid out by the test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>
#include <vector>

#include "fixtures/jpeg_writer.h"
#include "streamer/core/image_view.h"

namespace penstock::tests {

struct PictureOptions {
  std::uint32_t width_px = 24;
  std::uint32_t height_px = 16;
  std::uint32_t channels = 3;
  std::uint32_t seed = 0;  // another seed, another picture
  fixtures::JpegOptions jpeg{};
};

inline std::vector<std::byte> picture_jpeg(const PictureOptions& options) {
  std::vector<std::uint8_t> pixels;
  for (std::uint32_t y = 0; y < options.height_px; ++y) {
    for (std::uint32_t x = 0; x < options.width_px; ++x) {
      for (std::uint32_t c = 0; c < options.channels; ++c) {
        pixels.push_back(
            static_cast<std::uint8_t>(9 * x + 5 * y + 40 * c + 37 * options.seed + x * y / 3));
      }
    }
  }
  return fixtures::encode_jpeg(
      {.pixels_hwc = pixels.data(),
       .width_px = options.width_px,
       .height_px = options.height_px,
       .channels = options.channels,
       .pixel_stride_bytes = options.channels,
       .row_stride_bytes = std::size_t{options.width_px} * options.channels},
      options.jpeg);
}

/// Writes a file and the folders it lies in.
inline void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

inline void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text)));
}

inline void write_picture(const std::filesystem::path& path, const PictureOptions& options = {}) {
  write_file(path, std::span<const std::byte>(picture_jpeg(options)));
}

/// Writes `num_each` pictures into each of the folders "cat" and "dog" of `source`.
inline void write_cats_and_dogs(const std::filesystem::path& source, std::uint32_t num_each) {
  for (std::uint32_t i = 0; i < num_each; ++i) {
    write_picture(source / "cat" / (std::to_string(i) + ".jpg"), {.seed = i});
    write_picture(source / "dog" / (std::to_string(i) + ".jpg"),
                  {.height_px = 20, .seed = 100 + i});
  }
}

}  // namespace penstock::tests
