#include "tools/convert/source/split_draw.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "streamer/core/error.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

using Counts = std::array<std::uint64_t, kNumSplits>;

Counts count_given(const PictureList& pictures) {
  Counts counts{};
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (const auto split = pictures[i].split) ++counts[static_cast<std::size_t>(*split)];
  }
  return counts;
}

void refuse_beside(SplitKind split, std::uint64_t num_given, const char* flag,
                   const std::string& where) {
  if (num_given == 0) return;
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("{}: {}: expected a source without a {} split, found {} in it", flag, where,
                  split_name(split), tools::format_counted(num_given, "picture", "pictures")),
      fmt::format("leave {} out: the source decides", flag));
}

bool is_drawn(const ListedPicture& picture, const SplitRequest& request) {
  if (!picture.split) return true;
  return *picture.split == SplitKind::kTrain &&
         (request.validation_fraction || request.test_fraction);
}

struct HashedPicture {
  std::uint64_t hash = 0;
  std::uint32_t class_idx = 0;
  std::uint32_t picture_idx = 0;
};

// Largest remainder: whole parts first, what is left goes one by one to the largest fractions, equal
// ones in the order of the splits.
Counts share_out(std::uint64_t num_pictures, const SplitRule& rule) {
  const std::array<double, kNumSplits> fractions = {
      1.0 - rule.validation_fraction - rule.test_fraction, rule.validation_fraction,
      rule.test_fraction};
  Counts counts{};
  std::array<double, kNumSplits> remainders{};
  std::uint64_t num_left = num_pictures;
  for (std::size_t i = 0; i < kNumSplits; ++i) {
    const double quota = fractions[i] * static_cast<double>(num_pictures);
    counts[i] = std::min(num_left, static_cast<std::uint64_t>(quota));
    remainders[i] = quota - static_cast<double>(counts[i]);
    num_left -= counts[i];
  }
  for (; num_left > 0; --num_left) {
    // Sums of fractions are off in the last bits: what is equal on paper counts as equal.
    constexpr double kEqual = 1e-9;
    std::size_t largest = 0;
    for (std::size_t i = 1; i < kNumSplits; ++i) {
      if (remainders[i] > remainders[largest] + kEqual) largest = i;
    }
    ++counts[largest];
    remainders[largest] = -1.0;
  }
  return counts;
}

// Those that the hash would draw first come first, so both draws agree as far as they can.
void draw_class(PictureList& pictures, std::span<const HashedPicture> of_class,
                const SplitRule& rule) {
  const Counts counts = share_out(of_class.size(), rule);
  const std::uint64_t num_validation = counts[static_cast<std::size_t>(SplitKind::kValidation)];
  const std::uint64_t num_test = counts[static_cast<std::size_t>(SplitKind::kTest)];
  for (std::size_t i = 0; i < of_class.size(); ++i) {
    SplitKind split = SplitKind::kTrain;
    if (i < num_validation) {
      split = SplitKind::kValidation;
    } else if (i < num_validation + num_test) {
      split = SplitKind::kTest;
    }
    pictures.set_split(of_class[i].picture_idx, split);
  }
}

void draw_stratified(PictureList& pictures, const SplitRequest& request, const SplitRule& rule) {
  std::vector<HashedPicture> hashed;
  for (std::uint32_t i = 0; i < pictures.size(); ++i) {
    const ListedPicture picture = pictures[i];
    if (is_drawn(picture, request)) {
      hashed.push_back({rule.split_key(picture.name), picture.class_idx, i});
    }
  }
  std::sort(hashed.begin(), hashed.end(), [&](const HashedPicture& a, const HashedPicture& b) {
    if (a.class_idx != b.class_idx) return a.class_idx < b.class_idx;
    if (a.hash != b.hash) return a.hash < b.hash;
    return pictures.name(a.picture_idx) < pictures.name(b.picture_idx);
  });
  for (std::size_t begin = 0; begin < hashed.size();) {
    std::size_t end = begin;
    while (end < hashed.size() && hashed[end].class_idx == hashed[begin].class_idx) ++end;
    draw_class(pictures, std::span(hashed).subspan(begin, end - begin), rule);
    begin = end;
  }
}

}  // namespace

SplitRule split_rule_of(const PictureList& pictures, const SplitRequest& request,
                        const std::string& where) {
  const Counts given = count_given(pictures);
  if (request.validation_fraction) {
    refuse_beside(SplitKind::kValidation, given[1], "--validation-split", where);
  }
  if (request.test_fraction) refuse_beside(SplitKind::kTest, given[2], "--test-split", where);
  const bool has_splits = given != Counts{};
  const SplitRule defaults;
  SplitRule rule{.validation_fraction = request.validation_fraction.value_or(
                     has_splits ? 0.0 : defaults.validation_fraction),
                 .test_fraction = request.test_fraction.value_or(0.0),
                 .seed = request.seed};
  rule.validate();
  return rule;
}

DrawnSplits draw_splits(PictureList& pictures, const SplitRequest& request, const SplitRule& rule) {
  DrawnSplits report;
  const Counts before = count_given(pictures);
  std::uint64_t num_training_drawn = 0;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const ListedPicture picture = pictures[i];
    if (!is_drawn(picture, request)) continue;
    ++report.num_drawn;
    num_training_drawn += picture.split ? 1 : 0;
  }
  if (request.draw == SplitDraw::kStratified) {
    draw_stratified(pictures, request, rule);
  } else {
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      const ListedPicture picture = pictures[i];
      if (is_drawn(picture, request)) pictures.set_split(i, rule.split_of(picture.name));
    }
  }
  report.num_by_split = count_given(pictures);
  for (std::size_t i = 0; i < kNumSplits; ++i) report.num_by_split[i] -= before[i];
  report.num_by_split[0] += num_training_drawn;
  return report;
}

std::string drawn_splits_text(const DrawnSplits& drawn, const SplitRequest& request,
                              const SplitRule& rule) {
  const bool is_exact = request.draw == SplitDraw::kStratified;
  std::string text;
  const auto add = [&](SplitKind split, double fraction) {
    if (fraction == 0.0 || drawn.num_drawn == 0) return;
    text += fmt::format("{}{}: {}{:.4g} %: {} of {}", text.empty() ? "" : "; ", split_name(split),
                        is_exact ? "" : "about ", 100 * fraction,
                        tools::format_count(drawn.num_by_split[static_cast<std::size_t>(split)]),
                        tools::format_count(drawn.num_drawn));
  };
  add(SplitKind::kValidation, rule.validation_fraction);
  add(SplitKind::kTest, rule.test_fraction);
  if (text.empty()) return text;
  return text + (is_exact ? " (exact in each class; files added later may move others)"
                          : " (drawn by seed and path: files added later move none)");
}

}  // namespace penstock::convert
