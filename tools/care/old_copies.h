// Samples that are to join a dataset and are stored there already, under other names.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/convert/reason/reason_code.h"
#include "tools/convert/source/split_rule.h"

namespace penstock::care {

/// In the order in which they are told, as conversion's.
inline constexpr std::array<convert::ReasonCode, 3> kCopyReasonOrder = {
    convert::ReasonCode::kDuplicateAcrossSplits, convert::ReasonCode::kDuplicateAcrossClasses,
    convert::ReasonCode::kDuplicateWithinClass};

/// Where a sample stands.
struct CopyPlace {
  std::string name;
  convert::SplitKind split = convert::SplitKind::kTrain;
  std::uint32_t class_idx = 0;  // the same classes in both datasets
};

/// A new sample, and by reason the old one that it is a copy of: the first of test, then validation, then
/// training, within a split by class and name.
struct OldCopy {
  CopyPlace added;
  std::uint32_t length_bytes = 0;
  std::array<std::optional<CopyPlace>, kCopyReasonOrder.size()> others;
};

struct OldCopies {
  std::vector<OldCopy> named;  // in the order of the added samples
  std::uint64_t num_unnamed =
      0;  // new samples that are copies of which no list can tell, for want of names
};

struct OldCopySearch {
  std::filesystem::path dataset{};
  std::filesystem::path added{};  // the dataset that is to join
  std::uint64_t memory_bytes = 1ull << 30;
};

/// Finds them by what is stored: length and XXH3-64 of the index, then XXH3-128 of the bytes, which are
/// read of those alone. Samples of splits other than train, validation and test are passed over, and so is one
/// whose bytes are damaged.
///
/// Memory  24 bytes a new sample, at most a quarter of memory_bytes: with more new ones the index of the
///         dataset is read again for each part; one sample; what is found
/// Errors  those of Dataset::open() and split(); Io; Stopped
OldCopies find_old_copies(const OldCopySearch& search, const std::stop_token& stop);

}  // namespace penstock::care
