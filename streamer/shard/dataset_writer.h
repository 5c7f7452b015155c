// Writes a whole dataset, shards and manifest, from samples that are no files. Published whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"
#include "streamer/shard/new_sample.h"

namespace penstock {

struct DatasetWriterConfig {
  /// By class index; UTF-8, not empty, all different.
  std::vector<std::string> class_names;
  /// Encoded bytes of a shard, 1 to 64 GiB. A larger sample has a shard to itself.
  std::uint64_t shard_bytes = 64u << 20;
  /// Keeps the samples' names.
  bool store_names = true;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// Collects samples into shards and makes the folder appear, complete, with finish().
///
/// Order     samples are numbered within their split in the order of add()
/// Memory    shard_bytes for each split, and its index: about 100 bytes a sample
/// Errors    InvalidArgument leaves the writer as it was; after Io the same call may be tried again
/// Threads   one caller at a time
/// Reproducible  the same samples in the same order give the same files
class DatasetWriter {
 public:
  /// Makes FOLDER.partial, where everything lies until finish().
  ///
  /// Errors  AlreadyExists when FOLDER or FOLDER.partial is there; NotFound without their parent;
  ///         Io
  DatasetWriter(const std::filesystem::path& folder, DatasetWriterConfig config);
  DatasetWriter(DatasetWriter&&) noexcept;
  ~DatasetWriter();  // removes FOLDER.partial unless finish() returned

  /// Copies the sample; new_jpeg(), new_png() and new_raw() of streamer/read/new_picture.h describe one.
  /// `split` is "train", "validation", "test" or a name of one's own that can be part of a file's.
  void add(const std::string& split, const NewSample& sample);

  /// Writes what is left and the manifest, flushes all to the disk and renames to FOLDER.
  ///
  /// Errors  InvalidArgument without any sample; Io, also when FOLDER has appeared meanwhile
  Manifest finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
