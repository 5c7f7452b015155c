// What a WebP is made of, read from its chunks alone; and the first frame of an animated one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penstock::convert {

struct WebpStructure {
  bool has_alpha = false;
  bool is_animated = false;
  bool is_cut = false;              // shorter than it declares
  std::span<const std::byte> exif;  // a TIFF; empty: none
  std::span<const std::byte> icc;
  std::span<const std::byte> first_frame;  // of an animated one: the data of its ANMF chunk
};

/// Walks the chunks for as long as they are well-formed.
///
/// Source  WebP container specification (Google, RFC 9649 section 2)
WebpStructure read_webp_structure(std::span<const std::byte> webp) noexcept;

/// Returns the first frame of an animated WebP as one of its own; empty when it has none.
std::vector<std::byte> still_webp(const WebpStructure& animated);

}  // namespace penstock::convert
