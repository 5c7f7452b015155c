#include "tools/convert/image/png_structure.h"

#include <algorithm>
#include <string_view>

#include "tools/convert/image/byte_reader.h"
#include "tools/convert/image/colour_gamut.h"
#include "tools/convert/image/png_chunks.h"

namespace penstock::convert {
namespace {

using Bytes = std::span<const std::byte>;

bool is_needed(std::string_view kind) {
  return kind == "IHDR" || kind == "PLTE" || kind == "tRNS" || kind == "IDAT";
}

// Chunks that libpng would inflate or keep, whatever their size.
bool is_in_the_way(std::string_view kind) {
  return kind == "zTXt" || kind == "iTXt" || kind == "tEXt" || kind == "iCCP" || kind == "acTL" ||
         kind == "fcTL" || kind == "fdAT" || kind == "eXIf" || kind == "sPLT";
}

bool is_wide_gamut_chunk(const PngChunk& chunk) {
  if (chunk.kind == "cICP") {
    // ITU-T H.273, table 2: 9 is BT.2020, 11 and 12 are P3.
    const unsigned primaries = chunk.data.empty() ? 0 : std::to_integer<unsigned>(chunk.data[0]);
    return primaries == 9 || primaries == 11 || primaries == 12;
  }
  if (chunk.kind == "cHRM") return is_wide_gamut_chrm(chunk.data);
  if (chunk.kind != "iCCP") return false;
  const std::string_view text(reinterpret_cast<const char*>(chunk.data.data()),
                              std::min<std::size_t>(chunk.data.size(), 80));
  return is_wide_gamut_name(text.substr(0, text.find('\0')));
}

void add_header(PngStructure& png, Bytes ihdr) noexcept {
  constexpr std::size_t kHeaderBytes = 13;
  if (ihdr.size() < kHeaderBytes) return;
  const auto number = [&](std::size_t at, std::size_t num_bytes) {
    return static_cast<std::uint32_t>(*read_number(ihdr, at, num_bytes, ByteOrder::kBig));
  };
  png.width_px = number(0, 4);
  png.height_px = number(4, 4);
  png.bit_depth = static_cast<std::uint8_t>(number(8, 1));
  png.colour_type = static_cast<std::uint8_t>(number(9, 1));
  png.is_interlaced = number(12, 1) != 0;
}

}  // namespace

std::uint64_t PngStructure::unfolded_bytes() const noexcept {
  const std::uint64_t samples = colour_type == 2   ? 3
                                : colour_type == 4 ? 2
                                : colour_type == 6 ? 4
                                                   : 1;
  // At most 2^32 * 4 * 16 / 8 a row: with 2^32 rows up to 2^67.
  const std::uint64_t row_bytes = 1 + (width_px * samples * bit_depth + 7) / 8;
  std::uint64_t bytes = 0;
  return __builtin_mul_overflow(row_bytes, std::uint64_t{height_px}, &bytes) ? UINT64_MAX : bytes;
}

PngStructure read_png_structure(Bytes png) noexcept {
  PngStructure found;
  std::size_t at = kPngSignatureBytes;
  while (const auto chunk = next_png_chunk(png, at)) {
    if (chunk->kind == "IEND") {
      found.has_end = chunk->is_whole;
      return found;
    }
    if (chunk->kind == "IHDR") add_header(found, chunk->data);
    if (chunk->kind == "IDAT") found.data_bytes += chunk->data.size();
    if (chunk->kind == "tRNS") found.has_transparent_colour = true;
    if (chunk->kind == "acTL") found.is_animated = true;
    if (chunk->kind == "eXIf") found.exif = chunk->data;
    if (is_wide_gamut_chunk(*chunk)) found.is_wide_gamut = true;
    if (is_in_the_way(chunk->kind)) found.has_other_chunks = true;
    if (is_needed(chunk->kind)) {
      if (!chunk->is_whole) found.is_cut = true;
      if (chunk->is_whole && png_crc(chunk->kind_and_data) != chunk->crc)
        found.has_wrong_crc = true;
    }
  }
  if (found.data_bytes == 0) found.is_cut = true;
  return found;
}

std::vector<std::byte> plain_png(Bytes png) {
  constexpr std::size_t kEndBytes = 12;
  const auto signature = png.first(kPngSignatureBytes);
  std::vector<std::byte> plain(signature.begin(), signature.end());
  plain.reserve(png.size() + kEndBytes);
  std::size_t at = kPngSignatureBytes;
  while (const auto chunk = next_png_chunk(png, at)) {
    if (chunk->kind == "IEND") break;
    if (is_needed(chunk->kind)) append_png_chunk(plain, chunk->kind, chunk->data);
  }
  append_png_chunk(plain, "IEND", {});
  return plain;
}

}  // namespace penstock::convert
