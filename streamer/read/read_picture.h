// One sample as pixels, outside any loader: for looking at data, not for training on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "streamer/core/image_view.h"
#include "streamer/shard/stored_sample.h"

namespace penstock {

struct PictureRequest {
  /// Colour channels of the result: 3 (RGB) or 1 (gray).
  std::uint32_t channels = 3;
  /// The most that reading and decoding may hold, encoded bytes and decoder included.
  std::uint64_t max_bytes = std::uint64_t{1} << 30;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// A decoded picture that owns its pixels.
///
/// Shapes  pixels_hwc: [height_px, width_px, channels], rows top to bottom, as stored
struct Picture {
  std::vector<std::uint8_t> pixels_hwc;
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint32_t channels = 3;
  /// EXIF, 1 to 8: how the stored picture is to be turned to stand upright (core/stored_axes.h).
  std::uint8_t orientation = 1;

  ImageView view() const noexcept {
    return {.pixels_hwc = pixels_hwc.data(),
            .width_px = width_px,
            .height_px = height_px,
            .channels = channels,
            .pixel_stride_bytes = channels,
            .row_stride_bytes = std::size_t{width_px} * channels};
  }
};

/// Reads, verifies and decodes a sample at full size, by the loader's own steps.
///
/// Errors   CorruptData (checksum, or no picture, in the decoder's words), Unsupported (a codec or
///          a status that this build does not read), OutOfMemory (above max_bytes, before anything
///          is allocated), Io; all name shard, sample and offset
/// Threads  any, at the same time too
/// Cost     makes a decoder and its memory anew: a loader is for many samples
Picture read_picture(const StoredSample& sample, const PictureRequest& request = {});

}  // namespace penstock
