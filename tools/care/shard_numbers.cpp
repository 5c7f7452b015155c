#include "tools/care/shard_numbers.h"

#include <fmt/core.h>
#include <algorithm>
#include <string>
#include <string_view>

namespace penstock::care {
namespace {

namespace fs = std::filesystem;

// One above the highest number among "<split>-<digits>.h5", with whatever behind it: what repair put
// aside and what a crash left count too.
std::uint64_t first_free_number(const fs::path& dataset, const std::string& split) {
  const std::string head = split + "-";
  std::uint64_t next = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(dataset)) {
    const std::string name = entry.path().filename().string();
    const std::size_t dot = name.find(".h5", head.size() < name.size() ? head.size() : name.size());
    if (!name.starts_with(head) || dot == std::string::npos) continue;
    const std::string digits = name.substr(head.size(), dot - head.size());
    constexpr std::size_t kMaxDigits = 18;
    if (digits.empty() || digits.size() > kMaxDigits ||
        digits.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    next = std::max<std::uint64_t>(next, std::stoull(digits) + 1);
  }
  return next;
}

}  // namespace

std::string ShardNumbers::next(const std::string& split) {
  const std::uint64_t on_disk = first_free_number(dataset_, split);
  last_ = split == split_ ? std::max(last_ + 1, on_disk) : on_disk;
  split_ = split;
  return fmt::format("{}-{:05}.h5", split, last_);
}

}  // namespace penstock::care
