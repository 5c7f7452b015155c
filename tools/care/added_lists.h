// quarantine.csv, fixed.csv and duplicates.csv of a dataset and of what joins it, as one.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>

#include "streamer/shard/manifest.h"
#include "tools/care/name_digests.h"
#include "tools/care/new_pictures.h"
#include "tools/care/old_copies.h"
#include "tools/care/refused_copies.h"

namespace penstock::care {

struct JoinedQuarantine {
  std::uint64_t num_returned = 0;  // rows of samples that are there now
  std::uint64_t num_gone = 0;      // rows that are in the list no more, those among them
};

/// Copies of old samples beside what the addition's own conversion has counted, in the order of
/// kCopyReasonOrder.
struct CopyCounts {
  using ByReason = std::array<std::uint64_t, kCopyReasonOrder.size()>;
  ByReason more{};
  ByReason gone{};       // quarantined for another reason
  ByReason near_gone{};  // the same of pictures that look alike
};

struct ListJoin {
  std::filesystem::path dataset;
  std::filesystem::path adding;
  const FoundCopies& copies;
};

/// Rows of files that have come back go, and old rows of those that are quarantined once more; those of the
/// addition come among the others, sorted by names. `added_names` are those of its samples and of its archives
/// that are whole, as lists write them. Throws Io.
JoinedQuarantine join_quarantine(const ListJoin& join, const NameDigests& added_names);

/// What a fix has cost in the addition, among what is listed; not of what was refused. Throws Io.
void join_fixed(const ListJoin& join);

/// Rows of what was found in the addition, then those of copies of old samples. Pictures that only look
/// alike are found among the new ones alone. Throws Io.
CopyCounts join_duplicates(const ListJoin& join, const NewPictures& pictures);

}  // namespace penstock::care
