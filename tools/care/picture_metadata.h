// What a picture's bytes tell beside its pixels: where it was taken, with what, in which colours.
// Knows bytes, no files. Nothing is decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace penstock::care {

struct PictureMetadata {
  bool has_exif = false;  // that says more than how the camera was held
  bool has_gps = false;   // a directory of positions within EXIF
  bool has_xmp = false;
  bool has_iptc = false;  // in a Photoshop segment
  bool has_colour_profile = false;
  bool has_text = false;  // a comment, a text chunk

  friend bool operator==(const PictureMetadata&, const PictureMetadata&) = default;
};

/// Reads the segments of a JPEG up to its first scan, or the chunks of a PNG; of other bytes and
/// behind anything that does not fit, nothing.
///
/// Source  ITU-T T.81, annex B; Exif 3.0, 4.5.4; XMP part 3, 1.1.3; ICC.1:2022, B.4; PNG third
///         edition, 11.3
PictureMetadata read_picture_metadata(std::span<const std::byte> encoded) noexcept;

/// How many pictures carry what.
struct MetadataCounts {
  std::uint64_t num_exif = 0;
  std::uint64_t num_gps = 0;
  std::uint64_t num_xmp = 0;
  std::uint64_t num_iptc = 0;
  std::uint64_t num_colour_profile = 0;
  std::uint64_t num_text = 0;

  void add(const PictureMetadata& metadata) noexcept;
};

}  // namespace penstock::care
