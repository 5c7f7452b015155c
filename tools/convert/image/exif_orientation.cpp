#include "tools/convert/image/exif_orientation.h"

#include <algorithm>
#include <array>
#include <optional>

#include "streamer/read/jpeg_marker.h"
#include "tools/convert/image/byte_reader.h"
#include "tools/convert/image/tiff_tags.h"

namespace penstock::convert {
namespace {

using namespace jpeg;

constexpr std::uint8_t kUpright = 1;

constexpr bool stands_alone(std::uint64_t marker) noexcept {
  return marker == kTem || (marker >= kRst0 && marker < kEoi);
}

constexpr std::array<std::byte, 6> kExifMark{std::byte{'E'}, std::byte{'x'}, std::byte{'i'},
                                             std::byte{'f'}, std::byte{0},   std::byte{0}};

// Byte order, 42, where the directory begins; one entry: tag 274, a SHORT, one of them, its value; no
// second directory.
constexpr std::array<std::uint8_t, 26> kOrientationTiff{
    'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0};
constexpr std::size_t kOrientationAt = 19;

bool is_exif(std::span<const std::byte> segment) noexcept {
  return segment.size() >= kExifMark.size() &&
         std::equal(kExifMark.begin(), kExifMark.end(), segment.begin());
}

// The first EXIF segment before the picture data, as the TIFF that it holds; empty: there is none.
std::span<const std::byte> find_exif(std::span<const std::byte> jpeg) noexcept {
  std::uint64_t at = 2;  // behind SOI
  while (true) {
    const auto mark = read_number(jpeg, at, 2, ByteOrder::kBig);
    if (!mark || *mark >> 8 != 0xFF) return {};
    const std::uint64_t marker = *mark & 0xFF;
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    at += 2;
    if (stands_alone(marker)) continue;
    if (marker == kSos || marker == kEoi) return {};
    const auto length = read_number(jpeg, at, 2, ByteOrder::kBig);  // counts its own two bytes
    if (!length || *length < 2 || jpeg.size() - at < *length) return {};
    const auto segment = jpeg.subspan(at + 2, *length - 2);
    if (marker == kApp1 && is_exif(segment)) {
      return segment.subspan(kExifMark.size());
    }
    at += *length;
  }
}

// False where the TIFF has no such value.
bool set_tiff_orientation(std::span<std::byte> tiff, std::uint8_t orientation) noexcept {
  const auto place = find_tiff_value(tiff, TiffTag::kOrientation);
  if (!place) return false;
  const auto value = tiff.subspan(place->offset_bytes, place->num_bytes);
  std::fill(value.begin(), value.end(), std::byte{0});
  (place->order == ByteOrder::kBig ? value.back() : value.front()) = std::byte{orientation};
  return true;
}

// The same of a JPEG.
bool set_exif_orientation(std::span<std::byte> jpeg, std::uint8_t orientation) noexcept {
  const auto tiff = find_exif(jpeg);
  if (tiff.empty()) return false;
  return set_tiff_orientation(
      jpeg.subspan(static_cast<std::size_t>(tiff.data() - jpeg.data()), tiff.size()), orientation);
}

// Behind the start marker, and behind JFIF's segment, which comes first where there is one (JFIF 1.02).
std::size_t place_for_exif(std::span<const std::byte> jpeg) noexcept {
  constexpr std::size_t kStartBytes = 2;
  const auto mark = read_number(jpeg, kStartBytes, 2, ByteOrder::kBig);
  const auto length = read_number(jpeg, kStartBytes + 2, 2, ByteOrder::kBig);
  const bool has_jfif = mark && *mark == (0xFF00 | kApp0) && length && *length >= 2 &&
                        jpeg.size() - kStartBytes - 2 >= *length;
  return has_jfif ? kStartBytes + 2 + static_cast<std::size_t>(*length) : kStartBytes;
}

}  // namespace

std::uint8_t read_tiff_orientation(std::span<const std::byte> tiff) noexcept {
  const auto value = read_tiff_tag(tiff, TiffTag::kOrientation);
  return value && *value >= 1 && *value <= 8 ? static_cast<std::uint8_t>(*value) : kUpright;
}

std::uint8_t read_exif_orientation(std::span<const std::byte> jpeg) noexcept {
  return read_tiff_orientation(find_exif(jpeg));
}

void set_exif_upright(std::span<std::byte> jpeg) noexcept {
  static_cast<void>(set_exif_orientation(jpeg, kUpright));
}

std::vector<std::byte> orientation_tiff(std::uint8_t orientation) {
  const auto bytes = std::as_bytes(std::span(kOrientationTiff));
  std::vector<std::byte> tiff(bytes.begin(), bytes.end());
  tiff[kOrientationAt] = std::byte{orientation};
  return tiff;
}

std::vector<std::byte> orientation_exif(std::uint8_t orientation) {
  std::vector<std::byte> exif(kExifMark.begin(), kExifMark.end());
  const std::vector<std::byte> tiff = orientation_tiff(orientation);
  exif.insert(exif.end(), tiff.begin(), tiff.end());
  return exif;
}

std::vector<std::byte> with_exif_orientation(std::span<const std::byte> jpeg,
                                             std::uint8_t orientation) {
  std::vector<std::byte> told(jpeg.begin(), jpeg.end());
  if (set_exif_orientation(told, orientation)) return told;
  const std::vector<std::byte> exif = orientation_exif(orientation);
  const std::size_t length = exif.size() + 2;
  std::vector<std::byte> segment{std::byte{0xFF}, static_cast<std::byte>(kApp1),
                                 static_cast<std::byte>(length >> 8),
                                 static_cast<std::byte>(length & 0xFF)};
  segment.insert(segment.end(), exif.begin(), exif.end());
  told.insert(told.begin() + static_cast<std::ptrdiff_t>(place_for_exif(jpeg)), segment.begin(),
              segment.end());
  return told;
}

bool is_orientation_alone(std::span<const std::byte> tiff) noexcept {
  if (tiff.size() != kOrientationTiff.size()) return false;
  for (std::size_t i = 0; i < tiff.size(); ++i) {
    if (i != kOrientationAt && tiff[i] != std::byte{kOrientationTiff[i]}) return false;
  }
  return true;
}

}  // namespace penstock::convert
