#include "tools/care/moved_records.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "streamer/core/error.h"

namespace penstock::care {
namespace {

std::vector<IndexRecord> read_page_that_holds(const CareShard& shard, std::uint64_t page) {
  try {
    std::uint64_t found = 0;
    std::vector<IndexRecord> records = shard.read_index_page(page, found);
    if (shard.read_page_sum(page) == found) return records;
  } catch (const Error&) {  // place_samples() tells it
  }
  return {};
}

// Of pages that hold: the lowest, the highest, and a few between them.
std::vector<IndexRecord> records_to_try(const CareShard& shard, const std::stop_token& stop) {
  constexpr std::uint64_t kNumBetween = 6;
  std::vector<IndexRecord> few;
  IndexRecord lowest;
  IndexRecord highest;
  bool has_any = false;
  const std::uint64_t step = shard.num_index_pages() / kNumBetween + 1;
  for (std::uint64_t page = 0; page < shard.num_index_pages(); ++page) {
    if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: check: on request");
    const std::vector<IndexRecord> records = read_page_that_holds(shard, page);
    for (const IndexRecord& record : records) {
      if (!has_any || record.offset_bytes < lowest.offset_bytes) lowest = record;
      if (!has_any || record.offset_bytes > highest.offset_bytes) highest = record;
      has_any = true;
    }
    if (!records.empty() && page % step == 0) few.push_back(records[records.size() / 2]);
  }
  if (has_any) few.insert(few.end(), {lowest, highest});
  return few;
}

// Samples whose bytes are what their records say, as records count now.
std::uint64_t count_held(const CareShard& shard, const std::vector<IndexRecord>& records) {
  const ShardPart& images = *shard.find("images");
  std::vector<std::byte> bytes;
  std::uint64_t num_held = 0;
  for (const IndexRecord& record : records) {
    const std::uint64_t at = shard.offset_of(record) - images.offset_bytes;
    if (at > images.length_bytes || record.length_bytes > images.length_bytes - at) continue;
    try {
      shard.read_sample(record, bytes);
      ++num_held;
    } catch (const Error&) {
      continue;  // check_shard() tells it
    }
  }
  return num_held;
}

}  // namespace

// A rewritten file has /images elsewhere, whole. Where records count from is told by the first sample of
// those whose pages hold, or by the last; the file may also be as it was. Samples decide which.
void find_moved_records(CareShard& shard, const std::stop_token& stop) {
  const std::vector<IndexRecord> records = records_to_try(shard, stop);
  if (records.empty()) return;
  const ShardPart& images = *shard.find("images");
  const auto end_of = [](const IndexRecord& record) {
    return record.offset_bytes + record.length_bytes;
  };
  const std::uint64_t lowest =
      std::ranges::min(records, {}, &IndexRecord::offset_bytes).offset_bytes;
  const std::uint64_t highest = end_of(std::ranges::max(records, {}, end_of));
  std::uint64_t best_num = 0;
  std::uint64_t best = images.offset_bytes - lowest;
  for (const std::uint64_t difference :
       {best, std::uint64_t{0}, images.offset_bytes + images.length_bytes - highest}) {
    shard.move_records(difference);
    const std::uint64_t num_held = count_held(shard, records);
    if (num_held > best_num) {
      best_num = num_held;
      best = difference;
    }
  }
  shard.move_records(best);
}

}  // namespace penstock::care
