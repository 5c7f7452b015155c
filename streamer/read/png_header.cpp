#include "streamer/read/png_header.h"

#include <cstring>
#include <string_view>

namespace penstock {
namespace {

// Signature, then length and name of the first chunk.
constexpr std::string_view kBegin("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", 16);
constexpr std::size_t kWidthAt = 16;
constexpr std::size_t kHeightAt = 20;
constexpr std::size_t kColorTypeAt = 25;
constexpr std::size_t kInterlaceAt = 28;
constexpr std::size_t kHeaderBytes = 29;
constexpr std::uint8_t kColorBit = 2;  // of the colour type; a palette has it too

std::uint32_t load_big_endian(std::span<const std::byte> bytes, std::size_t at) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

}  // namespace

Result<PngHeader> read_png_header(std::span<const std::byte> encoded) noexcept {
  if (encoded.size() < kHeaderBytes ||
      std::memcmp(encoded.data(), kBegin.data(), kBegin.size()) != 0) {
    return SampleFault(SampleStatus::kDecodeFailed, "Not a PNG file");
  }
  const bool has_color = (static_cast<std::uint8_t>(encoded[kColorTypeAt]) & kColorBit) != 0;
  return PngHeader{.width_px = load_big_endian(encoded, kWidthAt),
                   .height_px = load_big_endian(encoded, kHeightAt),
                   .components = static_cast<std::uint8_t>(has_color ? 3 : 1),
                   .is_interlaced = encoded[kInterlaceAt] != std::byte{0}};
}

}  // namespace penstock
