// Which plan computes which problem: chosen once, by heuristics and a trial, then kept, stored with a run and taken
// again, so that a resumed run computes with the same ones.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace penstock::train::cuda {

class PlanBook {
 public:
  PlanBook() = default;
  /// Reads what text() wrote. Throws CorruptData for anything else.
  explicit PlanBook(std::string_view text);

  /// Empty when there is none.
  std::string find(const std::string& key) const;
  void set(const std::string& key, const std::string& stored) { plans_[key] = stored; }
  std::size_t size() const noexcept { return plans_.size(); }

  /// A line a problem: its key, a tab, its plan.
  std::string text() const;

 private:
  std::map<std::string, std::string> plans_;
};

}  // namespace penstock::train::cuda
