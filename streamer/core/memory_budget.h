// Memory as a number: a limit in bytes from which every buffer of an engine is drawn.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace penstock {

/// A limit, and what is left of it.
struct MemoryRoom {
  std::uint64_t limit_bytes = 0;
  /// What can be drawn, reclaimable_bytes included.
  std::uint64_t left_bytes = 0;
  /// Of these, held by caches until somebody draws them.
  std::uint64_t reclaimable_bytes = 0;
};

/// Who holds bytes of a budget that it can do without: a cache.
class ReclaimableMemory {
 public:
  virtual ~ReclaimableMemory() = default;
  /// Gives `bytes` back, or what it can; returns how many. Called from a thread that draws, without
  /// any lock of the budget.
  virtual std::uint64_t reclaim(std::uint64_t bytes) noexcept = 0;
};

/// Bytes drawn from a MemoryBudget, given back on destruction. Move-only.
class BudgetShare {
 public:
  BudgetShare() = default;
  BudgetShare(BudgetShare&& other) noexcept;
  BudgetShare& operator=(BudgetShare&& other) noexcept;
  ~BudgetShare() { reset(); }

  std::uint64_t bytes() const noexcept { return bytes_; }
  /// Gives a part back: at most bytes().
  void give_back(std::uint64_t bytes) noexcept;
  void reset() noexcept;

 private:
  friend class MemoryBudget;
  enum class Kind : std::uint8_t { kFirm, kReclaimable };
  struct Ledger;
  BudgetShare(std::shared_ptr<Ledger> ledger, std::uint64_t bytes, Kind kind) noexcept;

  std::shared_ptr<Ledger> ledger_;  // shared with the budget: a share may outlive it
  std::uint64_t bytes_ = 0;
  Kind kind_ = Kind::kFirm;
};

/// Accounts for bytes against a limit.
///
/// Errors   OutOfMemory, naming what asked, for how much, and how much is left
/// Threads  every member may be called from any thread
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t limit_bytes);

  /// Draws `bytes` for `what` (a few words for the error message). Asks caches to give back what is
  /// missing before it refuses, which waits for the samples that are being read from them.
  BudgetShare draw(std::uint64_t bytes, const std::string& what);
  /// Draws bytes that `holder` can be asked for, if they are free now; empty if not. Asks nobody.
  /// It may be asked before this returns, from other threads.
  std::optional<BudgetShare> draw_reclaimable(std::uint64_t bytes,
                                              std::weak_ptr<ReclaimableMemory> holder);
  /// Draws as draw() does, if they are free now; empty if not. Asks nobody.
  std::optional<BudgetShare> draw_free(std::uint64_t bytes);

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
