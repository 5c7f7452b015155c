// What a subset keeps, as a table: made from its settings, held by the split.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "streamer/shard/split_subset.h"

namespace penstock {

class DatasetSplit;

/// The samples of a split that a subset keeps.
struct SubsetTable {
  std::vector<std::uint32_t> stored_ids;  // in the split as stored, rising
  std::string text;                       // what was kept, in one line: part of a loader's identity
};

/// Selects from `split`, which may be a subset itself.
///
/// Errors  InvalidArgument when nothing is kept; NotFound for an unknown class, naming the nearest;
///         Unsupported when a sample kept is one behind the first 2^32 of the whole split
/// Cost    reads the split's index twice
std::shared_ptr<const SubsetTable> select_samples(const DatasetSplit& split,
                                                  const SubsetConfig& config);

}  // namespace penstock
