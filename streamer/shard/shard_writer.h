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

/// What the sizes in a ShardWriterConfig are.
enum class ShardSizes {
  kExact,     // what will be added, to the byte
  kEstimate,  // what space is reserved for at first; what is added decides
};

struct ShardWriterConfig {
  std::string split;                     // "train", ...
  std::vector<std::string> class_names;  // UTF-8
  std::uint64_t num_samples = 0;         // so many will be added
  std::uint64_t payload_bytes = 0;       // the sum of their lengths
  bool store_names = true;               // keep source names
  ShardSizes sizes = ShardSizes::kExact;

  void validate() const;
};

/// Writes `path`: allocates it at its size first, so a full disk shows before the work. An estimate
/// is extended in steps where it does not suffice, and what is left of it is given back at the end:
/// the file is the same.
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
  std::uint64_t num_added() const noexcept;

  /// Closes, writes the header, fsyncs, renames to `path`, fsyncs the folder.
  ManifestShard finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
