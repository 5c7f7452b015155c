#include "tools/care/names_there.h"

#include <algorithm>
#include <string>

#include "streamer/core/checksum.h"
#include "streamer/shard/shard_file.h"

namespace penstock::care {
namespace {

struct NameKey {
  std::uint64_t hash = 0;
  std::uint32_t picture_idx = 0;
};

std::vector<NameKey> keys_of(const convert::PictureList& pictures) {
  std::vector<NameKey> keys(pictures.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) keys[i] = {xxh3_64(pictures.name(i)), i};
  std::ranges::sort(keys, {}, &NameKey::hash);
  return keys;
}

}  // namespace

NamesThere find_names_there(const convert::PictureList& pictures,
                            const std::filesystem::path& dataset, const Manifest& manifest) {
  const std::vector<NameKey> keys = keys_of(pictures);
  NamesThere found{.is_there = std::vector<bool>(pictures.size())};
  for (const ManifestSplit& split : manifest.splits) {
    for (const ManifestShard& shard : split.shards) {
      const std::vector<std::string> names = ShardFile::open(dataset / shard.file).read_names();
      found.num_unnamed += names.empty()
                               ? shard.num_samples
                               : static_cast<std::uint64_t>(std::ranges::count(names, ""));
      for (const std::string& name : names) {
        for (const NameKey& key :
             std::ranges::equal_range(keys, xxh3_64(name), {}, &NameKey::hash)) {
          if (pictures.name(key.picture_idx) == name) found.is_there[key.picture_idx] = true;
        }
      }
    }
  }
  return found;
}

std::uint64_t names_there_bytes(std::uint64_t num_pictures, const Manifest& manifest) {
  // A string and, on the heap, its text; once more in the section it is read from, and its offset.
  constexpr std::uint64_t kNameBytes = 50;
  constexpr std::uint64_t kPerNameBytes = sizeof(std::string) + 16 + 2 * kNameBytes + 8;
  std::uint64_t most_names = 0;
  for (const ManifestSplit& split : manifest.splits) {
    for (const ManifestShard& shard : split.shards) {
      most_names = std::max(most_names, shard.num_samples);
    }
  }
  return num_pictures * (sizeof(NameKey) + 1) + most_names * kPerNameBytes;
}

}  // namespace penstock::care
