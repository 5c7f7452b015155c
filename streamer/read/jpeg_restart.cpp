#include "streamer/read/jpeg_restart.h"
#include "streamer/read/jpeg_marker.h"

#include <algorithm>
#include <cstring>

namespace penstock {
namespace {

using namespace jpeg;
using Bytes = std::span<const std::byte>;

constexpr std::uint32_t kBlockPx = 8;
constexpr unsigned kNumRestarts = 8;

unsigned byte_at(Bytes bytes, std::size_t at) noexcept {
  return std::to_integer<unsigned>(bytes[at]);
}

unsigned word_at(Bytes bytes, std::size_t at) noexcept {
  return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

// What a header says of how its data is divided.
struct ScanLayout {
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  unsigned num_components = 0;  // 0: no frame header yet
  unsigned sampling_x = 1;      // the largest
  unsigned sampling_y = 1;
  unsigned restart_interval = 0;  // in coded units; 0: no restart markers
  std::size_t height_at = 0;
  std::size_t data_at = 0;

  std::uint32_t unit_height_px() const noexcept { return kBlockPx * sampling_y; }
  std::uint32_t units_per_row() const noexcept {
    const std::uint32_t unit_width_px = kBlockPx * sampling_x;
    return (width_px + unit_width_px - 1) / unit_width_px;
  }
  std::uint32_t num_unit_rows() const noexcept {
    return (height_px + unit_height_px() - 1) / unit_height_px();
  }
};

bool read_frame(Bytes jpeg, std::size_t at, std::size_t length, ScanLayout& layout) noexcept {
  constexpr std::size_t kFixedBytes = 8;  // length, precision, sides, number of components
  if (layout.num_components != 0 || length < kFixedBytes) return false;
  layout.height_at = at + 3;
  layout.height_px = word_at(jpeg, at + 3);
  layout.width_px = word_at(jpeg, at + 5);
  layout.num_components = byte_at(jpeg, at + 7);
  if (layout.num_components == 0 || length != kFixedBytes + 3 * layout.num_components) return false;
  for (unsigned c = 0; c < layout.num_components; ++c) {
    const unsigned factors = byte_at(jpeg, at + kFixedBytes + 3 * c + 1);
    layout.sampling_x = std::max(layout.sampling_x, factors >> 4);
    layout.sampling_y = std::max(layout.sampling_y, factors & 15);
  }
  // The blocks of a single component are coded one by one, whatever its factors say.
  return layout.num_components > 1 || (layout.sampling_x == 1 && layout.sampling_y == 1);
}

// Nothing unless one scan holds all components in Huffman code, between restart markers.
std::optional<ScanLayout> read_layout(Bytes jpeg) noexcept {
  ScanLayout layout;
  std::size_t at = 2;  // behind SOI
  while (at + 4 <= jpeg.size()) {
    if (byte_at(jpeg, at) != 0xFF) return std::nullopt;
    const unsigned marker = byte_at(jpeg, at + 1);
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    at += 2;
    const std::size_t length = word_at(jpeg, at);  // counts its own two bytes
    if (length < 2 || jpeg.size() - at < length) return std::nullopt;
    if (marker == kSof0 || marker == kSof1) {
      if (!read_frame(jpeg, at, length, layout)) return std::nullopt;
    } else if (marker == kDri) {
      if (length != 4) return std::nullopt;
      layout.restart_interval = word_at(jpeg, at + 2);
    } else if (marker == kSos) {
      if (length < 3 || layout.num_components == 0 || layout.restart_interval == 0 ||
          byte_at(jpeg, at + 2) != layout.num_components) {
        return std::nullopt;
      }
      layout.data_at = at + length;
      return layout;
    } else if (marker != kDht && marker != kDqt && marker != kCom &&
               (marker < kApp0 || marker > kApp15)) {
      return std::nullopt;
    }
    at += length;
  }
  return std::nullopt;
}

// Walks the restart markers of a scan, which are numbered from 0 to 7 and again.
class RestartWalk {
 public:
  RestartWalk(Bytes jpeg, std::size_t data_at) noexcept : jpeg_(jpeg), at_(data_at) {}

  // Goes behind marker number `count` from the beginning; false when one is missing or out of order.
  bool pass(std::uint64_t count) noexcept {
    while (num_passed_ < count) {
      const void* const found = std::memchr(jpeg_.data() + at_, 0xFF, jpeg_.size() - at_);
      if (found == nullptr) return false;
      at_ = static_cast<std::size_t>(static_cast<const std::byte*>(found) - jpeg_.data()) + 1;
      if (at_ >= jpeg_.size()) return false;
      const unsigned next = byte_at(jpeg_, at_);
      if (next == 0xFF) continue;  // fill byte
      ++at_;
      if (next == 0) continue;  // a data byte of 0xFF
      if (next != kRst0 + num_passed_ % kNumRestarts) return false;
      ++num_passed_;
    }
    return true;
  }

  std::size_t at() const noexcept { return at_; }

 private:
  Bytes jpeg_;
  std::size_t at_;
  std::uint64_t num_passed_ = 0;
};

}  // namespace

std::optional<JpegEntry> find_jpeg_entry(Bytes jpeg, const StoredInfo& info, JpegRows rows,
                                         std::uint32_t decode_scale) noexcept {
  // The lowest row of units is 8 px: one to leave out, one to blend with.
  if (info.is_progressive || std::uint64_t{rows.begin} * decode_scale < 2 * kBlockPx) {
    return std::nullopt;
  }
  const std::optional<ScanLayout> found = read_layout(jpeg);
  if (!found) return std::nullopt;
  const ScanLayout& layout = *found;
  if (layout.width_px != info.width_px || layout.height_px != info.height_px) return std::nullopt;
  const std::uint32_t unit_rows = layout.unit_height_px() / decode_scale;
  const std::uint64_t units_per_row = layout.units_per_row();
  const auto is_entry = [&](std::uint64_t unit_row) {
    return unit_row * units_per_row % layout.restart_interval == 0;
  };
  std::uint32_t first = rows.begin / unit_rows;
  first -= std::min(first, 1u);
  while (first > 0 && !is_entry(first)) --first;
  if (first == 0) return std::nullopt;

  const std::uint64_t num_before = first * units_per_row / layout.restart_interval;
  RestartWalk walk(jpeg, layout.data_at);
  if (!walk.pass(num_before)) return std::nullopt;
  const JpegEntry entry{.skipped_px = first * layout.unit_height_px(),
                        .height_px = layout.height_px - first * layout.unit_height_px(),
                        .height_at = layout.height_at,
                        .data_at = layout.data_at,
                        .resume_at = walk.at(),
                        .first_restart = static_cast<unsigned>(num_before % kNumRestarts)};
  // libjpeg numbers markers from the entry, so those that it may meet are held against theirs here:
  // to the row of units below, with which the last row is blended.
  const std::uint64_t last = std::min<std::uint64_t>(
      (std::uint64_t{rows.begin} + rows.height - 1) / unit_rows + 2, layout.num_unit_rows());
  const std::uint64_t num_units = last * units_per_row;
  if (!walk.pass((num_units - 1) / layout.restart_interval)) return std::nullopt;
  return entry;
}

}  // namespace penstock
