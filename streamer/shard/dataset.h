// A dataset: a folder with dataset.json and shards. The door of the streamer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "streamer/core/memory_budget.h"
#include "streamer/shard/index_record.h"
#include "streamer/shard/manifest.h"
#include "streamer/shard/split_subset.h"
#include "streamer/shard/stored_sample.h"

namespace penstock {

class SampleIndex;
class ShardFile;
struct IndexForm;  // index_form.h
struct SubsetTable;

/// One split of an open dataset, or a subset of one: its shards, and its index through a few cached
/// pages unless with_index() says otherwise. Cheap to copy. Sample ids count from 0, in a subset
/// too.
///
/// Threads  const members may be called from any thread
class DatasetSplit {
 public:
  const std::string& name() const noexcept;
  /// Manifest::id of the dataset it belongs to.
  const std::string& dataset_id() const noexcept;
  /// Names of all classes of the dataset, by class index.
  const std::vector<std::string>& class_names() const noexcept;
  std::uint64_t num_samples() const noexcept;

  /// Returns what the index says of a sample, read and verified if it is not in memory.
  /// Errors  CorruptData naming shard, page and samples; Io
  IndexRecord record(std::uint64_t sample_id) const;
  /// Shows `visit` every record, in order, in constant memory. Errors as above.
  void scan_index(const IndexVisitor& visit) const;
  /// Finds one sample for random access; reads nothing yet. Throws InvalidArgument naming the
  /// range.
  StoredSample sample(std::uint64_t sample_id) const;

  /// Keeps some of the samples, in the same order. Shares the index with this split.
  ///
  /// Errors  InvalidArgument when nothing is kept; NotFound for an unknown class, naming the
  ///         nearest; Unsupported when a sample kept is one behind the first 2^32 of the whole split
  /// Cost    reads the split's index twice
  DatasetSplit subset(const SubsetConfig& config) const;
  /// What a subset keeps, in one line; empty for a whole split.
  std::string subset_text() const;
  /// The id in the whole split of a sample.
  std::uint64_t stored_id(std::uint64_t sample_id) const;

  /// Reads source names, one per sample; empty strings when left out at conversion.
  std::vector<std::string> read_names() const;
  /// Reads one of them, for messages; empty when left out or unreadable.
  std::string read_name(std::uint64_t sample_id) const;

  // What the streamer's own readers and loaders ask.

  /// The open shard that holds a sample.
  const ShardFile& shard_of(std::uint64_t sample_id) const;
  /// Samples that the index speaks of: more than num_samples() in a subset.
  std::uint64_t num_indexed() const noexcept;
  /// Open shards, those that a subset keeps nothing of included.
  std::uint64_t num_shards() const noexcept;
  /// An upper bound of what they and the manifest, its classes included, take in memory, malloc's
  /// overhead included.
  std::uint64_t shards_bytes() const noexcept;
  /// In which form the index is held.
  const IndexForm& index_form() const noexcept;
  /// Returns this split with an index of its own in another form, whose bytes it and its copies
  /// hold of `budget`; a resident one is read here.
  DatasetSplit with_index(const IndexForm& form, MemoryBudget& budget) const;
  /// Bytes that a subset's table holds, 4 for each of its samples; 0 for a whole split.
  std::uint64_t subset_bytes() const noexcept;

  /// What of a shard belongs to this split. Samples of one shard have consecutive ids.
  struct ShardPart {
    std::uint64_t num_samples = 0;  // 0 where a subset keeps none
    std::uint64_t file_bytes = 0;
  };
  /// In the order of sample ids.
  std::vector<ShardPart> shard_parts() const;

 private:
  friend class Dataset;
  struct Impl;
  std::shared_ptr<const Impl> impl_;           // shared by the copies
  std::shared_ptr<const SampleIndex> index_;   // the same: it is large
  std::shared_ptr<const SubsetTable> subset_;  // the same; empty for a whole split
};

/// An open dataset. Opening reads the manifest; the headers of a split's shards are read by
/// split(), its index by whoever asks for records.
class Dataset {
 public:
  /// Errors  NotFound; InvalidArgument when `folder` is no dataset (hint: the convert line when it
  ///         looks like a folder of pictures); CorruptData; Unsupported
  static Dataset open(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const noexcept { return folder_; }
  const Manifest& manifest() const noexcept { return *manifest_; }

  /// Opens the shards of a split. What it holds grows with their number and that of the
  /// classes (shards_bytes()), not with that of the samples.
  ///
  /// Errors  NotFound naming the splits there are; CorruptData when a shard is not the one that
  ///         the manifest names (size, uuid, count)
  DatasetSplit split(const std::string& name) const;

 private:
  std::filesystem::path folder_;
  std::shared_ptr<const Manifest> manifest_;  // shared by the copies
};

}  // namespace penstock
