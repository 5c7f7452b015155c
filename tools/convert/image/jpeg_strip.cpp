#include "tools/convert/image/jpeg_strip.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "streamer/read/jpeg_marker.h"
#include "tools/convert/image/byte_reader.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/jpeg_structure.h"

namespace penstock::convert {
namespace {

using namespace jpeg;
using namespace std::string_view_literals;
using Bytes = std::span<const std::byte>;

bool starts_with(Bytes bytes, std::string_view mark) {
  return bytes.size() >= mark.size() && std::memcmp(bytes.data(), mark.data(), mark.size()) == 0;
}

class Strip {
 public:
  explicit Strip(Bytes jpeg) : jpeg_(jpeg), orientation_(read_exif_orientation(jpeg)) {
    kept_.reserve(jpeg.size());
  }

  std::optional<std::vector<std::byte>> run() {
    copy(0, 2);  // SOI
    std::size_t at = 2;
    bool has_ended = false;
    while (!has_ended) {
      // Bytes that belong to nothing may stand before a marker; libjpeg passes over them.
      const void* const found =
          at < jpeg_.size() ? std::memchr(jpeg_.data() + at, 0xFF, jpeg_.size() - at) : nullptr;
      if (found == nullptr) break;
      at = static_cast<std::size_t>(static_cast<const std::byte*>(found) - jpeg_.data());
      while (at < jpeg_.size() && jpeg_[at] == std::byte{0xFF}) ++at;
      if (at == jpeg_.size()) break;
      const auto marker = std::to_integer<unsigned>(jpeg_[at++]);
      has_ended = marker == kEoi;
      if (has_ended) put_marker(kEoi);
      if (marker == 0 || marker == kTem || (marker >= kRst0 && marker <= kEoi)) continue;
      const auto length = read_number(jpeg_, at, 2, ByteOrder::kBig);  // counts its own two bytes
      if (!length || *length < 2 || jpeg_.size() - at < *length) break;
      add_segment(marker, jpeg_.subspan(at + 2, *length - 2));
      at += *length;
      if (marker != kSos) continue;
      has_scan_ = true;
      const std::size_t end = end_of_jpeg_scan(jpeg_, at);
      copy(at, end);
      at = end;
    }
    if (!has_scan_ || std::ranges::equal(kept_, jpeg_)) return std::nullopt;
    return std::move(kept_);
  }

 private:
  void copy(std::size_t begin, std::size_t end) {
    kept_.insert(kept_.end(), jpeg_.begin() + static_cast<std::ptrdiff_t>(begin),
                 jpeg_.begin() + static_cast<std::ptrdiff_t>(end));
  }

  void put_marker(unsigned marker) {
    kept_.push_back(std::byte{0xFF});
    kept_.push_back(static_cast<std::byte>(marker));
  }

  void put_segment(unsigned marker, Bytes content) {
    const std::size_t length = content.size() + 2;
    put_marker(marker);
    kept_.push_back(static_cast<std::byte>(length >> 8));
    kept_.push_back(static_cast<std::byte>(length & 0xFF));
    kept_.insert(kept_.end(), content.begin(), content.end());
  }

  void add_segment(unsigned marker, Bytes content) {
    if (marker >= kApp0 && marker <= kApp15) {
      add_application_segment(marker, content);
    } else if (marker != kCom) {
      put_segment(marker, content);
    }
  }

  void add_application_segment(unsigned marker, Bytes content) {
    // Version, unit and density follow the mark, then the sides of a thumbnail and its pixels.
    constexpr std::size_t kJfifBytes = 14;
    constexpr std::size_t kAdobeBytes = 12;  // mark, version, two flags, colour transform
    if (marker == kApp0 && starts_with(content, "JFIF\0"sv) && content.size() >= kJfifBytes) {
      std::vector<std::byte> jfif(content.begin(), content.begin() + kJfifBytes);
      jfif[kJfifBytes - 2] = jfif[kJfifBytes - 1] = std::byte{0};
      put_segment(marker, jfif);
    } else if (marker == kApp14 && starts_with(content, "Adobe"sv) &&
               content.size() >= kAdobeBytes) {
      put_segment(marker, content.first(kAdobeBytes));
    } else if (marker == kApp1 && starts_with(content, "Exif\0\0"sv)) {
      put_orientation();
    } else if (marker == kApp2 && starts_with(content, "ICC_PROFILE\0"sv)) {
      put_segment(marker, content);
    }
  }

  void put_orientation() {
    if (has_orientation_ || orientation_ == 1) return;
    has_orientation_ = true;
    put_segment(kApp1, orientation_exif(orientation_));
  }

  Bytes jpeg_;
  std::uint8_t orientation_;
  bool has_orientation_ = false;
  bool has_scan_ = false;
  std::vector<std::byte> kept_;
};

}  // namespace

std::optional<std::vector<std::byte>> strip_jpeg(Bytes jpeg) {
  constexpr std::size_t kStartBytes = 2;
  return jpeg.size() < kStartBytes ? std::nullopt : Strip(jpeg).run();
}

}  // namespace penstock::convert
