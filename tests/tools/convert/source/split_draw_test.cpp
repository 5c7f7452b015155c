#include "tools/convert/source/split_draw.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

PictureList undecided(std::size_t num_pictures, std::uint32_t class_idx = 0) {
  PictureList pictures;
  for (std::size_t i = 0; i < num_pictures; ++i) {
    pictures.add(
        {.name = "cat/" + std::to_string(i), .class_idx = class_idx, .split = std::nullopt});
  }
  return pictures;
}

using Counts = std::array<std::uint64_t, kNumSplits>;

Counts count(const PictureList& pictures, std::uint32_t class_idx) {
  Counts counts{};
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (pictures[i].class_idx == class_idx) ++counts[static_cast<std::size_t>(*pictures[i].split)];
  }
  return counts;
}

DrawnSplits draw(PictureList& pictures, const SplitRequest& request) {
  return draw_splits(pictures, request, split_rule_of(pictures, request, "S"));
}

auto says(const std::string& message) {
  return [=](const Error& error) {
    BOOST_TEST(error.what() == message);
    BOOST_TEST(!error.hint().empty());
    return error.code() == ErrorCode::kInvalidArgument;
  };
}

BOOST_AUTO_TEST_SUITE(split_draw)

BOOST_AUTO_TEST_CASE(splits_that_a_source_gives_stay_and_the_others_are_drawn_by_name) {
  PictureList pictures = undecided(1000);
  pictures.set_split(3, SplitKind::kTest);
  const SplitRule rule{.validation_fraction = 0.25, .test_fraction = 0.0, .seed = 5};
  const DrawnSplits drawn = draw(pictures, {.validation_fraction = 0.25, .seed = 5});
  BOOST_CHECK(pictures[3].split == SplitKind::kTest);
  std::size_t num_validation = 0;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (i == 3) continue;
    BOOST_CHECK(pictures[i].split == rule.split_of(pictures.name(i)));
    num_validation += pictures[i].split == SplitKind::kValidation ? 1 : 0;
  }
  // Mean 250, deviation 14.
  BOOST_TEST(num_validation > 180u);
  BOOST_TEST(num_validation < 320u);
  BOOST_TEST(drawn.num_drawn == 999u);
  BOOST_TEST(drawn.num_by_split[1] == num_validation);
  BOOST_TEST(drawn.num_by_split[0] == 999u - num_validation);
  BOOST_TEST(drawn.num_by_split[2] == 0u);
}

BOOST_AUTO_TEST_CASE(a_tenth_goes_to_validation_unless_the_source_has_splits) {
  PictureList pictures = undecided(10);
  BOOST_TEST(split_rule_of(pictures, {}, "S").validation_fraction == 0.1);
  BOOST_TEST(split_rule_of(pictures, {.validation_fraction = 0.5}, "S").validation_fraction == 0.5);
  pictures.set_split(7, SplitKind::kTrain);
  BOOST_TEST(split_rule_of(pictures, {}, "S").validation_fraction == 0.0);
  BOOST_TEST(split_rule_of(pictures, {.test_fraction = 0.5}, "S").test_fraction == 0.5);
}

BOOST_AUTO_TEST_CASE(a_split_that_is_not_there_is_drawn_from_training_when_asked_for) {
  PictureList pictures;
  for (int i = 0; i < 400; ++i) {
    pictures.add({.name = "train/" + std::to_string(i), .split = SplitKind::kTrain});
  }
  pictures.add({.name = "test/1", .split = SplitKind::kTest});
  PictureList untouched = pictures;
  draw(untouched, {});
  BOOST_CHECK((count(untouched, 0) == Counts{400, 0, 1}));
  const DrawnSplits drawn = draw(pictures, {.validation_fraction = 0.5});
  const Counts counts = count(pictures, 0);
  BOOST_TEST(counts[1] > 150u);  // 200 expected, standard deviation 10
  BOOST_TEST(counts[1] < 250u);
  BOOST_TEST(counts[2] == 1u);
  BOOST_TEST(drawn.num_drawn == 400u);
  BOOST_CHECK((drawn.num_by_split == Counts{counts[0], counts[1], 0}));
}

