#include "streamer/core/memory_budget.h"

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <utility>

#include "streamer/core/error.h"

namespace penstock {

struct BudgetShare::Ledger {
  explicit Ledger(std::uint64_t limit) : limit_bytes(limit) {}

  const std::uint64_t limit_bytes;
  std::mutex mutex;
  std::uint64_t used_bytes = 0;        // guarded by mutex
  std::uint64_t high_water_bytes = 0;  // guarded by mutex
};

BudgetShare::BudgetShare(std::shared_ptr<Ledger> ledger, std::uint64_t bytes) noexcept
    : ledger_(std::move(ledger)), bytes_(bytes) {}

BudgetShare::BudgetShare(BudgetShare&& other) noexcept
    : ledger_(std::move(other.ledger_)), bytes_(std::exchange(other.bytes_, 0)) {}

BudgetShare& BudgetShare::operator=(BudgetShare&& other) noexcept {
  if (this == &other) return *this;
  reset();
  ledger_ = std::move(other.ledger_);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void BudgetShare::reset() noexcept {
  if (ledger_ == nullptr) return;
  {
    const std::scoped_lock lock(ledger_->mutex);
    ledger_->used_bytes -= bytes_;
  }
  ledger_.reset();
  bytes_ = 0;
}

MemoryBudget::MemoryBudget(std::uint64_t limit_bytes)
    : ledger_(std::make_shared<BudgetShare::Ledger>(limit_bytes)) {}

BudgetShare MemoryBudget::draw(std::uint64_t bytes, const std::string& what) {
  const std::scoped_lock lock(ledger_->mutex);
  const std::uint64_t left = ledger_->limit_bytes - ledger_->used_bytes;
  if (bytes > left) {
    const SizeTexts size = format_bytes_apart(bytes, left);
    throw Error(ErrorCode::kOutOfMemory,
                "memory limit: " + what + ": expected at most " + size.there +
                    " (what is left of " + format_bytes(ledger_->limit_bytes) + "), found " +
                    size.needed,
                "raise the memory limit (--memory), or lower the batch size");
  }
  ledger_->used_bytes += bytes;
  ledger_->high_water_bytes = std::max(ledger_->high_water_bytes, ledger_->used_bytes);
  return {ledger_, bytes};
}

std::uint64_t MemoryBudget::limit_bytes() const noexcept {
  return ledger_->limit_bytes;
}

std::uint64_t MemoryBudget::used_bytes() const noexcept {
  const std::scoped_lock lock(ledger_->mutex);
  return ledger_->used_bytes;
}

MemoryRoom MemoryBudget::room() const noexcept {
  return {.limit_bytes = limit_bytes(), .left_bytes = limit_bytes() - used_bytes()};
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
