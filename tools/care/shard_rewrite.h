// Some samples of a shard into a new one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"
#include "tools/care/care_shard.h"

namespace penstock::care {

enum class StoredNames : std::uint8_t { kKept, kLeftOut };

struct ShardRewrite {
  const CareShard* from = nullptr;
  std::filesystem::path to{};  // must not exist
  std::string split{};
  std::vector<std::string> class_names{};
  /// By sample of `from`: 1 for those that go over, of which there is at least one.
  std::vector<std::uint8_t> is_kept{};
  StoredNames names = StoredNames::kKept;
};

/// Writes the new shard, whole: the same samples give the bytes that conversion gave. Every sample's
/// checksum is verified once more.
///
/// Errors  CorruptData when a sample is not what its record says; Io (no space too); AlreadyExists;
///         Stopped
/// Memory  the index and the names of the new shard, and one sample
ManifestShard rewrite_shard(const ShardRewrite& rewrite, const std::stop_token& stop);

}  // namespace penstock::care
