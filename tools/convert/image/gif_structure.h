// What a GIF is made of, read from its blocks alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tools/convert/image/image_format.h"

namespace penstock::convert {

/// The first frame, and whether another follows: behind a second one nothing is looked at.
struct GifStructure {
  bool has_frame = false;  // its header and palette are there
  std::uint64_t left_px = 0;
  std::uint64_t top_px = 0;
  DeclaredSize size;
  bool is_interlaced = false;
  unsigned palette_bits = 0;  // 1 to 8: of its own palette or the file's; 0: there is none
  std::uint64_t data_bytes = 0;

  bool is_animated = false;  // a second frame begins
  bool has_end = false;      // of one that is not animated
  bool ends_early = false;   // bytes run out before either

  /// Of a frame whose data end with the file: where its last block begins, which may be none.
  bool is_data_cut = false;
  std::size_t cut_block_at = 0;
};

/// Walks the blocks for as long as they are well-formed. The first 6 bytes are not looked at.
///
/// Source  Graphics Interchange Format, version 89a (CompuServe 1990), sections 15 to 27
GifStructure read_gif_structure(std::span<const std::byte> gif) noexcept;

/// Returns the first frame of a GIF whose data are cut, as a file that ends behind them.
std::vector<std::byte> ended_gif(std::span<const std::byte> gif, const GifStructure& cut);

}  // namespace penstock::convert
