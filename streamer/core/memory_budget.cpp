#include "streamer/core/memory_budget.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <utility>
#include <vector>

#include "streamer/core/error.h"

namespace penstock {

struct BudgetShare::Ledger {
  explicit Ledger(std::uint64_t limit) : limit_bytes(limit) {}

  const std::uint64_t limit_bytes;
  std::mutex mutex;
  std::uint64_t used_bytes = 0;                           // guarded by mutex
  std::uint64_t reclaimable_bytes = 0;                    // guarded by mutex; of used_bytes
  std::uint64_t high_water_bytes = 0;                     // guarded by mutex
  std::uint64_t num_changes = 0;                          // guarded by mutex; of used_bytes
  std::vector<std::weak_ptr<ReclaimableMemory>> holders;  // guarded by mutex
  std::condition_variable gave_back;

  // The rest: called with the mutex held.

  std::uint64_t free_bytes() const noexcept { return limit_bytes - used_bytes; }

  bool take_if_free(std::uint64_t bytes, Kind kind) noexcept {
    if (bytes > free_bytes()) return false;
    ++num_changes;
    used_bytes += bytes;
    if (kind == Kind::kReclaimable) reclaimable_bytes += bytes;
    high_water_bytes = std::max(high_water_bytes, used_bytes);
    return true;
  }

  std::vector<std::shared_ptr<ReclaimableMemory>> living_holders() const {
    std::vector<std::shared_ptr<ReclaimableMemory>> living;
    living.reserve(holders.size());  // first: the last owner of a cache must not let go of it here
    for (const auto& holder : holders) {
      if (auto alive = holder.lock()) living.push_back(std::move(alive));
    }
    return living;
  }

  // Waits for bytes that nobody gave when asked: those of a holder that is being destroyed come a
  // moment later. False when none do.
  bool wait_for_change(std::unique_lock<std::mutex>& lock) {
    constexpr auto kLongest = std::chrono::milliseconds(500);
    const std::uint64_t before = num_changes;
    return gave_back.wait_for(lock, kLongest, [&] { return num_changes != before; });
  }

  [[noreturn]] void refuse(std::uint64_t bytes, const std::string& what) const {
    const SizeTexts size = format_bytes_apart(bytes, free_bytes());
    throw Error(ErrorCode::kOutOfMemory,
                "memory limit: " + what + ": expected at most " + size.there +
                    " (what is left of " + format_bytes(limit_bytes) + "), found " + size.needed,
                "raise the memory limit (--memory), or lower the batch size");
  }
};

BudgetShare::BudgetShare(std::shared_ptr<Ledger> ledger, std::uint64_t bytes, Kind kind) noexcept
    : ledger_(std::move(ledger)), bytes_(bytes), kind_(kind) {}

BudgetShare::BudgetShare(BudgetShare&& other) noexcept
    : ledger_(std::move(other.ledger_)),
      bytes_(std::exchange(other.bytes_, 0)),
      kind_(other.kind_) {}

BudgetShare& BudgetShare::operator=(BudgetShare&& other) noexcept {
  if (this == &other) return *this;
  reset();
  ledger_ = std::move(other.ledger_);
  bytes_ = std::exchange(other.bytes_, 0);
  kind_ = other.kind_;
  return *this;
}

void BudgetShare::give_back(std::uint64_t bytes) noexcept {
  const std::uint64_t given = std::min(bytes, bytes_);
  if (ledger_ == nullptr || given == 0) return;
  {
    const std::scoped_lock lock(ledger_->mutex);
    ledger_->used_bytes -= given;
    ++ledger_->num_changes;
    if (kind_ == Kind::kReclaimable) ledger_->reclaimable_bytes -= given;
    bytes_ -= given;
  }
  ledger_->gave_back.notify_all();
}

void BudgetShare::reset() noexcept {
  give_back(bytes_);
  ledger_.reset();
}

MemoryBudget::MemoryBudget(std::uint64_t limit_bytes)
    : ledger_(std::make_shared<BudgetShare::Ledger>(limit_bytes)) {}

BudgetShare MemoryBudget::draw(std::uint64_t bytes, const std::string& what) {
  using Kind = BudgetShare::Kind;
  BudgetShare::Ledger& ledger = *ledger_;
  // Other threads may be quicker to draw what was reclaimed: asked again until nothing moves.
  for (std::optional<std::uint64_t> num_changes_before;;) {
    std::uint64_t missing = 0;
    std::vector<std::shared_ptr<ReclaimableMemory>> holders;
    {
      std::unique_lock lock(ledger.mutex);
      if (ledger.take_if_free(bytes, Kind::kFirm)) return {ledger_, bytes, Kind::kFirm};
      missing = bytes - ledger.free_bytes();
      if (missing > ledger.reclaimable_bytes) ledger.refuse(bytes, what);
      if (num_changes_before == ledger.num_changes) {
        if (!ledger.wait_for_change(lock)) ledger.refuse(bytes, what);
        continue;
      }
      num_changes_before = ledger.num_changes;
      holders = ledger.living_holders();
    }
    std::uint64_t reclaimed = 0;
    for (const auto& holder : holders) {
      if (reclaimed < missing) reclaimed += holder->reclaim(missing - reclaimed);
    }
  }
}

std::optional<BudgetShare> MemoryBudget::draw_reclaimable(std::uint64_t bytes,
                                                          std::weak_ptr<ReclaimableMemory> holder) {
  using Kind = BudgetShare::Kind;
  const std::scoped_lock lock(ledger_->mutex);
  std::erase_if(ledger_->holders, [](const auto& other) { return other.expired(); });
  ledger_->holders.push_back(std::move(holder));
  if (!ledger_->take_if_free(bytes, Kind::kReclaimable)) return std::nullopt;
  return BudgetShare(ledger_, bytes, Kind::kReclaimable);
}

std::optional<BudgetShare> MemoryBudget::draw_free(std::uint64_t bytes) {
  using Kind = BudgetShare::Kind;
  const std::scoped_lock lock(ledger_->mutex);
  if (!ledger_->take_if_free(bytes, Kind::kFirm)) return std::nullopt;
  return BudgetShare(ledger_, bytes, Kind::kFirm);
}

std::uint64_t MemoryBudget::limit_bytes() const noexcept {
  return ledger_->limit_bytes;
}

std::uint64_t MemoryBudget::used_bytes() const noexcept {
  const std::scoped_lock lock(ledger_->mutex);
  return ledger_->used_bytes;
}

MemoryRoom MemoryBudget::room() const noexcept {
  const std::scoped_lock lock(ledger_->mutex);
  return {.limit_bytes = ledger_->limit_bytes,
          .left_bytes = ledger_->free_bytes() + ledger_->reclaimable_bytes,
          .reclaimable_bytes = ledger_->reclaimable_bytes};
}

std::uint64_t MemoryBudget::high_water_bytes() const noexcept {
  const std::scoped_lock lock(ledger_->mutex);
  return ledger_->high_water_bytes;
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes);
  unsigned unit = 0;
  while (value >= 1024.0 && unit < 6) {
    value /= 1024.0;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, kUnits[unit]);
  return text;
}

SizeTexts format_bytes_apart(std::uint64_t needed_bytes, std::uint64_t there_bytes) {
  SizeTexts texts{format_bytes(needed_bytes), format_bytes(there_bytes)};
  if (texts.needed != texts.there) return texts;
  return {std::to_string(needed_bytes) + " B", std::to_string(there_bytes) + " B"};
}

}  // namespace penstock
