// What a user asked to have encoded anew: sizes, quality, colours, codec. Knows no file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::convert {

/// The longest side that libjpeg writes (JPEG_MAX_DIMENSION in jmorecfg.h).
inline constexpr std::uint32_t kMaxJpegSidePx = 65500;
/// Quality of whatever has to be re-encoded.
inline constexpr int kReencodeQuality = 95;

/// As what pictures are stored.
enum class CodecChoice : std::uint8_t {
  kAsFound,  // JPEG and bare pixels as they are, other formats as JPEG
  kJpeg,     // all as JPEG
  kPng,   // JPEG as it is; PNG as its own bytes where the loader shows them so, and what else has
          // lost nothing yet, as PNG
  kRaw,   // all as bare pixels
  kAuto,  // as bare pixels at or below kAutoRawSidePx, else as JPEG
};

/// The longer side up to which CodecChoice::kAuto stores bare pixels.
inline constexpr std::uint32_t kAutoRawSidePx = 64;

struct SidesPx {
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;

  std::uint64_t num_px() const noexcept { return std::uint64_t{width_px} * height_px; }
  friend bool operator==(const SidesPx&, const SidesPx&) = default;
};

struct EncodeSettings {
  /// The shorter side of pictures whose shorter side is longer, 8 to 65500 px; nothing: any.
  std::optional<std::uint64_t> resize_short_px{};
  /// The longer side of pictures whose longer side is longer, 8 to 65500 px; nothing: any.
  std::optional<std::uint64_t> max_side_px{};
  /// JPEG quality of what is encoded, 1 to 100, as libjpeg counts. A JPEG whose own quantisation is
  /// finer is encoded anew for it. Nothing: kReencodeQuality, and none is.
  std::optional<std::uint64_t> quality{};
  /// One channel: the luma.
  bool grayscale = false;
  CodecChoice codec = CodecChoice::kAsFound;

  /// Whether anything is other than by default.
  bool is_asked() const { return *this != EncodeSettings{}; }
  /// Whether a JPEG may have to be decoded for it.
  bool decodes_jpeg() const;
  int jpeg_quality() const;

  /// Throws InvalidArgument naming the field, its value and the range, or what contradicts what.
  void validate() const;

  /// By name, for the manifest; understood by encode_settings_of().
  std::map<std::string, std::string> names_and_values() const;
  /// "shorter side at most 256 px, JPEG of quality 90"; empty where nothing is asked for.
  std::string in_words() const;

  friend bool operator==(const EncodeSettings&, const EncodeSettings&) = default;
};

/// Reads names_and_values() back; what is not there is as by default.
/// Throws InvalidArgument for a value that it did not write.
EncodeSettings encode_settings_of(const std::map<std::string, std::string>& conversion);

/// Reads jpeg, png, raw or auto. Throws InvalidArgument naming `flag`.
CodecChoice parse_codec(std::string_view text, std::string_view flag);

/// What a picture's sides become: never more than they are. EXIF orientation changes nothing about it.
/// Throws nothing; sides are rounded to the nearest pixel, at least 1.
SidesPx target_sides(SidesPx stored, const EncodeSettings& settings);

/// The sides of the largest picture of the same shape that has no more than `max_px`.
SidesPx sides_within(SidesPx stored, std::uint64_t max_px);

}  // namespace penstock::convert
