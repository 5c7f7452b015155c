#include "tools/convert/image/webp_structure.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "tools/convert/image/byte_reader.h"

namespace penstock::convert {
namespace {

using namespace std::string_view_literals;
using Bytes = std::span<const std::byte>;

constexpr std::size_t kFileHeadBytes = 12;  // "RIFF", size, "WEBP"
constexpr std::size_t kChunkHeadBytes = 8;
constexpr std::size_t kFrameHeadBytes = 16;  // of ANMF

struct Chunk {
  std::string_view kind;
  Bytes data;
};

// The chunk at `at`, which moves behind it and its padding.
std::optional<Chunk> next_chunk(Bytes bytes, std::size_t& at) noexcept {
  const auto length = read_number(bytes, at + 4, 4, ByteOrder::kLittle);
  if (!length || bytes.size() - at - kChunkHeadBytes < *length) return std::nullopt;
  const Chunk chunk{{reinterpret_cast<const char*>(bytes.data()) + at, 4},
                    bytes.subspan(at + kChunkHeadBytes, *length)};
  at = std::min<std::uint64_t>(bytes.size(), at + kChunkHeadBytes + *length + (*length & 1));
  return chunk;
}

bool has_lossless_alpha(Bytes vp8l) noexcept {
  return (read_number(vp8l, 1, 4, ByteOrder::kLittle).value_or(0) >> 28 & 1) != 0;
}

bool frame_has_alpha(Bytes frame) noexcept {
  std::size_t at = 0;
  while (const auto chunk = next_chunk(frame, at)) {
    if (chunk->kind == "ALPH" || (chunk->kind == "VP8L" && has_lossless_alpha(chunk->data))) {
      return true;
    }
  }
  return false;
}

void append(std::vector<std::byte>& out, std::string_view text) {
  const Bytes bytes = std::as_bytes(std::span(text));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_number(std::vector<std::byte>& out, std::uint64_t value, int num_bytes) {
  for (int i = 0; i < num_bytes; ++i) out.push_back(static_cast<std::byte>(value >> 8 * i));
}

}  // namespace

WebpStructure read_webp_structure(Bytes webp) noexcept {
  WebpStructure found;
  const auto size = read_number(webp, 4, 4, ByteOrder::kLittle);
  found.is_cut = !size || *size + kChunkHeadBytes > webp.size();
  std::size_t at = kFileHeadBytes;
  while (const auto chunk = next_chunk(webp, at)) {
    if (chunk->kind == "VP8X" && !chunk->data.empty()) {
      const auto flags = std::to_integer<unsigned>(chunk->data[0]);
      found.is_animated = (flags & 0x02) != 0;
      found.has_alpha = (flags & 0x10) != 0;
    }
    if (chunk->kind == "VP8L" && has_lossless_alpha(chunk->data)) found.has_alpha = true;
    if (chunk->kind == "EXIF") {
      const auto mark = "Exif\0\0"sv;
      const bool is_marked = chunk->data.size() > mark.size() &&
                             std::memcmp(chunk->data.data(), mark.data(), mark.size()) == 0;
      found.exif = chunk->data.subspan(is_marked ? mark.size() : 0);
    }
    if (chunk->kind == "ICCP") found.icc = chunk->data;
    if (chunk->kind == "ANMF" && found.first_frame.empty()) found.first_frame = chunk->data;
  }
  return found;
}

std::vector<std::byte> still_webp(const WebpStructure& animated) {
  if (animated.first_frame.size() <= kFrameHeadBytes) return {};
  const Bytes head = animated.first_frame.first(kFrameHeadBytes);
  const Bytes data = animated.first_frame.subspan(kFrameHeadBytes);
  std::vector<std::byte> still;
  append(still, "RIFF");
  const std::size_t vp8x_bytes = kChunkHeadBytes + 10;
  append_number(still, 4 + vp8x_bytes + data.size(), 4);
  append(still, "WEBPVP8X");
  append_number(still, 10, 4);
  append_number(still, frame_has_alpha(data) ? 0x10 : 0, 4);
  still.insert(still.end(), head.begin() + 6, head.begin() + 12);  // its sides less one
  still.insert(still.end(), data.begin(), data.end());
  return still;
}

}  // namespace penstock::convert
