// Pictures that look alike: pairs of perceptual hashes that differ in few bits, found exactly and out of core.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <stop_token>

#include "tools/convert/duplicate/look_hash.h"
#include "tools/convert/duplicate/print_runs.h"
#include "tools/convert/reason/reason_code.h"
#include "tools/convert/source/picture_list.h"

namespace penstock::convert {

/// Looks of what is stored, as look_print() makes them; sorted runs like those of kPrintsName.
inline constexpr const char* kLooksName = "journal.looks";
/// While they are searched: none outlives its use.
inline constexpr const char* kNearFirstsName = "journal.looks.firsts";
inline constexpr const char* kNearBandName = "journal.looks.band";
inline constexpr const char* kNearFoundName = "journal.looks.found";

/// The hash, big-endian, so that equal looks stand together when sorted; then the first 8 bytes of the
/// content's digest.
ContentPrint look_print(std::uint64_t look, const Digest128& content, std::uint32_t picture_idx);

/// A picture, and the one before it that looks most like it; of several, the first.
struct NearFinding {
  ReasonCode reason = ReasonCode::kNearDuplicateWithinClass;
  std::uint32_t picture_idx = 0;
  std::uint32_t other_idx = 0;
  unsigned distance_bits = 0;

  friend bool operator==(const NearFinding&, const NearFinding&) = default;
};

struct NearSearchConfig {
  const PictureList* pictures = nullptr;  // all that have looks have a split
  const PrintFile* looks = nullptr;
  std::span<const PrintRun> runs{};
  std::filesystem::path folder{};  // for files while it searches
  unsigned max_bits = kNearBits;   // at most kMaxNearBits
  /// Held before they are written.
  std::size_t prints_in_run = 100'000;
  MergeConfig merge{};
};

/// Of pictures of the same bytes the earliest alone counts (is_earlier_copy): the others are copies. Each is
/// held against those before it that differ in at most max_bits: near_duplicate_across_splits is the
/// nearest in another split, near_duplicate_across_classes in another class,
/// near_duplicate_within_class of the same split and class. Of pictures of one hash, split and class
/// those behind the first are held against that hash alone, so that many equal looks take no longer
/// than few. Calls `visit` by rising picture_idx.
///
/// Memory  20 bytes for each of prints_in_run, twice; that of merge_runs(), twice; 16 bytes for each picture of
///         those that have 16 bits of their hashes in common, or all but one; up to three times as much
///         while a vector grows
/// Disk    720 bytes a picture above 3 bits, else 80; up to 8 KB more for each that looks like others
/// Cost    pictures that have 16 bits in common are all compared with each other
/// Errors  Io, Stopped
void find_near_pairs(const NearSearchConfig& config, const std::stop_token& stop,
                     const std::function<void(const NearFinding& finding)>& visit);

}  // namespace penstock::convert
