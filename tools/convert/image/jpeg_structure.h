// What a JPEG is made of, read from its markers alone: nothing is decoded, nothing allocated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace penstock::convert {

struct JpegComponent {
  std::uint8_t id = 0;
  std::uint8_t sampling_x = 1;
  std::uint8_t sampling_y = 1;

  friend bool operator==(const JpegComponent&, const JpegComponent&) = default;
};

struct JpegStructure {
  /// The frame header's marker, 0xC0 (baseline) to 0xCF; 0: there is none.
  std::uint8_t frame_marker = 0;
  std::uint8_t precision_bits = 0;
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint8_t num_components = 0;
  std::array<JpegComponent, 4> components{};  // the first four
  std::uint64_t num_segments = 0;             // before the first scan
  bool has_huffman_tables = false;            // before the first scan
  std::optional<std::uint8_t> adobe_transform;
  std::uint64_t data_at = 0;        // where the data of the first scan begins; 0: there is none
  std::span<const std::byte> exif;  // a TIFF; empty: none
  std::span<const std::byte> icc;   // the first piece of the colour profile
  // Known only of a JPEG that was read whole.
  std::uint32_t num_scans = 0;
  std::uint64_t size_bytes = 0;     // to the end marker, and with it; 0: there is none
  bool has_second_picture = false;  // another begins behind the end

  bool has_frame() const noexcept { return frame_marker != 0; }
  bool is_arithmetic() const noexcept { return frame_marker >= 0xC9; }
  bool is_progressive() const noexcept { return frame_marker == 0xC2 || frame_marker == 0xCA; }
};

enum class JpegExtent : std::uint8_t {
  kHeader,  // to the first scan
  kWhole,
};

/// Walks the markers for as long as they are well-formed.
///
/// Cost    a look at every byte with kWhole, at memory speed
/// Source  ITU-T T.81, annex B; Adobe TN 5116 for APP14; ICC.1:2010, B.4 for APP2
JpegStructure read_jpeg_structure(std::span<const std::byte> jpeg, JpegExtent extent) noexcept;

/// Where entropy-coded data that begins at `at` ends: at the next marker that is neither a stuffed zero
/// nor a restart, or with the file.
std::size_t end_of_jpeg_scan(std::span<const std::byte> jpeg, std::size_t at) noexcept;

}  // namespace penstock::convert
