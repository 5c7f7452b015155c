// Where a crop of a JPEG with restart markers can be entered, so that the rows above it need not be
// decoded: entropy coding starts afresh behind each marker. Knows bytes, no libjpeg.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "streamer/core/stored_info.h"

namespace penstock {

/// Rows at decode scale.
struct JpegRows {
  std::uint32_t begin = 0;
  std::uint32_t height = 0;
};

/// A smaller picture within a JPEG: its bytes up to `data_at`, with `height_px` written at
/// `height_at`, then those from `resume_at`.
struct JpegEntry {
  std::uint32_t skipped_px = 0;  // rows at full size that are left out: whole coded units
  std::uint32_t height_px = 0;   // at full size, of what is left
  std::size_t height_at = 0;     // two bytes of the frame header
  std::size_t data_at = 0;       // behind the scan's header
  std::size_t resume_at = 0;     // behind a restart marker
  unsigned first_restart = 0;    // number of the next restart marker, 0 to 7
};

/// Finds the last place from which `rows` come out as in the whole picture: a row of coded units
/// above them, with which chroma is blended. Nothing where a decoder has to start at the top: no rows
/// to leave out, another coding than Huffman in one scan, no marker at the end of a row of units, or
/// bytes that are not as T.81 wants them, restart markers out of order above `rows` or in them.
///
/// Cost    a look at the bytes up to the end of `rows`, at memory speed
/// Source  ITU-T T.81, B.1.1.5 and B.2; E.1.4 for the order of restart markers
std::optional<JpegEntry> find_jpeg_entry(std::span<const std::byte> jpeg, const StoredInfo& info,
                                         JpegRows rows, std::uint32_t decode_scale) noexcept;

}  // namespace penstock
