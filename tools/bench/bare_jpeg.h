// libjpeg-turbo and nothing else: what decoding costs without an engine around it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "streamer/core/image_view.h"

namespace penstock::tools::bench {

/// Which part of a picture is decoded, in pixels of the stored one, and at which scale.
struct JpegCut {
  RectPx region;
  std::uint32_t scale = 1;
};

/// Decodes with one jpeg_decompress_struct for all pictures, in libjpeg's default settings.
///
/// Threads  one per thread
class BareJpeg {
 public:
  BareJpeg();
  BareJpeg(BareJpeg&&) noexcept;
  ~BareJpeg();

  /// Decodes the whole picture at the scale of `cut`. False when libjpeg calls it no picture,
  /// makes pixels up (the engine's rule: jpeg_warning.h), or `pixels` is too small.
  bool decode_whole(std::span<const std::byte> encoded, const JpegCut& cut,
                    std::span<std::byte> pixels) noexcept;
  /// Decodes only the rows and columns of `cut`, as far as libjpeg can leave others out.
  bool decode_cut(std::span<const std::byte> encoded, const JpegCut& cut,
                  std::span<std::byte> pixels) noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::tools::bench
