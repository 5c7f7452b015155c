#include "tools/convert/image/png_structure.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "tools/convert/image/byte_reader.h"
#include "tools/convert/image/colour_gamut.h"

namespace penstock::convert {
namespace {

using namespace std::string_view_literals;
using Bytes = std::span<const std::byte>;

constexpr std::size_t kSignatureBytes = 8;
constexpr std::size_t kChunkHeadBytes = 8;  // length and kind
constexpr std::size_t kCrcBytes = 4;

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t c = n;
    for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    table[n] = c;
  }
  return table;
}

// PNG specification, annex D.
std::uint32_t crc_of(Bytes bytes) noexcept {
  static constexpr auto kTable = crc_table();
  std::uint32_t c = 0xFFFFFFFFu;
  for (const std::byte b : bytes) {
    c = kTable[(c ^ std::to_integer<std::uint32_t>(b)) & 0xFF] ^ (c >> 8);
  }
  return c ^ 0xFFFFFFFFu;
}

struct Chunk {
  std::string_view kind;
  Bytes data;
  Bytes kind_and_data;  // what the checksum is of
  std::uint32_t crc = 0;
  bool is_whole = true;
};

// The chunk at `at`, which moves behind it; one that is cut short has what is there of it.
std::optional<Chunk> next_chunk(Bytes png, std::size_t& at) noexcept {
  const auto length = read_number(png, at, 4, ByteOrder::kBig);
  if (!length || png.size() - at < kChunkHeadBytes) return std::nullopt;
  Chunk chunk;
  chunk.kind = {reinterpret_cast<const char*>(png.data()) + at + 4, 4};
  const std::size_t there = std::min<std::uint64_t>(*length, png.size() - at - kChunkHeadBytes);
  chunk.data = png.subspan(at + kChunkHeadBytes, there);
  chunk.kind_and_data = png.subspan(at + 4, 4 + there);
  at += kChunkHeadBytes + there;
  const auto crc = read_number(png, at, kCrcBytes, ByteOrder::kBig);
  chunk.is_whole = there == *length && crc.has_value();
  chunk.crc = static_cast<std::uint32_t>(crc.value_or(0));
  at = std::min(png.size(), at + kCrcBytes);
  return chunk;
}

bool is_needed(std::string_view kind) {
  return kind == "IHDR" || kind == "PLTE" || kind == "tRNS" || kind == "IDAT";
}

// Chunks that libpng would inflate or keep, whatever their size.
bool is_in_the_way(std::string_view kind) {
  return kind == "zTXt" || kind == "iTXt" || kind == "tEXt" || kind == "iCCP" || kind == "acTL" ||
         kind == "fcTL" || kind == "fdAT" || kind == "eXIf" || kind == "sPLT";
}

bool is_wide_gamut_chunk(const Chunk& chunk) {
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

void append(std::vector<std::byte>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_number(std::vector<std::byte>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> shift));
}

void append_chunk(std::vector<std::byte>& out, Bytes kind_and_data) {
  append_number(out, static_cast<std::uint32_t>(kind_and_data.size() - 4));
  append(out, kind_and_data);
  append_number(out, crc_of(kind_and_data));
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
  std::size_t at = kSignatureBytes;
  while (const auto chunk = next_chunk(png, at)) {
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
      if (chunk->is_whole && crc_of(chunk->kind_and_data) != chunk->crc) found.has_wrong_crc = true;
    }
  }
  if (found.data_bytes == 0) found.is_cut = true;
  return found;
}

std::vector<std::byte> plain_png(Bytes png) {
  std::vector<std::byte> plain;
  plain.reserve(png.size() + kChunkHeadBytes + kCrcBytes);
  append(plain, png.first(kSignatureBytes));
  std::size_t at = kSignatureBytes;
  while (const auto chunk = next_chunk(png, at)) {
    if (chunk->kind == "IEND") break;
    if (is_needed(chunk->kind)) append_chunk(plain, chunk->kind_and_data);
  }
  append_chunk(plain, std::as_bytes(std::span("IEND"sv)));
  return plain;
}

}  // namespace penstock::convert
