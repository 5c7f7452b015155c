#include "tools/convert/source/class_warnings.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "streamer/core/batch.h"
#include "streamer/core/checksum.h"
#include "tools/convert/reason/name_fold.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kMaxNamed = 5;

std::string quoted(const std::string& name) {
  return '\'' + tools::printable(name) + '\'';
}

void warn_of_empty_classes(const SourceScan& scan, std::vector<std::string>& warnings) {
  std::vector<bool> has_pictures(scan.class_names.size());
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    const std::uint32_t class_idx = scan.pictures[i].class_idx;
    if (class_idx != kUnlabelled) has_pictures[class_idx] = true;
  }
  std::vector<std::string> first;
  std::uint64_t num_empty = 0;
  for (std::size_t i = 0; i < has_pictures.size(); ++i) {
    if (has_pictures[i]) continue;
    if (++num_empty <= kMaxNamed) first.push_back(quoted(scan.class_names[i]));
  }
  if (num_empty == 0) return;
  warnings.push_back(fmt::format("{} of {} {}: {}{}", tools::format_count(num_empty),
                                 tools::format_counted(scan.class_names.size(), "class", "classes"),
                                 num_empty == 1 ? "has no picture and keeps its class index"
                                                : "have no picture and keep their class index",
                                 fmt::join(first, ", "), num_empty > kMaxNamed ? ", ..." : ""));
}

std::uint64_t folded_hash(std::string_view name) {
  const std::size_t begin = std::min(name.find_first_not_of(" \t"), name.size());
  const std::size_t end = name.find_last_not_of(" \t") + 1;  // npos + 1 is 0
  const std::u32string folded = fold_name(name.substr(begin, std::max(begin, end) - begin));
  return xxh3_64(std::as_bytes(std::span(folded)));
}

void warn_of_twins(const SourceScan& scan, std::vector<std::string>& warnings) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> idx_by_hash;
  idx_by_hash.reserve(scan.class_names.size());
  for (std::uint32_t i = 0; i < scan.class_names.size(); ++i) {
    idx_by_hash.emplace_back(folded_hash(scan.class_names[i]), i);
  }
  std::ranges::sort(idx_by_hash);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> twins;
  for (std::size_t i = 1; i < idx_by_hash.size(); ++i) {
    if (idx_by_hash[i].first != idx_by_hash[i - 1].first) continue;
    twins.emplace_back(idx_by_hash[i - 1].second, idx_by_hash[i].second);
  }
  if (twins.empty()) return;
  std::ranges::sort(twins);
  std::vector<std::string> first;
  for (std::size_t i = 0; i < std::min(twins.size(), kMaxNamed); ++i) {
    first.push_back(quoted(scan.class_names[twins[i].first]) + " and " +
                    quoted(scan.class_names[twins[i].second]));
  }
  warnings.push_back(fmt::format(
      "{} of classes differ in case, spaces around the name or the spelling of accents alone: {}{}",
      tools::format_counted(twins.size(), "pair", "pairs"), fmt::join(first, "; "),
      twins.size() > kMaxNamed ? "; ..." : ""));
}

}  // namespace

std::vector<std::string> class_warnings(const SourceScan& scan) {
  std::vector<std::string> warnings;
  warn_of_empty_classes(scan, warnings);
  warn_of_twins(scan, warnings);
  return warnings;
}

std::optional<std::string> one_class_warning(const SourceScan& scan) {
  if (scan.class_names.size() != 1) return std::nullopt;
  return fmt::format("there is only one class ({}): nothing to tell apart",
                     tools::printable(scan.class_names.front()));
}

}  // namespace penstock::convert
