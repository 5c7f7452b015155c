// Writes one shard: an HDF5 file with Penstock's header in its user block. Published whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"
#include "streamer/shard/new_sample.h"

namespace penstock {

struct ShardWriterConfig {
  std::string split;                     // "train", ...
  std::vector<std::string> class_names;  // UTF-8
  std::uint64_t num_samples = 0;         // exactly so many will be added
  std::uint64_t payload_bytes = 0;       // the sum of their lengths, exactly
  bool store_names = true;               // keep source names

  void validate() const;
};

/// Writes `path`: allocates it at its exact size first, so a full disk shows before the work.
///
/// Errors    Io, AlreadyExists, InvalidArgument; on any error the temporary file is removed
/// Threads   one writer per thread; writers of several shards may work side by side
/// Reproducible  the same samples give the same file, byte for byte
class ShardWriter {
 public:
  ShardWriter(std::filesystem::path path, ShardWriterConfig config);
  ShardWriter(ShardWriter&&) noexcept;
  ~ShardWriter();  // removes the temporary file unless finish() returned

  void add(const NewSample& sample);

  /// Closes, writes the header, fsyncs, renames to `path`, fsyncs the folder.
  ManifestShard finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
