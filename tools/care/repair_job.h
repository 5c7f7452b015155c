// Makes a damaged dataset whole again from what still holds: headers, HDF5 metadata, checksums of index
// pages and the manifest are made anew, samples that cannot be saved are dropped, and all of it is said.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/care/dataset_check.h"
#include "tools/care/manifest_rebuild.h"

namespace penstock::care {

enum class RepairMode : std::uint8_t { kRepair, kDryRun };
enum class OldFiles : std::uint8_t { kKept, kRemoved };

struct RepairConfig {
  std::filesystem::path dataset{};
  RepairMode mode = RepairMode::kRepair;
  /// What becomes of a damaged file: it is called *.damaged, or is removed.
  OldFiles old_files = OldFiles::kKept;
  /// For statistics, where those of the manifest no longer hold: the training split is decoded.
  SumLimits limits{};  // memory at least 1 MiB

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

struct RepairedShard {
  std::string file;
  std::string split;
  std::vector<std::string> damage;  // of the shard as a whole
  std::uint64_t num_kept = 0;
  std::uint64_t num_dropped = 0;
  std::string kept_as;  // the old file; empty: removed, or nothing was there
};

/// A shard that lay under another name and has its own again.
struct RenamedShard {
  std::string from;
  std::string to;
};

struct RepairSummary {
  std::vector<RepairedShard> shards;  // those that were not whole; num_kept 0: given up
  std::vector<RenamedShard> renamed;
  std::vector<Damage> dropped;     // samples, as far as they can be named
  std::vector<std::string> notes;  // of the manifest, of names and files that were left out
  /// What the old manifest knew, or may have known, and the new one does not.
  std::vector<std::string> lost_facts;
  /// Splits of which no sample is left. Without "train" there are no statistics.
  std::vector<std::string> emptied_splits;
  bool is_manifest_new = false;
  std::uint64_t num_samples = 0;  // of the dataset as it is now (or would be)
  bool is_whole() const noexcept { return shards.empty() && renamed.empty() && !is_manifest_new; }
  /// Of the shards that were not whole, as far as the manifest or they themselves say how many they had.
  std::uint64_t num_dropped() const noexcept;
};

/// Repairs. Shards get their names back (shard_places.h); new files are written beside the old ones, flushed and
/// renamed over them; the manifest is switched last. What is left passes check_dataset(). A dataset that is
/// whole is left alone. One that is killed is gone on with by the next: the files are those of an unbroken run.
///
/// Errors  NotFound, InvalidArgument (no shards at all); CorruptData when no sample can be saved, shards
///         disagree about their classes or would change splits; Unsupported when a shard is of a form that
///         is not read here (CareShard::open()); AlreadyExists (somebody changes it); Io; Stopped
/// Memory  what check_shard() says, the index of one shard, 8 bytes a sample
RepairSummary repair_dataset(const RepairConfig& config, const CheckListener& listener,
                             const std::stop_token& stop);

}  // namespace penstock::care
