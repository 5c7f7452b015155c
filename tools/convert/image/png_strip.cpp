#include "tools/convert/image/png_strip.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/png_chunks.h"

namespace penstock::convert {
namespace {

using namespace std::string_view_literals;

// A capital first letter: no decoder may pass over it (PNG specification, 5.4).
bool is_critical(std::string_view kind) {
  return kind[0] >= 'A' && kind[0] <= 'Z';
}

bool is_about_colours(std::string_view kind) {
  constexpr std::array kKinds{"gAMA"sv, "cHRM"sv, "sRGB"sv, "iCCP"sv, "cICP"sv,
                              "mDCV"sv, "cLLI"sv, "sBIT"sv, "bKGD"sv, "tRNS"sv};
  return std::ranges::find(kKinds, kind) != kKinds.end();
}

}  // namespace

std::optional<std::vector<std::byte>> strip_png(std::span<const std::byte> png) {
  if (png.size() < kPngSignatureBytes) return std::nullopt;
  const auto signature = png.first(kPngSignatureBytes);
  std::vector<std::byte> kept(signature.begin(), signature.end());
  kept.reserve(png.size());
  const auto keep = [&](std::span<const std::byte> bytes) {
    kept.insert(kept.end(), bytes.begin(), bytes.end());
  };
  bool has_orientation = false;
  std::size_t at = kPngSignatureBytes;
  while (const auto chunk = next_png_chunk(png, at)) {
    if (is_critical(chunk->kind) || is_about_colours(chunk->kind)) keep(chunk->whole);
    if (chunk->kind == "IEND") break;
    if (chunk->kind != "eXIf" || has_orientation) continue;
    const std::uint8_t orientation = read_tiff_orientation(chunk->data);
    has_orientation = orientation != 1;
    if (has_orientation) append_png_chunk(kept, "eXIf", orientation_tiff(orientation));
  }
  if (std::ranges::equal(kept, png)) return std::nullopt;
  return kept;
}

}  // namespace penstock::convert
