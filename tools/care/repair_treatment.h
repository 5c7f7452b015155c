// Writes what a repair keeps: shards that get their names back or are written anew, then the manifest.
#pragma once

#include <stop_token>

#include "tools/care/repair_diagnosis.h"
#include "tools/care/repair_job.h"

namespace penstock::care {

/// Shards first, the manifest last. `diagnosis` is used up: its shards get their places. The dataset must be
/// locked.
///
/// Errors  those of take_places(), rewrite_shard(), rebuild_manifest() and sum_pixels(); Io (no room)
/// Memory  the index of one shard, 8 bytes a sample
void treat(const RepairConfig& config, RepairDiagnosis& diagnosis, const CheckListener& listener,
           const std::stop_token& stop, RepairSummary& summary);

}  // namespace penstock::care
