// OpenCV's resize and libjpeg-turbo's encoder, and nothing else: what making a decoded picture smaller
// costs without an engine around it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "streamer/core/image_view.h"

namespace penstock::tools::bench {

/// Threads  one per thread
class BareResize {
 public:
  BareResize();
  BareResize(BareResize&&) noexcept;
  ~BareResize();

  /// Makes the shorter side `short_px` with INTER_AREA where it is longer, and encodes the result in
  /// libjpeg's default settings (chroma halved both ways) at `quality`. Returns the bytes, which stay
  /// valid until the next call; none when libjpeg refuses.
  ///
  /// Shapes  pixels: RGB
  std::span<const std::byte> encode_resized(const ImageView& pixels, std::uint32_t short_px,
                                            int quality) noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::tools::bench
