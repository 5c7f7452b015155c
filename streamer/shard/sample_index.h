// The index of one split as somebody holds it: all records in memory, or a few pages of them.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "streamer/core/host_memory.h"
#include "streamer/core/memory_budget.h"
#include "streamer/shard/index_form.h"
#include "streamer/shard/split_shards.h"

namespace penstock {

/// Chooses the form: resident when it takes no more than an eighth of the limit and than is left
/// for it, else a cache of 16 to 1,024 pages within these. An index no larger than 16 pages is
/// resident.
IndexForm choose_index_form(std::uint64_t num_samples, const MemoryRoom& room) noexcept;

/// Bytes of the smallest form: what choose_index_form() takes where nothing is left.
std::uint64_t least_index_bytes(std::uint64_t num_samples) noexcept;

/// Finds records by sample id.
///
/// Resident: read and verified when made. Paged: each page is read and verified when a record of it
/// is asked for and it is not among those kept, one place for each page number modulo their count.
///
/// Errors   CorruptData naming shard, page and samples; Io
/// Threads  const members may be called from any thread; a page that is being read holds up only
///          those who want one in its place
class SampleIndex {
 public:
  SampleIndex(std::shared_ptr<const SplitShards> shards, const IndexForm& form, BudgetShare share);

  const IndexForm& form() const noexcept { return form_; }
  IndexRecord record(std::uint64_t sample_id) const;

  /// Visits all records in order. Paged: every page is read and verified, in constant memory.
  void scan(const IndexVisitor& visit) const;

 private:
  struct CachedPage {
    std::mutex mutex;
    std::uint64_t page_idx = UINT64_MAX;  // guarded by mutex; UINT64_MAX: none
    IndexPage records;                    // guarded by mutex
  };

 public:
  static constexpr std::uint64_t kCachedPageBytes = sizeof(CachedPage);

 private:
  void read_all();
  std::span<const IndexRecord> resident() const noexcept;

  const std::shared_ptr<const SplitShards> shards_;  // shared with the split's other indexes
  const IndexForm form_;
  BudgetShare share_;
  HostBuffer resident_;
  mutable std::vector<CachedPage> pages_;
};

}  // namespace penstock
