#include "tools/bench/augment_bench.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "augment/simd_target.h"
#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tools/bench/augment_bench_report.h"

namespace penstock::tools::bench {
namespace {

using tests::contains;

BOOST_AUTO_TEST_SUITE(augment_bench)

BOOST_AUTO_TEST_CASE(every_row_has_a_side_for_each_vector_unit_and_gives_the_choice_back) {
  const AugmentBenchResult result = bench_augment({.num_rounds = 1});
  BOOST_TEST(result.rows.size() == augment_rows().size());
  for (const AugmentRowResult& row : result.rows) {
    for (const augment::SimdTarget& target : augment::simd_targets()) {
      if (!target.is_supported) continue;
      const SideResult& side = result_named(row.sides, target.name);
      BOOST_TEST(side.cpu_us.median > 0);
      if (!row.row.on_top_of.empty()) {
        BOOST_TEST(row.more_us(target.name) ==
                   side.cpu_us.median - row.cpu_us(std::string(target.name) + ", " +
                                                   std::string(row.row.on_top_of)));
      }
      BOOST_TEST(side.cpu_ratio.has_value() == (row.row.chain != nullptr));
      if (row.row.chain == nullptr) continue;
      BOOST_TEST(side.ceiling == kOpencvSide);
      BOOST_TEST(side.cpu_ratio->median == row.cpu_us(kOpencvSide) / side.cpu_us.median,
                 boost::test_tools::tolerance(1e-9));
    }
  }
  BOOST_TEST(!augment::is_scalar_forced());
  BOOST_CHECK_THROW(bench_augment({.simd = "avx3"}), Error);
  BOOST_CHECK_THROW(bench_augment({.row = "turn"}), Error);
}

AugmentRowResult measured(AugmentBar bar) {
  AugmentRowResult result{.row = augment_row_named("turned"), .targets = {"wide"}, .sides = {}};
  result.row.bar = bar;
  result.sides = {{.name = kCopySide, .cpu_us = {10, 10, 10}},
                  {.name = kOpencvSide, .cpu_us = {300, 300, 300}},
                  {.name = "wide", .cpu_us = {60, 50, 70}, .cpu_ratio = Spread{5, 4, 6}}};
  return result;
}

// By hand: 60 us, 5 times OpenCV, 6 times the copy.
BOOST_AUTO_TEST_CASE(a_bar_is_reached_when_both_its_parts_are) {
  const auto report = [](AugmentBar bar) {
    const AugmentBenchResult result{.config = {}, .rows = {measured(bar)}};
    return std::pair(augment_bench_text(result),
                     nlohmann::json::parse(augment_bench_json(result))["rows"][0]);
  };
  const auto [reached, reached_json] = report({.most_us = 60, .times_opencv = 4.5});
  BOOST_TEST(contains(reached, "bar: at most 60 us, 4.5 times OpenCV: reached with wide"), reached);
  BOOST_TEST(
      contains(reached, "60.00       50.00 to 70.00          5.00          6.00          1.00"),
      reached);
  BOOST_TEST(reached_json["is_reached"] == true);
  BOOST_TEST(reached_json["sides"][2]["times_opencv"]["median"] == 5);
  BOOST_TEST(contains(report({.most_us = 59}).first, "missed"));
  BOOST_TEST(contains(report({.most_us = 60, .times_opencv = 5.1}).first, "missed"));
  BOOST_TEST(contains(report({}).first, "no bar"));
  BOOST_TEST(report({}).second["is_reached"].is_null());
}

// By hand: 60 us with, 35 us without.
BOOST_AUTO_TEST_CASE(what_a_row_takes_more_than_another_is_held_against_its_bar) {
  AugmentRowResult row = measured({.most_us_more = 25});
  row.row.on_top_of = "resized-crop";
  row.row.element = ElementType::kBfloat16;
  row.sides.push_back({.name = "wide, resized-crop", .cpu_us = {35, 30, 40}});
  row.sides[2].cpu_ratio.reset();  // without a chain
  const auto report = [&row](double most_us_more) {
    row.row.bar.most_us_more = most_us_more;
    const AugmentBenchResult result{.config = {}, .rows = {row}};
    return std::pair(augment_bench_text(result),
                     nlohmann::json::parse(augment_bench_json(result))["rows"][0]);
  };
  const auto [text, json] = report(25);
  BOOST_TEST(contains(text, "px, bfloat16; bar: at most 25 us more than resized-crop: reached"),
             text);
  BOOST_TEST(contains(text, "          -          6.00          1.00         25.00\n"), text);
  BOOST_TEST(json["element"] == "bfloat16");
  BOOST_TEST(json["on_top_of"] == "resized-crop");
  BOOST_TEST(json["bar"]["most_us_more"] == 25);
  BOOST_TEST(json["sides"][2]["us_more"] == 25);
  BOOST_TEST(json["sides"][2]["times_opencv"].is_null());
  BOOST_TEST(json["sides"][3]["us_more"].is_null());
  BOOST_TEST(contains(report(24.9).first, "resized-crop: missed"));
  BOOST_TEST(report(24.9).second["is_reached"] == false);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
