#include "streamer/shard/stored_sample.h"

#include "streamer/core/checksum.h"
#include "streamer/shard/damaged_data.h"
#include "streamer/shard/shard_file.h"

namespace penstock {

std::string StoredSample::place() const {
  return shard_->path().native() + ": sample " + std::to_string(id_) + " at offset " +
         std::to_string(record_.offset_bytes);
}

std::vector<std::byte> StoredSample::read_bytes() const {
  std::vector<std::byte> bytes(record_.length_bytes);
  shard_->read_sample(record_, bytes);
  const std::uint64_t found = xxh3_64(bytes);
  if (found != record_.xxh3) {
    throw Error(
        ErrorCode::kCorruptData,
        "shard: " + place() + ": checksum: expected " + hex(record_.xxh3) + ", found " + hex(found),
        shard_damage_hint(shard_->path()));
  }
  return bytes;
}

}  // namespace penstock
