// What a conversion would do, found without writing anything: from the scan, the headers of files, and a
// few pictures decoded for the time they take.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/convert/convert_job.h"
#include "tools/convert/header_survey.h"

namespace penstock::convert {

/// Files that are decoded for an estimate of time.
inline constexpr std::uint64_t kMaxTimed = 32;
/// Short side of the resize whose gain is estimated.
inline constexpr std::uint64_t kResizeShortPx = 256;

struct DryRunClass {
  std::string name;
  std::array<std::uint64_t, kNumSplits> num_by_split{};
};

struct DryRunReport {
  std::string layout;
  std::vector<DryRunClass> classes;
  std::uint64_t num_unlabelled = 0;
  std::array<std::uint64_t, kNumSplits> num_by_split{};
  std::uint64_t num_files = 0;
  std::uint64_t source_bytes = 0;
  std::uint64_t dataset_bytes = 0;  // by estimate_disk_bytes(), as the conversion checks it
  bool is_upper_side = false;       // of it: pictures may be made anew
  std::uint64_t free_bytes = 0;     // where the dataset would lie

  std::map<std::string, std::uint64_t> findings_by_reason;  // of the scan: pictures
  SkippedFiles skipped;
  std::uint64_t num_outside = 0;                           // files in no class
  std::uint64_t num_looked_at = 0;                         // headers
  std::map<std::string, std::uint64_t> headers_by_reason;  // of those
  std::uint64_t num_text = 0;                              // of those
  std::uint64_t median_short_px = 0;                       // of the pictures among those, 0: none
  std::uint64_t median_long_px = 0;
  std::uint64_t median_width_px = 0;
  std::uint64_t median_height_px = 0;
  /// What all files would take with kResizeShortPx on the short side, by estimate_stored_bytes() of those
  /// looked at.
  std::uint64_t resized_bytes = 0;
  bool is_resized = false;  // a size is asked for: no other one is recommended

  std::uint64_t num_timed = 0;
  unsigned num_jobs = 1;
  /// Reading and decoding, at the speed of the timed ones; the disk may be slower.
  std::chrono::duration<double> estimated_time{};

  /// Whether resizing would save at least half.
  bool is_resize_worthwhile() const noexcept {
    return !is_resized && num_looked_at > 0 && median_short_px > kResizeShortPx &&
           resized_bytes <= source_bytes / 2;
  }
};

/// Refuses what convert_folder() would refuse before it writes, but for a disk that is too small.
///
/// Errors  as convert_folder()
DryRunReport dry_run(const ConvertConfig& config, ConvertObserver& observer,
                     const std::stop_token& stop);

}  // namespace penstock::convert
