#include "streamer/shard/index_page.h"

#include <algorithm>
#include <cstring>

#include "streamer/core/batch.h"
#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/little_endian.h"
#include "streamer/shard/damaged_data.h"

namespace penstock {
namespace {

struct Demand {
  const RecordPlace& place;
  RecordUse use;

  void within(const char* field, std::uint64_t value, std::uint64_t low, std::uint64_t high) const {
    if (value < low || value > high) [[unlikely]]
      refuse(field, value, low, high);
  }

 private:
  // Apart from within(), of which a record has nine: an index has millions of them.
  [[noreturn, gnu::noinline]] void refuse(const char* field, std::uint64_t value, std::uint64_t low,
                                          std::uint64_t high) const {
    const std::string what = std::string(field) + ": expected " + std::to_string(low) + " to " +
                             std::to_string(high) + ", found " + std::to_string(value);
    if (use == RecordUse::kRead) {
      throw Error(ErrorCode::kCorruptData, "shard: " + place.text() + ": " + what,
                  shard_damage_hint(place.shard));
    }
    throw Error(ErrorCode::kInvalidArgument, "shard: " + place.text() + ": " + what);
  }
};

}  // namespace

void store_index_record(const IndexRecord& record,
                        std::span<std::byte, sizeof(IndexRecord)> bytes) {
  store_le(record.offset_bytes, &bytes[0]);
  store_le(record.xxh3, &bytes[8]);
  store_le(record.length_bytes, &bytes[16]);
  store_le(record.class_idx, &bytes[20]);
  store_le(record.width_px, &bytes[24]);
  store_le(record.height_px, &bytes[28]);
  const std::uint8_t singles[] = {record.codec,        record.orientation, record.status,
                                  record.flags,        record.components,  record.subsampling_x,
                                  record.subsampling_y};
  std::memcpy(&bytes[32], singles, sizeof singles);
  std::memcpy(&bytes[39], record.reserved, sizeof record.reserved);
}

IndexRecord load_index_record(std::span<const std::byte, sizeof(IndexRecord)> bytes) {
  const auto single = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  IndexRecord record{.offset_bytes = load_le<std::uint64_t>(&bytes[0]),
                     .xxh3 = load_le<std::uint64_t>(&bytes[8]),
                     .length_bytes = load_le<std::uint32_t>(&bytes[16]),
                     .class_idx = load_le<std::uint32_t>(&bytes[20]),
                     .width_px = load_le<std::uint32_t>(&bytes[24]),
                     .height_px = load_le<std::uint32_t>(&bytes[28]),
                     .codec = single(32),
                     .orientation = single(33),
                     .status = single(34),
                     .flags = single(35),
                     .components = single(36),
                     .subsampling_x = single(37),
                     .subsampling_y = single(38)};
  std::memcpy(record.reserved, &bytes[39], sizeof record.reserved);
  return record;
}

void check_index_record(const IndexRecord& record, const IndexBounds& bounds,
                        const RecordPlace& place, RecordUse use) {
  const Demand demand{place, use};
  demand.within("length_bytes", record.length_bytes, 1, bounds.images_length_bytes);
  // No overflow: /images lies within the file, and the record is no longer than it.
  demand.within("offset_bytes", record.offset_bytes, bounds.images_offset_bytes,
                bounds.images_offset_bytes + bounds.images_length_bytes - record.length_bytes);
  if (record.class_idx != kUnlabelled) {
    demand.within("class_idx", record.class_idx, 0, bounds.num_classes - 1);
  }
  demand.within("width_px", record.width_px, 1, kMaxSidePx);
  demand.within("height_px", record.height_px, 1, kMaxSidePx);
  demand.within("orientation", record.orientation, 1, 8);
  demand.within("components", record.components, 1, 4);
  demand.within("subsampling_x", record.subsampling_x, 1, 4);
  demand.within("subsampling_y", record.subsampling_y, 1, 4);
}

std::vector<std::uint64_t> index_page_checksums(std::span<const std::byte> index) {
  std::vector<std::uint64_t> checksums;
  for (std::size_t at = 0; at < index.size(); at += kIndexPageBytes) {
    checksums.push_back(xxh3_64(index.subspan(at, std::min(kIndexPageBytes, index.size() - at))));
  }
  return checksums;
}

}  // namespace penstock
