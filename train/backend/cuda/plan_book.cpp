#include "train/backend/cuda/plan_book.h"

#include "streamer/core/error.h"

namespace penstock::train::cuda {

PlanBook::PlanBook(std::string_view text) {
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos || tab == 0 || tab + 1 == line.size()) {
      throw Error(ErrorCode::kCorruptData,
                  "plans: line " + std::to_string(line_number) +
                      ": expected a problem, a tab and its plan, found something else");
    }
    plans_[std::string(line.substr(0, tab))] = std::string(line.substr(tab + 1));
  }
}

std::string PlanBook::find(const std::string& key) const {
  const auto plan = plans_.find(key);
  return plan == plans_.end() ? std::string() : plan->second;
}

std::string PlanBook::text() const {
  std::string text;
  for (const auto& [key, stored] : plans_) text += key + '\t' + stored + '\n';
  return text;
}

}  // namespace penstock::train::cuda
