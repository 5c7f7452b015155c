// Writes a JPEG row by row, into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "streamer/core/image_view.h"
#include "tools/convert/image/encode_settings.h"

namespace penstock::convert {

/// What the three bytes of a pixel are.
enum class PixelColours : std::uint8_t {
  kRgb,
  kYcc,  // as JPEG holds them: nothing is converted
};

/// How many luma samples there are to one of chroma along each side.
struct ChromaSampling {
  std::uint8_t x = 1;
  std::uint8_t y = 1;

  friend bool operator==(const ChromaSampling&, const ChromaSampling&) = default;
};

struct JpegWriting {
  SidesPx sides = {};
  std::uint32_t channels = 3;  // or 1
  PixelColours colours = PixelColours::kRgb;
  int quality = 95;  // 1 to 100, as libjpeg counts
  ChromaSampling chroma = {};
  /// EXIF, 1 to 8; above 1 it is written, in a segment that holds nothing else.
  std::uint8_t orientation = 1;
  /// APP2 segments of a colour profile, each without marker and length; borrowed until begin() is done.
  std::span<const std::vector<std::byte>> profile = {};
};

/// Writes baseline JPEG with the standard Huffman tables.
///
/// Errors        Internal when libjpeg refuses; sides are at most kMaxJpegSidePx
/// Threads       one per thread
/// Reproducible  the same pixels give the same bytes
/// Source        libjpeg-turbo 2.1.5, libjpeg.txt, "Compression details"; JEITA CP-3451 (Exif 2.3), 4.5
class JpegWriter {
 public:
  JpegWriter();
  ~JpegWriter();

  void begin(const JpegWriting& writing);
  void add(const ImageView& rows);
  /// After as many rows as the picture has.
  std::vector<std::byte> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What the steps of the luma's quantisation at such a quality add up to; coarser ones to more.
std::uint32_t quantisation_of(int quality);

}  // namespace penstock::convert
