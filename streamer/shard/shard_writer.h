// Writes one shard: an HDF5 file with Penstock's header in its user block. Published whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"
#include "streamer/shard/shard_format.h"

namespace penstock {

struct ShardWriterConfig {
  std::string split;                     // "train", ...
  std::vector<std::string> class_names;  // UTF-8
  std::uint64_t num_samples = 0;         // exactly so many will be added
  std::uint64_t payload_bytes = 0;       // the sum of their lengths, exactly
  bool store_names = true;               // keep source names

  void validate() const;
};

/// One sample to be stored. offset_bytes, xxh3 and length_bytes of `record` are filled by the
/// writer; `name` is the path relative to the source, as bytes.
struct NewSample {
  std::span<const std::byte> encoded;
  IndexRecord record = {};
  std::string name = {};
  /// What decoding it at scale 1 takes beside the pixels, for the manifest; 0 when not known.
  std::uint64_t decode_scratch_bytes = 0;
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
