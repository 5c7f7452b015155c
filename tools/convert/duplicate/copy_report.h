// What a finished conversion says of copies: duplicates.csv, and how many there are.
#pragma once

#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/convert/duplicate/copy_search.h"
#include "tools/convert/duplicate/near_search.h"
#include "tools/convert/duplicate/print_runs.h"
#include "tools/convert/reason/reason_set.h"

namespace penstock::convert {

struct CopyReportConfig {
  const PictureList* pictures = nullptr;
  const std::vector<std::string>* class_names = nullptr;
  const PrintFile* prints = nullptr;  // of what is stored, and of copies that are not for that
  std::span<const PrintRun> runs{};
  ReasonPolicies policies{};
  const DroppedCopies* dropped = nullptr;  // what was decided before
  std::filesystem::path folder{};
  /// Looks of what is stored, to be held against each other; nothing: not asked for.
  const PrintFile* looks = nullptr;
  std::span<const PrintRun> look_runs{};
  unsigned near_bits = kNearBits;
};

/// Writes duplicates.csv into the folder, in the order of the digests, so that copies of one picture stand
/// together; then pictures that look alike, in the order of the list; no file without either. Adds
/// those that are kept to `counts`, by each of their reasons.
///
/// Memory  that of merge_runs(), and 4 bytes for each picture of the largest group; that of
///         find_near_pairs()
/// Errors  Stopped; TooManyBad for a copy whose policy is `stop`, naming both; Io, also when what is dropped is not
///         what was decided: the source has changed
void report_copies(const CopyReportConfig& config, ReasonCounts& counts,
                   const std::stop_token& stop);

}  // namespace penstock::convert
