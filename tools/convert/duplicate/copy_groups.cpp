#include "tools/convert/duplicate/copy_groups.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace penstock::convert {
namespace {

// The earliest kept picture, and the earliest that differs from it in one respect.
template <class Key>
class EarliestTwo {
 public:
  void add(const Key& key, std::uint32_t picture_idx) {
    if (!first_) {
      first_.emplace(key, picture_idx);
    } else if (!other_ && key != first_->first) {
      other_.emplace(key, picture_idx);
    }
  }
  /// The earliest whose key is another.
  std::optional<std::uint32_t> differing(const Key& key) const {
    if (first_ && first_->first != key) return first_->second;
    if (other_) return other_->second;
    return std::nullopt;
  }

 private:
  std::optional<std::pair<Key, std::uint32_t>> first_;
  std::optional<std::pair<Key, std::uint32_t>> other_;
};

}  // namespace

ReasonSet copy_reasons() {
  return {ReasonCode::kDuplicateAcrossSplits, ReasonCode::kDuplicateAcrossClasses,
          ReasonCode::kDuplicateWithinClass};
}

bool is_earlier_copy(const PictureList& pictures, std::uint32_t a, std::uint32_t b) {
  const ListedPicture one = pictures[a];
  const ListedPicture other = pictures[b];
  // kTest is the last of the enumeration.
  if (one.split != other.split) return *one.split > *other.split;
  if (one.class_idx != other.class_idx) return one.class_idx < other.class_idx;
  return one.name < other.name;
}

void resolve_copies(std::vector<std::uint32_t>& group, const PictureList& pictures,
                    const ReasonPolicies& policies,
                    const std::function<void(const CopyFinding& finding)>& visit) {
  if (group.size() < 2) return;
  std::ranges::sort(
      group, [&](std::uint32_t a, std::uint32_t b) { return is_earlier_copy(pictures, a, b); });
  EarliestTwo<SplitKind> by_split;
  EarliestTwo<std::uint32_t> by_class;
  // Of the split and class at hand: those stand together.
  std::optional<std::uint32_t> same;
  std::optional<std::uint32_t> before;
  for (const std::uint32_t idx : group) {
    const ListedPicture picture = pictures[idx];
    if (before && (pictures[*before].split != picture.split ||
                   pictures[*before].class_idx != picture.class_idx)) {
      same.reset();
    }
    before = idx;
    const std::array<std::pair<ReasonCode, std::optional<std::uint32_t>>, 3> found = {
        {{ReasonCode::kDuplicateAcrossSplits, by_split.differing(*picture.split)},
         {ReasonCode::kDuplicateAcrossClasses, by_class.differing(picture.class_idx)},
         {ReasonCode::kDuplicateWithinClass, same}}};
    const bool is_dropped = std::ranges::any_of(found, [&](const auto& one) {
      return one.second && policies[one.first] == Policy::kQuarantine;
    });
    for (const auto& [reason, other] : found) {
      if (!other) continue;
      visit({.reason = reason, .picture_idx = idx, .other_idx = *other, .is_dropped = is_dropped});
    }
    if (is_dropped) continue;
    by_split.add(*picture.split, idx);
    by_class.add(picture.class_idx, idx);
    if (!same) same = idx;
  }
}

}  // namespace penstock::convert
