// Where the records of a shard count from, in a file that another tool has rewritten.
#pragma once

#include <stop_token>

#include "tools/care/care_shard.h"

namespace penstock::care {

/// Sets CareShard::move_records() of a shard that is read by its HDF5 metadata: to the one of three differences
/// at which most of a few samples are what their records say. Where no record can be believed nothing is set.
///
/// Errors  Stopped; nothing else: what cannot be read counts as a sample that does not hold
void find_moved_records(CareShard& shard, const std::stop_token& stop);

}  // namespace penstock::care
