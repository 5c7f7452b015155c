// Pictures into a dataset: from the scan to the rename that makes it appear. Prints
// nothing; whoever calls it hears of progress through an observer.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"
#include "tools/convert/bad_limit.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/source/combined_source.h"
#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/folder_scan.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/source_request.h"
#include "tools/convert/source/split_draw.h"
#include "tools/convert/table/table_columns.h"
#include "tools/convert/write/partial_folder.h"

namespace penstock::convert {

struct ConvertConfig {
  /// Whatever scan_source() knows: folders, archives, batches, tables.
  std::filesystem::path source{};
  /// Further sources; names of pictures then begin with the name of their source.
  std::vector<std::filesystem::path> more_sources{};
  std::filesystem::path dataset{};  // must not exist, unless `existing` says otherwise
  SplitRequest split{};
  LayoutRequest layout{};
  /// Table of paths and labels for a flat folder: CSV, JSON lines or a list. Empty: none.
  std::filesystem::path labels{};
  /// Columns of that table, or of a source that is a table. Empty names: found by the usual ones.
  TableRequest table{};
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
  /// JPEG of several scans whose coefficients take more, in bytes, are rewritten as baseline; 0: all.
  std::uint64_t max_coefficient_bytes = kMaxCoefficientBytes;
  /// Store JPEG without EXIF, comments, thumbnails and what lies behind the end; see strip_jpeg().
  bool strip_metadata = false;
  /// Which label of CIFAR-100 is learned; nothing: the fine one.
  std::optional<CifarLabel> label{};
  /// Other names for the classes, as class_name_file.h says. Empty: as in the source.
  std::filesystem::path class_names_file{};
  /// Names of pictures begin with that of their source even where it is the only one.
  SourceNames source_names = SourceNames::kWhereSeveral;
  /// What is done about each reason for which a file is not an ordinary picture, or a row no sample.
  ReasonPolicies policies{};
  /// What transparent pictures are laid onto.
  RgbColour background{};
  /// What is encoded anew on request: size, quality, colours, codec.
  EncodeSettings encode{};
  /// Changes what the scan found before splits are drawn: `penstock add` leaves out what a dataset has
  /// and takes over its classes. Empty: nothing.
  std::function<void(SourceScan&)> amend_scan{};
  /// With kHeader, JPEG is stored as its header says, without being decoded; no statistics then.
  CheckDepth depth = CheckDepth::kDecode;
  /// Report pictures that look alike too: whose look_hash() differs in at most so many bits, 0 to 7. Not
  /// with kHeader. Nothing: they are not looked for.
  std::optional<unsigned> near_duplicate_bits{};
  /// Limit of what the process holds above what it held at the entry of main, in bytes, at least 64 MiB.
  /// A picture that takes more than half of it is quarantined; else the result does not depend on it.
  std::uint64_t memory_bytes = 1ull << 30;
  /// Beyond it the conversion stops; what was done can be gone on with.
  BadLimit max_bad{};
  /// Pairs of arrays in place of `source`; where their channels stand.
  std::vector<ArrayFiles> arrays{};
  ChannelAxis channel_axis = ChannelAxis::kBySize;
  /// Of a dataset as source: classes to keep (empty: all), the fraction of its samples to keep, above 0 and
  /// below 1, drawn by the seed (nothing: all), and its splits.
  std::vector<std::string> classes{};
  std::optional<double> fraction{};
  DatasetSplits dataset_splits = DatasetSplits::kKept;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
  /// The part of it that is about `encode`, and what contradicts it.
  void validate_encoding() const;
};

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
  ReasonCounts reasons;                                // of all pictures, quarantined ones too
  std::uint64_t num_listed_as_fixed = 0;               // lines of fixed.csv
  SkippedFiles skipped;
  std::uint64_t num_text_skipped = 0;
  std::uint64_t num_rewritten = 0;         // of several scans, stored as baseline
  std::uint64_t num_in_several_scans = 0;  // that were to be rewritten and could not be
  std::uint64_t num_resized = 0;
  std::uint64_t num_lossy = 0;    // that show other pixels than their files
  std::uint64_t num_optimized = 0;         // of one scan, stored with restart markers
  std::uint64_t num_stripped = 0;          // of metadata
  std::uint64_t stripped_bytes = 0;
  std::uint64_t num_outside = 0;  // in no class folder
  std::uint64_t source_bytes = 0;
  std::uint64_t dataset_bytes = 0;    // shards
  std::uint64_t num_shards_kept = 0;  // that an earlier conversion had finished
  bool has_statistics = true;         // else nothing was decoded
  std::chrono::duration<double> elapsed{};
};

/// Converts. After an error or a stop, or when the process is killed, the same call goes on with the
/// shards that were finished; without any, nothing is left behind. Errors say which it is.
///
/// Errors  NotFound, InvalidArgument (no such layout), AlreadyExists (another conversion was begun
///         there, or the source has changed since), Io, OutOfMemory; CorruptData when not one picture
///         decodes; TooManyBad; Stopped
/// Reproducible  the same files and settings give the same bytes, for any number of jobs
ConvertSummary convert_folder(const ConvertConfig& config, ConvertObserver& observer,
                              const std::stop_token& stop);

}  // namespace penstock::convert
