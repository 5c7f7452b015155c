#include "streamer/shard/sample_index.h"

#include <algorithm>
#include <utility>

namespace penstock {
namespace {

constexpr std::uint64_t kLimitShare = 8;  // an index may take an eighth of the limit
constexpr std::uint64_t kMinCachedPages = 16;
constexpr std::uint64_t kMaxCachedPages = 1024;  // 4 MiB: more seldom saves a read in random order

std::uint64_t resident_bytes(std::uint64_t num_samples) noexcept {
  const std::uint64_t bytes = num_samples * sizeof(IndexRecord);
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

}  // namespace

std::uint64_t least_index_bytes(std::uint64_t num_samples) noexcept {
  return std::min(resident_bytes(num_samples), kMinCachedPages * SampleIndex::kCachedPageBytes);
}

IndexForm choose_index_form(std::uint64_t num_samples, const MemoryRoom& room) noexcept {
  const std::uint64_t allowed = std::min(room.limit_bytes / kLimitShare, room.left_bytes);
  const std::uint64_t resident = resident_bytes(num_samples);
  if (resident <= std::max(allowed, least_index_bytes(num_samples))) return {.bytes = resident};
  const std::uint64_t num_pages =
      std::clamp(allowed / SampleIndex::kCachedPageBytes, kMinCachedPages, kMaxCachedPages);
  return {.bytes = num_pages * SampleIndex::kCachedPageBytes,
          .num_cached_pages = static_cast<std::uint32_t>(num_pages)};
}

SampleIndex::SampleIndex(std::shared_ptr<const SplitShards> shards, const IndexForm& form,
                         BudgetShare share)
    : shards_(std::move(shards)),
      form_(form),
      share_(std::move(share)),
      resident_(page_aligned_memory(),
                form.is_resident() ? resident_bytes(shards_->num_samples) : 0),
      pages_(form.num_cached_pages) {
  if (form_.is_resident()) read_all();
}

void SampleIndex::read_all() {
  auto* const records = reinterpret_cast<IndexRecord*>(resident_.data());
  for (const OpenShard& shard : shards_->shards) {
    shard.file.scan_index([&](std::uint64_t first_idx, std::span<const IndexRecord> found) {
      std::ranges::copy(found, records + shard.first_sample_id + first_idx);
    });
  }
}

std::span<const IndexRecord> SampleIndex::resident() const noexcept {
  return {reinterpret_cast<const IndexRecord*>(resident_.data()), shards_->num_samples};
}

IndexRecord SampleIndex::record(std::uint64_t sample_id) const {
  const OpenShard& shard = shards_->shard_of(sample_id);
  if (form_.is_resident()) return resident()[sample_id];
  const std::uint64_t sample_idx = sample_id - shard.first_sample_id;
  const std::uint64_t page_idx = sample_idx / kRecordsPerPage;
  const std::uint64_t split_page_idx = shard.first_page_idx + page_idx;
  CachedPage& page = pages_[split_page_idx % pages_.size()];
  const std::scoped_lock lock(page.mutex);
  if (page.page_idx != split_page_idx) {
    page.page_idx = UINT64_MAX;  // stays so when the read throws
    shard.file.read_index_page(page_idx, page.records);
    page.page_idx = split_page_idx;
  }
  return page.records[sample_idx % kRecordsPerPage];
}

void SampleIndex::scan(const IndexVisitor& visit) const {
  if (form_.is_resident()) {
    visit(0, resident());
    return;
  }
  for (const OpenShard& shard : shards_->shards) {
    shard.file.scan_index([&](std::uint64_t first_idx, std::span<const IndexRecord> records) {
      visit(shard.first_sample_id + first_idx, records);
    });
  }
}

}  // namespace penstock
