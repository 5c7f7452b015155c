// One sample by its number, outside any loader: found here, read on request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "streamer/shard/index_record.h"

namespace penstock {

class ShardFile;

/// A sample that was found but not read. Cheap to copy; keeps its split open.
/// streamer/read/read_picture.h makes pixels of it.
///
/// Threads  const members may be called from any thread
class StoredSample {
 public:
  std::uint64_t id() const noexcept { return id_; }
  /// Size, class, codec and EXIF orientation, as the index states them.
  const IndexRecord& record() const noexcept { return record_; }
  /// For the streamer's own readers; place() names it.
  const ShardFile& shard() const noexcept { return *shard_; }
  /// Names it in messages: "SHARD: sample 12 at offset 8192".
  std::string place() const;

  /// Reads the encoded bytes (a JPEG file's, or raw pixels') and verifies their checksum.
  ///
  /// Errors  CorruptData when they are not what was written; Io
  /// Memory  the caller's, no budget's: record().length_bytes, which lies within the shard
  std::vector<std::byte> read_bytes() const;

 private:
  friend class DatasetSplit;
  StoredSample(std::uint64_t id, const IndexRecord& record, const ShardFile& shard,
               std::shared_ptr<const void> split)
      : id_(id), record_(record), shard_(&shard), split_(std::move(split)) {}

  std::uint64_t id_;
  IndexRecord record_;
  const ShardFile* shard_;
  std::shared_ptr<const void> split_;  // shared: keeps the shard open
};

}  // namespace penstock
