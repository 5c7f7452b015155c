#include "tools/convert/image/encode_settings.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

constexpr std::uint64_t kMinSidePx = 8;

constexpr std::array<std::pair<CodecChoice, std::string_view>, 5> kCodecs{
    {{CodecChoice::kAsFound, "as found"},
     {CodecChoice::kJpeg, "jpeg"},
     {CodecChoice::kPng, "png"},
     {CodecChoice::kRaw, "raw"},
     {CodecChoice::kAuto, "auto"}}};

std::string_view codec_name(CodecChoice codec) {
  return std::ranges::find(kCodecs, codec, [](const auto& one) { return one.first; })->second;
}

[[noreturn]] void refuse(std::string_view what, const std::string& hint) {
  throw Error(ErrorCode::kInvalidArgument, fmt::format("convert: {}", what), hint);
}

void check_range(const std::optional<std::uint64_t>& value, const char* field, std::uint64_t min,
                 std::uint64_t max, const char* hint) {
  if (!value || (*value >= min && *value <= max)) return;
  refuse(fmt::format("{}: expected {} to {}, found {}", field, min, max, *value), hint);
}

std::string text_of(const std::optional<std::uint64_t>& value) {
  return value ? std::to_string(*value) : "any";
}

std::optional<std::uint64_t> number_of(const std::map<std::string, std::string>& conversion,
                                       const char* name) {
  const auto found = conversion.find(name);
  if (found == conversion.end() || found->second == "any") return std::nullopt;
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("conversion: {}: expected a whole number or any, found '{}'", name,
                            tools::printable(text)));
  }
  return value;
}

std::uint32_t scaled(std::uint32_t side_px, std::uint64_t to, std::uint64_t from) {
  return static_cast<std::uint32_t>(std::max<std::uint64_t>((side_px * to + from / 2) / from, 1));
}

}  // namespace

bool EncodeSettings::decodes_jpeg() const {
  return resize_short_px || max_side_px || quality || grayscale || codec == CodecChoice::kRaw ||
         codec == CodecChoice::kAuto;
}

int EncodeSettings::jpeg_quality() const {
  return quality ? static_cast<int>(*quality) : kReencodeQuality;
}

void EncodeSettings::validate() const {
  check_range(resize_short_px, "resize_short", kMinSidePx, kMaxJpegSidePx, "--resize-short 256");
  check_range(max_side_px, "max_side", kMinSidePx, kMaxJpegSidePx, "--max-side 1024");
  check_range(quality, "quality", 1, 100, "--quality 90");
  if (resize_short_px && max_side_px && *max_side_px < *resize_short_px) {
    refuse(fmt::format("max_side: expected at least resize_short, {}, found {}", *resize_short_px,
                       *max_side_px),
           "the shorter side is never above the longer one: leave one of them out");
  }
  if (quality && codec == CodecChoice::kRaw) {
    refuse("quality: expected a codec with one, found raw", "leave out --quality, or --codec raw");
  }
}

std::map<std::string, std::string> EncodeSettings::names_and_values() const {
  return {{"resize_short_px", text_of(resize_short_px)},
          {"max_side_px", text_of(max_side_px)},
          {"quality", text_of(quality)},
          {"grayscale", grayscale ? "true" : "false"},
          {"codec", std::string(codec_name(codec))}};
}

std::string EncodeSettings::in_words() const {
  std::vector<std::string> words;
  if (resize_short_px) words.push_back(fmt::format("shorter side at most {} px", *resize_short_px));
  if (max_side_px) words.push_back(fmt::format("longer side at most {} px", *max_side_px));
  if (grayscale) words.emplace_back("gray");
  switch (codec) {
    case CodecChoice::kAsFound:
    case CodecChoice::kJpeg:
      if (is_asked()) words.push_back(fmt::format("JPEG of quality {}", jpeg_quality()));
      break;
    case CodecChoice::kPng:
      words.push_back(fmt::format("PNG, and JPEG of quality {}", jpeg_quality()));
      break;
    case CodecChoice::kRaw:
      words.emplace_back("bare pixels");
      break;
    case CodecChoice::kAuto:
      words.push_back(fmt::format("bare pixels up to {} px, else JPEG of quality {}",
                                  kAutoRawSidePx, jpeg_quality()));
      break;
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

EncodeSettings encode_settings_of(const std::map<std::string, std::string>& conversion) {
  EncodeSettings settings{.resize_short_px = number_of(conversion, "resize_short_px"),
                          .max_side_px = number_of(conversion, "max_side_px"),
                          .quality = number_of(conversion, "quality")};
  const auto grayscale = conversion.find("grayscale");
  settings.grayscale = grayscale != conversion.end() && grayscale->second == "true";
  const auto codec = conversion.find("codec");
  if (codec != conversion.end()) {
    const auto* const found = std::ranges::find(kCodecs, std::string_view(codec->second),
                                                [](const auto& one) { return one.second; });
    if (found == kCodecs.end()) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("conversion: codec: expected jpeg, png, raw, auto or as found, found "
                              "'{}'",
                              tools::printable(codec->second)));
    }
    settings.codec = found->first;
  }
  settings.validate();
  return settings;
}

CodecChoice parse_codec(std::string_view text, std::string_view flag) {
  for (const auto& [codec, name] : kCodecs) {
    if (codec != CodecChoice::kAsFound && text == name) return codec;
  }
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("{}: expected jpeg, png, raw or auto, found '{}'", flag, tools::printable(text)),
      fmt::format("{} auto", flag));
}

SidesPx target_sides(SidesPx stored, const EncodeSettings& settings) {
  const std::uint64_t shorter = std::min(stored.width_px, stored.height_px);
  const std::uint64_t longer = std::max(stored.width_px, stored.height_px);
  // The factor to / from, the smaller of the two that are asked for.
  std::uint64_t to = 1;
  std::uint64_t from = 1;
  if (settings.resize_short_px && *settings.resize_short_px < shorter) {
    to = *settings.resize_short_px;
    from = shorter;
  }
  if (settings.max_side_px && *settings.max_side_px * from < to * longer) {
    to = *settings.max_side_px;
    from = longer;
  }
  return {scaled(stored.width_px, to, from), scaled(stored.height_px, to, from)};
}

SidesPx sides_within(SidesPx stored, std::uint64_t max_px) {
  if (stored.num_px() <= max_px) return stored;
  const double factor =
      std::sqrt(static_cast<double>(max_px) / static_cast<double>(stored.num_px()));
  const auto side = [&](std::uint32_t side_px) {
    return static_cast<std::uint32_t>(std::max(std::floor(side_px * factor), 1.0));
  };
  SidesPx sides{side(stored.width_px), side(stored.height_px)};
  // A side of one pixel is not made smaller.
  std::uint32_t& longer = sides.width_px > sides.height_px ? sides.width_px : sides.height_px;
  if (sides.num_px() > max_px)
    longer = static_cast<std::uint32_t>(std::max<std::uint64_t>(max_px, 1));
  return sides;
}

}  // namespace penstock::convert
