// Copies of old samples among what was converted to join: listed, taken out again, or the end of the
// addition, as the dataset's policies say.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

#include "streamer/shard/manifest.h"
#include "tools/care/add_job.h"
#include "tools/care/new_pictures.h"
#include "tools/care/old_copies.h"

namespace penstock::care {

struct FoundCopies {
  std::vector<OldCopy> all;
  std::uint64_t num_unnamed = 0;  // beside those, for want of names
  /// Those that the policies quarantine, as lists write their names.
  std::unordered_set<std::string> refused;
  std::vector<std::string> refused_rows;  // of quarantine.csv, without line feeds
};

struct CopyRefusal {
  const AddConfig& config;
  const convert::ReasonPolicies& policies;
  const NewPictures& pictures;
  /// The dataset that was converted from the addition. What is refused is taken out of it, and where a
  /// policy says stop, all of it is removed.
  std::filesystem::path adding;
};

/// Finds them, and takes what is refused out of `added`, the manifest of the dataset that is to join.
///
/// Errors  TooManyBad where a policy says stop; those of find_old_copies() and remove_samples()
FoundCopies refuse_copies(const CopyRefusal& refusal, Manifest& added, const std::stop_token& stop);

}  // namespace penstock::care
