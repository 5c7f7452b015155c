// Prints of pictures on the disk while a conversion runs: a sorted run for each shard, so that they take
// memory for one shard alone. Merged at the end, however many there are. README.md describes the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "streamer/core/file.h"
#include "tools/convert/duplicate/content_print.h"

namespace penstock::convert {

inline constexpr const char* kPrintsName = "journal.prints";
/// Prints of a search that comes first, and runs while they are merged: neither outlives its use.
inline constexpr const char* kSearchPrintsName = "journal.prints.search";
inline constexpr const char* kMergedPrintsName = "journal.prints.merged";
/// Digest, then the place in the list as u32, little-endian.
inline constexpr std::size_t kPrintBytes = 20;

/// A sorted run as it lies in its file.
struct PrintRun {
  std::uint64_t begin_bytes = 0;
  std::uint64_t end_bytes = 0;
  std::uint64_t xxh3 = 0;

  friend bool operator==(const PrintRun&, const PrintRun&) = default;
};

/// Threads  sync() from any; all else from one
class PrintFile {
 public:
  /// Goes on behind `kept_bytes` of the file `name` in `folder`, or makes it. Throws Io.
  PrintFile(const std::filesystem::path& folder, const char* name, std::uint64_t kept_bytes);

  /// Adds to the run that is open.
  void add(const ContentPrint& print) { open_.push_back(print); }
  std::size_t num_open() const noexcept { return open_.size(); }
  /// Sorts and writes the open run; the next print is another's. Throws Io.
  PrintRun end_run();
  /// What was closed lasts when the call returns. Throws Io.
  void sync() const;
  /// Whether a run is what it was. Throws Io.
  bool is_intact(const PrintRun& run) const;

  const std::filesystem::path& path() const noexcept { return path_; }
  const UniqueFd& file() const noexcept { return file_; }

 private:
  std::filesystem::path path_;
  UniqueFd file_;
  std::vector<ContentPrint> open_;
  std::uint64_t written_bytes_ = 0;
};

struct MergeConfig {
  /// Runs that are merged at once; more are merged in rounds, through a file beside. At least 2.
  std::size_t max_runs = 64;
  /// Read at a time of each.
  std::size_t block_bytes = 64u << 10;
};

/// Calls `visit` with each print of all runs, sorted.
///
/// Memory  max_runs blocks, and one to write
/// Disk    with more than max_runs runs, as much again as they take; in `folder`, gone at the end
/// Errors  Io
void merge_runs(const PrintFile& prints, std::span<const PrintRun> runs,
                const std::filesystem::path& folder, const MergeConfig& config,
                const std::function<void(const ContentPrint& print)>& visit);

/// The same, with the pictures of one content at once; only those that have company.
///
/// Memory  4 bytes for each picture of the largest group besides
void visit_groups(const PrintFile& prints, std::span<const PrintRun> runs,
                  const std::filesystem::path& folder, const MergeConfig& config,
                  const std::function<void(std::vector<std::uint32_t>& picture_idxs)>& visit);

}  // namespace penstock::convert
