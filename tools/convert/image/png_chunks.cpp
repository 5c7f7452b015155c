#include "tools/convert/image/png_chunks.h"

#include <algorithm>
#include <array>

#include "tools/convert/image/byte_reader.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kKindBytes = 4;
constexpr std::size_t kHeadBytes = 8;  // length and kind
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

void append_number(std::vector<std::byte>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::byte>(value >> shift));
  }
}

}  // namespace

std::uint32_t png_crc(std::span<const std::byte> kind_and_data) noexcept {
  static constexpr auto kTable = crc_table();
  std::uint32_t c = 0xFFFFFFFFu;
  for (const std::byte b : kind_and_data) {
    c = kTable[(c ^ std::to_integer<std::uint32_t>(b)) & 0xFF] ^ (c >> 8);
  }
  return c ^ 0xFFFFFFFFu;
}

std::optional<PngChunk> next_png_chunk(std::span<const std::byte> png, std::size_t& at) noexcept {
  const std::size_t begin = at;
  const auto length = read_number(png, at, 4, ByteOrder::kBig);
  if (!length || png.size() - at < kHeadBytes) return std::nullopt;
  PngChunk chunk;
  chunk.kind = {reinterpret_cast<const char*>(png.data()) + at + 4, kKindBytes};
  const std::size_t there = std::min<std::uint64_t>(*length, png.size() - at - kHeadBytes);
  chunk.data = png.subspan(at + kHeadBytes, there);
  chunk.kind_and_data = png.subspan(at + 4, kKindBytes + there);
  at += kHeadBytes + there;
  const auto crc = read_number(png, at, kCrcBytes, ByteOrder::kBig);
  chunk.is_whole = there == *length && crc.has_value();
  chunk.crc = static_cast<std::uint32_t>(crc.value_or(0));
  at = std::min(png.size(), at + kCrcBytes);
  chunk.whole = png.subspan(begin, at - begin);
  return chunk;
}

void append_png_chunk(std::vector<std::byte>& png, std::string_view kind,
                      std::span<const std::byte> data) {
  append_number(png, static_cast<std::uint32_t>(data.size()));
  const std::size_t kind_at = png.size();
  const auto letters = std::as_bytes(std::span(kind));
  png.insert(png.end(), letters.begin(), letters.end());
  png.insert(png.end(), data.begin(), data.end());
  append_number(png, png_crc(std::span(png).subspan(kind_at)));
}

}  // namespace penstock::convert
