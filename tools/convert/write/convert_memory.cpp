#include "tools/convert/write/convert_memory.h"

#include <fmt/core.h>

#include <algorithm>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "tools/convert/duplicate/copy_search.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/write/picture_chunks.h"
#include "tools/convert/write/shard_contribution.h"

namespace penstock::convert {
namespace {

// Measured with one small picture of each format: pages of the program, its codecs and HDF5
// that are touched, and the heap's own slack. Held by the test convert_rss.
constexpr std::uint64_t kFixedBytes = 28u << 20;
// A chunk read ahead of its turn, the strip, the scratch that a decoder keeps, heap arena and stack.
constexpr std::uint64_t kPerWorkerBytes = kChunkBytes + kStripBytes + (4u << 20) + (1u << 20);

// Plan: a place and, while it is sorted, a key. Manifest: two sides, and once more for the median; of one
// that is quarantined the place of its row instead.
constexpr std::uint64_t kPlanPerPictureBytes = 4 + 16 + 16;
// Record and name offset, and once more as bytes; name twice; print. Held by two shards.
std::uint64_t shard_bytes_of(const PictureList& pictures, const ShardPlan& shard,
                             std::uint64_t looks_bytes) {
  std::uint64_t bytes = 64u << 10;
  for (const std::uint32_t picture_idx : shard.pictures) {
    bytes += 64 + 2 * 8 + kPrintBytes + looks_bytes + 2 * (pictures.name(picture_idx).size() + 1);
  }
  return bytes;
}

// Name, plan, and what it contributes: counts of every reason.
constexpr std::uint64_t kPerShardBytes = 1024 + sizeof(ShardContribution);

std::uint64_t findings_bytes(const SourceScan& scan) {
  std::uint64_t bytes = scan.findings.capacity() * sizeof(QuarantineEntry);
  for (const QuarantineEntry& entry : scan.findings) {
    bytes += entry.path.capacity() + entry.detail.capacity() + 32;  // on the heap
  }
  for (const std::string& name : scan.unreadable) bytes += sizeof name + name.capacity() + 16;
  return bytes;
}

std::uint64_t classes_bytes(const std::vector<std::string>& class_names) {
  constexpr std::uint64_t kPerClassBytes =
      200;  // names and counts by split, here and in the manifest
  std::uint64_t widest = 0;
  std::uint64_t bytes = 0;
  for (const std::string& name : class_names) {
    bytes += kPerClassBytes + 4 * name.size();
    widest = std::max<std::uint64_t>(widest, name.size());
  }
  return bytes + 2 * widest * class_names.size();
}

}  // namespace

std::uint64_t list_room_bytes(std::uint64_t limit_bytes) {
  return limit_bytes > kFixedBytes ? limit_bytes - kFixedBytes : 0;
}

ConvertMemory plan_memory(std::uint64_t limit_bytes, unsigned num_jobs, const SourceScan& scan,
                          const std::vector<ShardPlan>& shards, const ReasonPolicies& policies,
                          bool takes_looks) {
  // They are searched when pictures take nothing any more: half of the limit, and so more than a list, which
  // takes more than 48 bytes a picture. Held by the test near_search_memory.
  const std::uint64_t looks_bytes = takes_looks ? kPrintBytes : 0;
  // Every picture could be a copy that goes, and a vector of them grows by doubling.
  const std::uint64_t per_copy_bytes = drops_copies(policies) ? 2 * sizeof(DroppedCopies::Copy) : 0;
  const PictureList& pictures = scan.pictures;
  ConvertMemory memory{
      .limit_bytes = limit_bytes,
      .list_bytes = pictures.memory_bytes() + pictures.size() * kPlanPerPictureBytes +
                    shards.size() * kPerShardBytes + classes_bytes(scan.class_names) +
                    pictures.size() * per_copy_bytes + findings_bytes(scan) + scan.held_bytes +
                    (scan.source ? scan.source->memory_bytes() : 0),
      .fixed_bytes = kFixedBytes,
      .one_picture_bytes = limit_bytes / 2};
  for (const ShardPlan& shard : shards) {
    memory.shard_bytes =
        std::max(memory.shard_bytes, 2 * shard_bytes_of(pictures, shard, looks_bytes));
  }
  const std::uint64_t needed_bytes = memory.list_bytes + memory.shard_bytes + memory.fixed_bytes +
                                     memory.one_picture_bytes + kPerWorkerBytes;
  if (needed_bytes > limit_bytes) {
    const std::uint64_t least_bytes =
        2 * (memory.list_bytes + memory.shard_bytes + memory.fixed_bytes + kPerWorkerBytes);
    throw Error(
        ErrorCode::kOutOfMemory,
        fmt::format("memory: limit: expected at least {} (half of it for pictures; {} for a list "
                    "of {} pictures, {} for the index of a shard, {} for the program and a "
                    "thread), found {}",
                    format_bytes(least_bytes), format_bytes(memory.list_bytes), pictures.size(),
                    format_bytes(memory.shard_bytes), format_bytes(kFixedBytes + kPerWorkerBytes),
                    format_bytes(limit_bytes)),
        fmt::format("--memory {}M", (least_bytes >> 20) + 1));
  }
  const std::uint64_t left_bytes = limit_bytes - needed_bytes;
  memory.num_jobs =
      static_cast<unsigned>(std::min<std::uint64_t>(num_jobs, 1 + left_bytes / kPerWorkerBytes));
  memory.worker_bytes = memory.num_jobs * kPerWorkerBytes;
  memory.pool_bytes = limit_bytes - memory.list_bytes - memory.shard_bytes - memory.fixed_bytes -
                      memory.worker_bytes;
  return memory;
}

}  // namespace penstock::convert
