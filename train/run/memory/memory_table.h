// One budget for everything a run holds, with the names of what was taken.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "train/run/memory/memory_row.h"

namespace penstock::train {

class MemoryTable {
 public:
  explicit MemoryTable(std::uint64_t limit_bytes) : budget_(limit_bytes) {}

  /// Draws `bytes` for as long as the table lives.
  /// Errors  OutOfMemory with all that was taken before
  void draw(std::uint64_t bytes, const std::string& what);

  /// Keeps `bytes` aside for `what`, which is made later, until the share is reset.
  /// Errors  OutOfMemory with all that was taken before
  BudgetShare keep(std::uint64_t bytes, const std::string& what);

  /// Makes something that draws from the budget itself, and notes how much.
  /// Errors  those of `maker`; OutOfMemory with all that was taken before
  template <class Maker>
  auto make(const std::string& what, const Maker& maker)
      -> decltype(maker(std::declval<MemoryBudget&>())) {
    const std::uint64_t before = firm_bytes();
    try {
      auto made = maker(budget_);
      rows_.push_back({what, firm_bytes() - before});
      return made;
    } catch (const Error& error) {
      explain(what, error);
    }
  }

  MemoryBudget& budget() noexcept { return budget_; }
  /// What caches hold, which they give back when others draw it, is a row of its own.
  std::vector<MemoryRow> rows() const;

 private:
  std::uint64_t firm_bytes() const noexcept {
    return budget_.limit_bytes() - budget_.room().left_bytes;
  }
  [[noreturn]] void explain(const std::string& what, const Error& error) const;

  MemoryBudget budget_;
  std::vector<BudgetShare> shares_;
  std::vector<MemoryRow> rows_;
};

}  // namespace penstock::train
