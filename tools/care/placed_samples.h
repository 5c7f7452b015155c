// The samples of a shard by the records of its index, as far as these can be believed.
#pragma once

#include <stop_token>
#include <vector>

#include "tools/care/care_shard.h"
#include "tools/care/sample_run.h"
#include "tools/care/shard_check.h"

namespace penstock::care {

/// Whether a section holds by its checksum, where one is known.
struct IndexVerdict {
  bool is_index_whole = false;
  bool are_page_sums_whole = false;
};

/// Returns the samples whose records hold, by offset, none within another. Every other is damage in `check`,
/// which also gets the counts by class.
///
/// Errors  Stopped; nothing else: what cannot be read is damage
/// Memory  24 bytes a sample
std::vector<PlacedSample> place_samples(const CareShard& shard, const IndexVerdict& verdict,
                                        const std::stop_token& stop, ShardCheck& check);

}  // namespace penstock::care
