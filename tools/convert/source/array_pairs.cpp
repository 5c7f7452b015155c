#include "tools/convert/source/array_pairs.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tools/convert/ascii_case.h"

namespace penstock::convert {
namespace {

struct UsualNames {
  std::string_view images;
  std::string_view labels;
};
constexpr UsualNames kUsualNames[] = {
    {"x", "y"},          {"images", "labels"},  {"image", "label"}, {"data", "labels"},
    {"data", "targets"}, {"images", "targets"}, {"arr_0", "arr_1"},
};

struct SplitWord {
  std::string_view word;
  std::optional<SplitKind> split;
};
constexpr SplitWord kSplitWords[] = {
    {"", std::nullopt},
    {"train", SplitKind::kTrain},
    {"training", SplitKind::kTrain},
    {"val", SplitKind::kValidation},
    {"valid", SplitKind::kValidation},
    {"validation", SplitKind::kValidation},
    {"test", SplitKind::kTest},
    {"testing", SplitKind::kTest},
};

class NamesInAnyCase {
 public:
  explicit NamesInAnyCase(const std::vector<std::string>& names) : names_(names) {}

  std::optional<std::string> find(const std::string& wanted) const {
    const auto found = std::ranges::find_if(
        names_, [&](const std::string& name) { return ascii_lower(name) == wanted; });
    return found == names_.end() ? std::nullopt : std::optional(*found);
  }

  std::optional<ArrayPair> find_pair(const UsualNames& usual, const SplitWord& split) const {
    const std::string word(split.word);
    const auto both = [&](const std::string& before, const std::string& after) {
      const auto images = find(before + std::string(usual.images) + after);
      const auto labels = find(before + std::string(usual.labels) + after);
      return images && labels ? std::optional(ArrayPair{*images, *labels, split.split})
                              : std::nullopt;
    };
    if (word.empty()) return both("", "");
    const auto behind = both("", "_" + word);
    return behind ? behind : both(word + "_", "");
  }

 private:
  const std::vector<std::string>& names_;
};

}  // namespace

std::vector<ArrayPair> find_array_pairs(const std::vector<std::string>& names) {
  const NamesInAnyCase known(names);
  std::vector<ArrayPair> pairs;
  const auto is_taken = [&](const ArrayPair& pair) {
    return std::ranges::any_of(pairs, [&](const ArrayPair& one) {
      return one.images == pair.images || one.labels == pair.labels;
    });
  };
  for (const SplitWord& split : kSplitWords) {
    for (const UsualNames& usual : kUsualNames) {
      const std::optional<ArrayPair> pair = known.find_pair(usual, split);
      if (pair && !is_taken(*pair)) pairs.push_back(*pair);
    }
  }
  if (pairs.size() == 1) pairs[0].split.reset();
  return pairs;
}

}  // namespace penstock::convert
