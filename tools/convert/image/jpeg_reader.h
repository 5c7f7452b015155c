// Reads a JPEG row by row, at full size or at one of libjpeg's coarser scales: what re-encoding needs of
// it beside the loader's decoder, four components (CMYK, YCCK) and damaged ones among it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/convert/image/jpeg_writer.h"

namespace penstock::convert {

struct JpegReading {
  /// What is missing or damaged becomes what libjpeg makes of it, gray for the most part; else the
  /// picture is refused.
  bool tolerates_damage = false;
  /// What libjpeg may hold, all coefficients of a progressive picture for one.
  std::uint64_t max_scratch_bytes = UINT64_MAX;
  /// Whether the segments of a colour profile are kept for profile().
  bool keeps_profile = false;
};

/// Decodes to RGB, to luma and chroma, or to gray. Of four components, Adobe's files hold inverted inks,
/// others do not.
///
/// Errors  what returns false has a reason in words(), libjpeg's own; more than 500 scans; "stopped"
/// Threads one per thread
/// Source  Adobe TN 5116, "Supporting the DCT filters in PostScript Level 2", for the APP14
///         segment; libjpeg-turbo's libjpeg.txt, "Special color spaces", for the inversion
class JpegReader {
 public:
  JpegReader();
  ~JpegReader();

  /// Reads the header. `jpeg` and `stop` are borrowed until the picture is read.
  bool open(std::span<const std::byte> jpeg, const JpegReading& reading,
            const std::stop_token& stop);

  // Of an open picture.
  SidesPx sides() const;
  std::uint32_t num_components() const;
  /// Whether its pixels can be had as luma and chroma, as they are coded.
  bool is_ycc() const;
  /// That of its three components where chroma is halved along one side or both, else none.
  ChromaSampling chroma() const;
  /// What the steps of its first component's quantisation add up to; 0 where it has none.
  std::uint32_t quantisation() const;
  std::span<const std::vector<std::byte>> profile() const;

  /// Begins to decode at 1 / `decode_scale` (1, 2, 4, 8), to `channels` 1 or 3.
  bool start(std::uint32_t decode_scale, std::uint32_t channels, PixelColours colours);
  /// Sides of what is decoded, rounded up.
  SidesPx rows() const;
  bool read_row(std::uint8_t* row);
  bool finish();

  std::string words() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace penstock::convert
