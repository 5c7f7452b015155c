#include "tools/convert/image/jpeg_structure.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "streamer/read/jpeg_marker.h"
#include "tools/convert/image/byte_reader.h"

namespace penstock::convert {
namespace {

using namespace jpeg;
using namespace std::string_view_literals;
using Bytes = std::span<const std::byte>;

constexpr bool is_frame(unsigned marker) {
  return marker >= kSof0 && marker <= kSof15 && marker != kDht && marker != kJpg && marker != kDac;
}

bool starts_with(Bytes bytes, std::string_view mark) {
  return bytes.size() >= mark.size() && std::memcmp(bytes.data(), mark.data(), mark.size()) == 0;
}

class Walk {
 public:
  explicit Walk(Bytes jpeg) : jpeg_(jpeg) {}

  JpegStructure run(JpegExtent extent) {
    std::size_t at = 2;  // behind SOI
    while (true) {
      // Bytes that belong to nothing may stand before a marker; libjpeg passes over them.
      const void* const found =
          at < jpeg_.size() ? std::memchr(jpeg_.data() + at, 0xFF, jpeg_.size() - at) : nullptr;
      if (found == nullptr) return structure_;
      at = static_cast<std::size_t>(static_cast<const std::byte*>(found) - jpeg_.data());
      while (at < jpeg_.size() && jpeg_[at] == std::byte{0xFF}) ++at;
      if (at == jpeg_.size()) return structure_;
      const auto marker = std::to_integer<unsigned>(jpeg_[at++]);
      if (marker == kEoi) return ended(at);
      if (marker == 0 || marker == kTem || (marker >= kRst0 && marker <= kSoi)) continue;
      const auto length = read_number(jpeg_, at, 2, ByteOrder::kBig);  // counts its own two bytes
      if (!length || *length < 2 || jpeg_.size() - at < *length) return structure_;
      const Bytes segment = jpeg_.subspan(at + 2, *length - 2);
      at += *length;
      if (marker == kSos) {
        if (structure_.data_at == 0) structure_.data_at = at;
        if (extent == JpegExtent::kHeader) return structure_;
        ++structure_.num_scans;
        at = end_of_jpeg_scan(jpeg_, at);
      } else {
        add(marker, segment);
      }
    }
  }

 private:
  void add(unsigned marker, Bytes segment) {
    if (structure_.num_scans == 0) ++structure_.num_segments;
    if (marker == kDht && structure_.num_scans == 0) structure_.has_huffman_tables = true;
    if (is_frame(marker) && !structure_.has_frame()) add_frame(marker, segment);
    if (marker == kApp1 && structure_.exif.empty() && starts_with(segment, "Exif\0\0"sv)) {
      structure_.exif = segment.subspan(6);
    }
    constexpr std::size_t kIccHeaderBytes = 14;  // its mark, a number, a count
    if (marker == kApp2 && structure_.icc.empty() && starts_with(segment, "ICC_PROFILE\0"sv) &&
        segment.size() > kIccHeaderBytes) {
      structure_.icc = segment.subspan(kIccHeaderBytes);
    }
    if (marker == kApp14 && segment.size() >= 12 && starts_with(segment, "Adobe"sv)) {
      structure_.adobe_transform = std::to_integer<std::uint8_t>(segment[11]);
    }
  }

  void add_frame(unsigned marker, Bytes segment) {
    constexpr std::size_t kFrameBytes = 6;
    constexpr std::size_t kComponentBytes = 3;
    if (segment.size() < kFrameBytes) return;
    structure_.frame_marker = static_cast<std::uint8_t>(marker);
    structure_.precision_bits = std::to_integer<std::uint8_t>(segment[0]);
    structure_.height_px =
        static_cast<std::uint32_t>(read_number(segment, 1, 2, ByteOrder::kBig).value_or(0));
    structure_.width_px =
        static_cast<std::uint32_t>(read_number(segment, 3, 2, ByteOrder::kBig).value_or(0));
    structure_.num_components = std::to_integer<std::uint8_t>(segment[5]);
    const std::size_t num_there = (segment.size() - kFrameBytes) / kComponentBytes;
    const std::size_t num_read =
        std::min({num_there, structure_.components.size(), std::size_t{structure_.num_components}});
    for (std::size_t i = 0; i < num_read; ++i) {
      const Bytes one = segment.subspan(kFrameBytes + i * kComponentBytes, kComponentBytes);
      const auto factors = std::to_integer<unsigned>(one[1]);
      structure_.components[i] = {.id = std::to_integer<std::uint8_t>(one[0]),
                                  .sampling_x = static_cast<std::uint8_t>(factors >> 4),
                                  .sampling_y = static_cast<std::uint8_t>(factors & 15)};
    }
  }

  const JpegStructure& ended(std::size_t at) {
    structure_.size_bytes = at;
    const Bytes rest = jpeg_.subspan(at);
    const auto mark = "\xFF\xD8\xFF"sv;
    structure_.has_second_picture =
        std::search(rest.begin(), rest.end(), mark.begin(), mark.end(), [](std::byte b, char c) {
          return b == static_cast<std::byte>(c);
        }) != rest.end();
    return structure_;
  }

  Bytes jpeg_;
  JpegStructure structure_;
};

}  // namespace

std::size_t end_of_jpeg_scan(Bytes jpeg, std::size_t at) noexcept {
  while (at < jpeg.size()) {
    const void* const found = std::memchr(jpeg.data() + at, 0xFF, jpeg.size() - at);
    if (found == nullptr) return jpeg.size();
    at = static_cast<std::size_t>(static_cast<const std::byte*>(found) - jpeg.data());
    if (at + 1 >= jpeg.size()) return jpeg.size();
    const auto next = std::to_integer<unsigned>(jpeg[at + 1]);
    if (next == 0xFF) {
      ++at;
    } else if (next == 0 || (next >= kRst0 && next <= kRst7)) {
      at += 2;
    } else {
      return at;
    }
  }
  return at;
}

JpegStructure read_jpeg_structure(Bytes jpeg, JpegExtent extent) noexcept {
  return Walk(jpeg).run(extent);
}

}  // namespace penstock::convert
