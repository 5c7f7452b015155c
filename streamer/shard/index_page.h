// Index records as bytes: 64 records a page, each page with its own checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "streamer/shard/shard_format.h"

namespace penstock {

void store_index_record(const IndexRecord& record, std::span<std::byte, sizeof(IndexRecord)> bytes);
IndexRecord load_index_record(std::span<const std::byte, sizeof(IndexRecord)> bytes);

/// What a record must agree with.
struct IndexBounds {
  std::uint64_t images_offset_bytes = 0;
  std::uint64_t images_length_bytes = 0;
  std::uint32_t num_classes = 0;
};

/// Which record is checked. Turned into text on failure only: an index has millions of them.
struct RecordPlace {
  const std::filesystem::path& shard;
  std::uint64_t sample_idx = 0;

  std::string text() const { return shard.native() + ": sample " + std::to_string(sample_idx); }
};

enum class RecordUse : std::uint8_t { kRead, kWrite };

/// Throws, naming field, expected and found: CorruptData for a record that was read,
/// InvalidArgument for one to be written. An unknown codec or status is not an error here: it fails
/// that one sample when it is decoded.
void check_index_record(const IndexRecord& record, const IndexBounds& bounds,
                        const RecordPlace& place, RecordUse use);

/// XXH3-64 of each page of `index`; the last page may be short.
std::vector<std::uint64_t> index_page_checksums(std::span<const std::byte> index);

}  // namespace penstock
