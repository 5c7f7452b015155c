// Reads all pictures once before they are converted, for those who want copies of others left out: which
// of them go has to be known before the first shard is made. Knows no shard.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <vector>

#include "tools/convert/duplicate/copy_groups.h"
#include "tools/convert/reason/name_reasons.h"
#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

/// The copies that are not to become samples.
///
/// Memory  12 bytes each, and while they are gathered up to as much again
class DroppedCopies {
 public:
  struct Copy {
    std::uint32_t picture_idx = 0;
    std::uint32_t other_idx = 0;
    ReasonCode reason = ReasonCode::kDuplicateWithinClass;
  };

  DroppedCopies() = default;
  explicit DroppedCopies(std::vector<Copy> copies);

  const Copy* find(std::uint32_t picture_idx) const noexcept;
  std::size_t size() const noexcept { return copies_.size(); }

 private:
  std::vector<Copy> copies_;  // by picture_idx
};

/// Whether a policy leaves copies out.
bool drops_copies(const ReasonPolicies& policies);

struct CopySearchConfig {
  const PictureList* pictures = nullptr;
  const PictureSource* source = nullptr;
  const NameReasons* names = nullptr;
  ReasonPolicies policies{};
  std::filesystem::path folder{};  // for prints, while it searches
  unsigned num_jobs = 1;
  /// A larger file is left to the conversion, which refuses it.
  std::uint64_t one_picture_bytes = UINT64_MAX;
  /// Prints of a run: what is held before it is written.
  std::size_t prints_in_run = 100'000;
};

/// Finds the copies that go, by resolve_copies(). Of the same content, pictures that are quarantined for
/// their name, or because it claims another format, do not count; files that are no picture neither.
///
/// Memory  kPrintBytes for each of prints_in_run; a file for each job, at most one of them above 4 MiB
/// Errors  Io of the source or of `folder`; Stopped. A file that may not be read is passed over: the
///         conversion says so
/// Reproducible  for any number of jobs
DroppedCopies find_dropped_copies(const CopySearchConfig& config, const std::stop_token& stop);

}  // namespace penstock::convert
