#include "tools/care/picture_metadata.h"

#include <algorithm>
#include <string_view>

#include "streamer/read/jpeg_marker.h"
#include "tools/convert/image/byte_reader.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/tiff_tags.h"

namespace penstock::care {
namespace {

using convert::ByteOrder;
using convert::read_number;
using convert::read_tiff_tag;
using convert::TiffTag;

// Up to the zero byte that ends each name in its segment.
constexpr std::string_view kExif("Exif\0\0", 6);
constexpr std::string_view kXmp("http://ns.adobe.com/xap/1.0/\0", 29);
constexpr std::string_view kProfile("ICC_PROFILE\0", 12);
constexpr std::string_view kPhotoshop("Photoshop 3.0\0", 14);
constexpr std::string_view kPngSignature("\x89PNG\r\n\x1a\n", 8);

bool begins_with(std::span<const std::byte> bytes, std::string_view text) noexcept {
  return bytes.size() >= text.size() &&
         std::equal(text.begin(), text.end(), bytes.begin(),
                    [](char c, std::byte b) { return static_cast<std::byte>(c) == b; });
}

void read_exif(std::span<const std::byte> tiff, PictureMetadata& found) noexcept {
  if (convert::is_orientation_alone(tiff)) return;  // what --strip-metadata leaves
  found.has_exif = true;
  if (read_tiff_tag(tiff, TiffTag::kGpsDirectory)) found.has_gps = true;
}

void read_segment(std::uint64_t marker, std::span<const std::byte> segment,
                  PictureMetadata& found) noexcept {
  using namespace jpeg;
  if (marker == kApp1 && begins_with(segment, kExif)) {
    read_exif(segment.subspan(kExif.size()), found);
  }
  found.has_xmp = found.has_xmp || (marker == kApp1 && begins_with(segment, kXmp));
  found.has_colour_profile =
      found.has_colour_profile || (marker == kApp2 && begins_with(segment, kProfile));
  found.has_iptc = found.has_iptc || (marker == kApp13 && begins_with(segment, kPhotoshop));
  found.has_text = found.has_text || marker == kCom;
}

PictureMetadata read_jpeg(std::span<const std::byte> jpeg) noexcept {
  PictureMetadata found;
  std::uint64_t at = 2;  // behind SOI
  while (const auto mark = read_number(jpeg, at, 2, ByteOrder::kBig)) {
    const std::uint64_t marker = *mark & 0xFF;
    if (*mark >> 8 != 0xFF) return found;
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    at += 2;
    if (marker == 0x01 || (marker >= 0xD0 && marker < 0xD9)) continue;  // TEM, RSTn: stand alone
    if (marker == 0xD9 || marker == 0xDA) return found;                 // EOI, SOS
    const auto length = read_number(jpeg, at, 2, ByteOrder::kBig);      // counts its own two bytes
    if (!length || *length < 2 || jpeg.size() - at < *length) return found;
    read_segment(marker, jpeg.subspan(at + 2, *length - 2), found);
    at += *length;
  }
  return found;
}

void read_chunk(std::string_view kind, std::span<const std::byte> data,
                PictureMetadata& found) noexcept {
  if (kind == "eXIf") read_exif(data, found);
  if (kind == "iCCP") found.has_colour_profile = true;
  if (kind == "tEXt" || kind == "zTXt" || kind == "iTXt") {
    (begins_with(data, "XML:com.adobe.xmp") ? found.has_xmp : found.has_text) = true;
  }
}

PictureMetadata read_png(std::span<const std::byte> png) noexcept {
  constexpr std::uint64_t kChunkFrameBytes = 12;  // length, kind, checksum
  PictureMetadata found;
  std::uint64_t at = kPngSignature.size();
  while (const auto length = read_number(png, at, 4, ByteOrder::kBig)) {
    if (png.size() - at < kChunkFrameBytes || *length > png.size() - at - kChunkFrameBytes) break;
    const std::string_view kind(reinterpret_cast<const char*>(&png[at + 4]), 4);
    read_chunk(kind, png.subspan(at + 8, *length), found);
    if (kind == "IEND") break;
    at += kChunkFrameBytes + *length;
  }
  return found;
}

}  // namespace

PictureMetadata read_picture_metadata(std::span<const std::byte> encoded) noexcept {
  if (begins_with(encoded, kPngSignature)) return read_png(encoded);
  if (begins_with(encoded, "\xFF\xD8")) return read_jpeg(encoded);
  return {};
}

void MetadataCounts::add(const PictureMetadata& metadata) noexcept {
  num_exif += metadata.has_exif ? 1 : 0;
  num_gps += metadata.has_gps ? 1 : 0;
  num_xmp += metadata.has_xmp ? 1 : 0;
  num_iptc += metadata.has_iptc ? 1 : 0;
  num_colour_profile += metadata.has_colour_profile ? 1 : 0;
  num_text += metadata.has_text ? 1 : 0;
}

}  // namespace penstock::care
