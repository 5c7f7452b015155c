// A folder of pictures into a dataset: from the scan to the rename that makes it appear. Prints
// nothing; whoever calls it hears of progress through an observer.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/folder_scan.h"
#include "tools/convert/source/source_request.h"
#include "tools/convert/write/partial_folder.h"

namespace penstock::convert {

struct ConvertConfig {
  std::filesystem::path source{};   // whatever scan_source() knows: folders, archives, batches
  std::filesystem::path dataset{};  // must not exist, unless `existing` says otherwise
  SplitRequest split{};
  /// Payload at which a shard is closed, at least 1 MiB; a larger picture has its own shard.
  std::uint64_t shard_size_bytes = 256ull << 20;
  /// Threads that read and decode; 0: one per core. Does not affect the result.
  unsigned num_jobs = 0;
  /// Larger pictures are quarantined, by their header alone.
  std::uint64_t max_px = 100'000'000;
  ExistingTarget existing = ExistingTarget::kRefuse;
  /// Keep each file's path, relative to the source.
  bool store_names = true;
  SeveralScans several_scans = SeveralScans::kKept;
  /// Which label of CIFAR-100 is learned; nothing: the fine one.
  std::optional<CifarLabel> label{};
  /// Names for labels that are numbers: one a line, or "index,name"; empty: none.
  std::filesystem::path class_names_file{};
  /// Pairs of arrays instead of `source`; where their channels stand.
  std::vector<ArrayFiles> arrays{};
  ChannelAxis channel_axis = ChannelAxis::kBySize;
  /// Of a dataset as source: classes to keep (empty: all), the fraction of its samples to keep, above 0 and
  /// below 1, drawn by the seed (nothing: all), and its splits.
  std::vector<std::string> classes{};
  std::optional<double> fraction{};
  DatasetSplits dataset_splits = DatasetSplits::kKept;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

struct ConvertProgress {
  std::uint64_t num_files = 0;  // to be looked at
  std::uint64_t num_done = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t done_bytes = 0;
  std::uint64_t num_quarantined = 0;
  std::chrono::duration<double> elapsed{};
};

/// Hears how a conversion goes; called on the thread that called convert_folder().
class ConvertObserver {
 public:
  virtual ~ConvertObserver() = default;
  virtual void notice(const std::string& text) = 0;
  virtual void progress(const ConvertProgress& progress) = 0;
};

struct ConvertSummary {
  Manifest manifest;
  std::string layout;                                  // in words
  std::map<std::string, std::uint64_t> num_by_reason;  // quarantined
  SkippedFiles skipped;
  std::uint64_t num_text_skipped = 0;
  std::uint64_t num_rewritten = 0;         // of several scans, stored as baseline
  std::uint64_t num_in_several_scans = 0;  // that were to be rewritten and could not be
  std::uint64_t num_outside = 0;           // in no class folder
  std::uint64_t source_bytes = 0;
  std::uint64_t dataset_bytes = 0;  // shards
  std::chrono::duration<double> elapsed{};
};

/// Converts. On any error, and on a stop, nothing is left of the dataset.
///
/// Errors  NotFound, InvalidArgument (no such layout), AlreadyExists, Io; CorruptData when not one
///         picture decodes; Stopped
/// Reproducible  the same files and settings give the same bytes, for any number of jobs
ConvertSummary convert_folder(const ConvertConfig& config, ConvertObserver& observer,
                              const std::stop_token& stop);

}  // namespace penstock::convert
