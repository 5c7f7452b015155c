// What a conversion holds, in bytes, before it starts: what a limit has to suffice for, and what it
// leaves for pictures. Knows no file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/convert/reason/reason_policies.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/write/shard_plan.h"

namespace penstock::convert {

struct ConvertMemory {
  std::uint64_t limit_bytes = 0;
  std::uint64_t list_bytes = 0;   // names, sizes, classes, plan, findings, what the manifest counts
  std::uint64_t shard_bytes = 0;  // index and names of the shard that is filled and the one before
  std::uint64_t fixed_bytes = 0;  // the program and its libraries
  std::uint64_t worker_bytes = 0;  // all threads': stack, decoder, strip, a chunk of small files
  std::uint64_t pool_bytes = 0;    // for pictures: files, coefficients, pixels, results
  /// Half the limit: follows from nothing else, so that jobs do not decide what is quarantined.
  std::uint64_t one_picture_bytes = 0;
  unsigned num_jobs = 1;  // as many as fit, at most those asked for
};

/// The least that suffices for a conversion: plan_memory() divides it for a list of up to 1,000 pictures with
/// short names.
inline constexpr std::uint64_t kLeastMemoryBytes = std::uint64_t{69} << 20;

/// What a limit leaves for the list of pictures while a source is scanned, before there is any picture.
std::uint64_t list_room_bytes(std::uint64_t limit_bytes);

/// Divides `limit_bytes`.
/// Throws OutOfMemory with the arithmetic when it leaves too little for one picture.
ConvertMemory plan_memory(std::uint64_t limit_bytes, unsigned num_jobs, const SourceScan& scan,
                          const std::vector<ShardPlan>& shards, const ReasonPolicies& policies = {},
                          bool takes_looks = false);

}  // namespace penstock::convert
