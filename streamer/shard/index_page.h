// Index records as bytes: 64 records a page, each page with its own checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "streamer/core/error.h"
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

/// Throws `code` naming field, expected and found: CorruptData for a record that was read,
/// InvalidArgument for one to be written. An unknown codec is not an error here: it fails that one
/// sample when it is decoded.
void check_index_record(const IndexRecord& record, const IndexBounds& bounds, ErrorCode code,
                        const std::string& where);

/// XXH3-64 of each page of `index`; the last page may be short.
std::vector<std::uint64_t> index_page_checksums(std::span<const std::byte> index);

}  // namespace penstock
