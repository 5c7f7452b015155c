// Pictures into a dataset: from the scan to the rename that makes it appear. Prints
// nothing; whoever calls it hears of progress through an observer.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>

#include "streamer/shard/manifest.h"
#include "tools/convert/convert_config.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/source/folder_scan.h"
#include "tools/convert/write/shard_contribution.h"

namespace penstock::convert {

struct ConvertProgress {
  std::uint64_t num_files = 0;  // to be looked at
  std::uint64_t num_done = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t done_bytes = 0;
  std::uint64_t num_quarantined = 0;
  // Of these, done by an earlier conversion that this one goes on with.
  std::uint64_t num_done_before = 0;
  std::uint64_t done_before_bytes = 0;
  std::chrono::duration<double> elapsed{};
};

/// Where a conversion is, for those who want to know what it leaves behind when it ends there.
enum class ConvertPoint : std::uint8_t {
  kListed,             // the source is scanned, the shards are planned
  kFolderMade,         // DATASET.partial is there and locked
  kJournalBegun,       // and the journal names the conversion
  kShardBegun,         // a shard's file is there, at its size
  kShardFilled,        // its samples are in it
  kShardPublished,     // it has its name
  kShardJournalled,    // and a line in the journal
  kShardsDone,         // all of them
  kQuarantineWritten,  // and what was fixed with a loss, if there is any
  kManifestWritten,
  kPublished,
};

/// Hears how a conversion goes; called on the thread that called convert_folder(), but for reached().
class ConvertObserver {
 public:
  virtual ~ConvertObserver() = default;
  virtual void notice(const std::string& text) = 0;
  virtual void progress(const ConvertProgress& progress) = 0;
  /// On any thread, one at a time.
  virtual void reached(ConvertPoint) {}
};

struct ConvertSummary {
  Manifest manifest;
  std::string layout;                                  // in words
  std::map<std::string, std::uint64_t> num_by_reason;  // quarantined
  ReasonCounts reasons;       // of all pictures, also of what the scan has found
  ShardContribution counted;  // of what became of pictures, by all shards
  SkippedFiles skipped;
  std::uint64_t num_outside = 0;  // in no class folder
  std::uint64_t source_bytes = 0;
  std::uint64_t dataset_bytes = 0;          // shards
  std::uint64_t num_shards_kept = 0;        // that an earlier conversion had finished
  bool has_statistics = true;               // else nothing was decoded
  std::chrono::duration<double> elapsed{};  // scan included
};

/// Converts. After an error or a stop, or when the process is killed, the same call goes on with the
/// shards that were finished; without any, TooManyBad alone leaves a list. Errors say which it is.
///
/// Errors  NotFound, InvalidArgument (no such layout), AlreadyExists (another conversion was begun
///         there, or the source has changed since), Io, OutOfMemory; CorruptData when not one picture
///         decodes; TooManyBad; Stopped
/// Reproducible  the same files and settings give the same bytes, for any number of jobs
ConvertSummary convert_folder(const ConvertConfig& config, ConvertObserver& observer,
                              const std::stop_token& stop);

}  // namespace penstock::convert
