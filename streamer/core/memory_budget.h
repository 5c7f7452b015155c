// Memory as a number: a limit in bytes from which every buffer of an engine is drawn.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace penstock {

/// A limit, and what is left of it.
struct MemoryRoom {
  std::uint64_t limit_bytes = 0;
  std::uint64_t left_bytes = 0;
};

/// Bytes drawn from a MemoryBudget, given back on destruction. Move-only.
class BudgetShare {
 public:
  BudgetShare() = default;
  BudgetShare(BudgetShare&& other) noexcept;
  BudgetShare& operator=(BudgetShare&& other) noexcept;
  ~BudgetShare() { reset(); }

  std::uint64_t bytes() const noexcept { return bytes_; }
  void reset() noexcept;

 private:
  friend class MemoryBudget;
  struct Ledger;
  BudgetShare(std::shared_ptr<Ledger> ledger, std::uint64_t bytes) noexcept;

  std::shared_ptr<Ledger> ledger_;  // shared with the budget: a share may outlive it
  std::uint64_t bytes_ = 0;
};

/// Accounts for bytes against a limit.
///
/// Errors   OutOfMemory, naming what asked, for how much, and how much is left
/// Threads  every member may be called from any thread
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t limit_bytes);

  /// Draws `bytes` for `what` (a few words for the error message).
  BudgetShare draw(std::uint64_t bytes, const std::string& what);

  std::uint64_t limit_bytes() const noexcept;
  std::uint64_t used_bytes() const noexcept;
  MemoryRoom room() const noexcept;
  std::uint64_t high_water_bytes() const noexcept;

 private:
  std::shared_ptr<BudgetShare::Ledger> ledger_;  // shared with the shares drawn from it
};

/// Formats as "12 B", "3.4 KiB", "256.0 MiB".
std::string format_bytes(std::uint64_t bytes);

/// A size that is needed and the size that there is, as texts for a message.
struct SizeTexts {
  std::string needed;
  std::string there;
};

/// Formats both as format_bytes() does, or to the byte where that would give one text for two
/// sizes.
SizeTexts format_bytes_apart(std::uint64_t needed_bytes, std::uint64_t there_bytes);

}  // namespace penstock