BOOST_AUTO_TEST_CASE(a_fraction_of_a_split_that_the_source_has_is_refused) {
  PictureList pictures = undecided(3);
  pictures.set_split(0, SplitKind::kValidation);
  BOOST_CHECK_EXCEPTION(split_rule_of(pictures, {.validation_fraction = 0.2}, "S"), Error,
                        says("--validation-split: S: expected a source without a validation split, "
                             "found 1 picture in it"));
  pictures.set_split(1, SplitKind::kTest);
  BOOST_CHECK_EXCEPTION(split_rule_of(pictures, {.test_fraction = 0.0}, "S"), Error,
                        says("--test-split: S: expected a source without a test split, found 1 "
                             "picture in it"));
}

// By hand, largest remainder. 10 pictures at 0.2 and 0.1: 7, 2, 1 exactly. 7 pictures: quotas 4.9, 1.4,
// 0.7; whole parts 4, 1, 0; the two that are left go to .9 and .7: 5, 1, 1. 2 pictures: 1.4, 0.4, 0.2;
// the one left: .4 twice, the first of them is training. 1 picture: 0.7 is largest.
BOOST_AUTO_TEST_CASE(stratified_shares_are_exact_in_each_class) {
  PictureList pictures;
  const std::vector<std::uint64_t> class_sizes = {10, 7, 2, 1};
  for (std::uint32_t c = 0; c < class_sizes.size(); ++c) {
    for (std::uint64_t i = 0; i < class_sizes[c]; ++i) {
      pictures.add({.name = std::to_string(c) + "/" + std::to_string(i),
                    .class_idx = c,
                    .split = std::nullopt});
    }
  }
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    PictureList drawn = pictures;
    draw(drawn, {.validation_fraction = 0.2,
                 .test_fraction = 0.1,
                 .seed = seed,
                 .draw = SplitDraw::kStratified});
    BOOST_CHECK((count(drawn, 0) == Counts{7, 2, 1}));
    BOOST_CHECK((count(drawn, 1) == Counts{5, 1, 1}));
    BOOST_CHECK((count(drawn, 2) == Counts{2, 0, 0}));
    BOOST_CHECK((count(drawn, 3) == Counts{1, 0, 0}));
  }
}

// 0.29 * 100 is 28.999999999999996 in binary, and 0.7 + 0.3 leaves a remainder of 1e-17.
BOOST_AUTO_TEST_CASE(stratified_shares_do_not_suffer_from_binary_fractions) {
  for (const auto& [fraction, expected] : std::vector<std::pair<double, std::uint64_t>>{
           {0.29, 29}, {0.57, 57}, {0.3, 30}, {0.1, 10}}) {
    PictureList pictures = undecided(100);
    draw(pictures, {.validation_fraction = fraction, .draw = SplitDraw::kStratified});
    BOOST_TEST(count(pictures, 0)[1] == expected);
  }
}

BOOST_AUTO_TEST_CASE(stratified_validation_is_what_hashes_lowest) {
  PictureList pictures = undecided(50, 3);
  draw(pictures, {.validation_fraction = 0.2, .seed = 9, .draw = SplitDraw::kStratified});
  const SplitRule rule{.seed = 9};
  std::uint64_t highest_validation = 0;
  std::uint64_t lowest_training = UINT64_MAX;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const std::uint64_t key = rule.split_key(pictures.name(i));
    if (pictures[i].split == SplitKind::kTrain) lowest_training = std::min(lowest_training, key);
    if (pictures[i].split != SplitKind::kTrain) {
      highest_validation = std::max(highest_validation, key);
    }
  }
  BOOST_TEST(highest_validation < lowest_training);
}

BOOST_AUTO_TEST_CASE(what_was_drawn_is_said_with_how_exact_it_is) {
  PictureList pictures = undecided(10);
  const SplitRequest exact{.validation_fraction = 0.2, .draw = SplitDraw::kStratified};
  const DrawnSplits drawn = draw(pictures, exact);
  BOOST_TEST(drawn_splits_text(drawn, exact, {.validation_fraction = 0.2}) ==
             "validation: 20 %: 2 of 10 (exact in each class; files added later may move others)");
  const DrawnSplits many{.num_drawn = 3409, .num_by_split = {2985, 341, 83}};
  BOOST_TEST(drawn_splits_text(many, {}, {.validation_fraction = 0.1, .test_fraction = 0.025}) ==
             "validation: about 10 %: 341 of 3,409; test: about 2.5 %: 83 of 3,409 (drawn by seed "
             "and path: files added later move none)");
  BOOST_TEST(drawn_splits_text(many, {}, {.validation_fraction = 0.0}) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
