#include "tools/bench/rounds.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"

namespace penstock::tools::bench {
namespace {

BOOST_AUTO_TEST_SUITE(rounds)

BOOST_AUTO_TEST_CASE(a_spread_is_the_median_between_the_extremes) {
  const Spread odd = spread_of({5, 1, 100});
  BOOST_TEST(odd.median == 5);
  BOOST_TEST(odd.low == 1);
  BOOST_TEST(odd.high == 100);
  BOOST_TEST(spread_of({4, 1, 3, 100}).median == 3.5);
  BOOST_TEST(spread_of({7}).median == 7);
  BOOST_TEST(spread_of({}).median == 0);
}

// A side that says what a list tells it to have taken, and writes its name down.
Side told_side(std::string name, std::string ceiling, std::uint64_t num_samples,
               std::vector<double> seconds, std::string& order) {
  auto next = std::make_shared<std::size_t>(0);
  return {
      .name = name, .ceiling = std::move(ceiling), .num_samples = num_samples, .run = [=, &order] {
        order += name;
        const double taken = seconds.at((*next)++);
        return RunTime{.seconds = taken, .cpu_seconds = 2 * taken};
      }};
}

// By hand. The first time of each counts for nothing; 10 samples in 1 s, 2 s and 5 s.
BOOST_AUTO_TEST_CASE(sides_alternate_and_are_compared_round_by_round) {
  std::string order;
  const std::vector<Side> sides = {told_side("a", "", 10, {99, 1, 2, 5}, order),
                                   told_side("b", "a", 5, {99, 1, 4, 2}, order)};
  const auto results = run_rounds(sides, 3);
  BOOST_TEST(order ==
             "abab"
             "ba"
             "ab");
  BOOST_TEST(result_named(results, "a").samples_per_s.median == 5);
  BOOST_TEST(result_named(results, "a").samples_per_s.low == 2);
  BOOST_TEST(result_named(results, "a").samples_per_s.high == 10);
  BOOST_TEST(!result_named(results, "a").ratio.has_value());
  const SideResult& b = result_named(results, "b");
  // 5 over 10, 1.25 over 5, 2.5 over 2 a second.
  BOOST_TEST(b.ratio->median == 0.5);
  BOOST_TEST(b.ratio->low == 0.25);
  BOOST_TEST(b.ratio->high == 1.25);
  // CPU of a sample: 0.2, 0.4, 1 s of the ceiling over 0.4, 1.6, 0.8 s.
  BOOST_TEST(b.cpu_ratio->median == 0.5);
  BOOST_TEST(b.cpu_ratio->low == 0.25);
  BOOST_TEST(b.cpu_ratio->high == 1.25);
  BOOST_TEST(b.cpu_us.median == 8e5);
}

BOOST_AUTO_TEST_CASE(what_a_side_prepares_comes_before_each_of_its_runs) {
  std::string order;
  Side side = told_side("r", "", 1, {1, 1, 1}, order);
  side.prepare = [&order] { order += "p"; };
  (void)run_rounds({side}, 2);
  BOOST_TEST(order == "prprpr");
}

BOOST_AUTO_TEST_CASE(a_ratio_is_given_only_where_as_many_samples_failed) {
  const auto failing = [](std::string name, std::string ceiling, std::uint64_t num_failed) {
    return Side{.name = std::move(name),
                .ceiling = std::move(ceiling),
                .num_samples = 10,
                .run = [num_failed] {
                  return RunTime{1, 1, num_failed};
                }};
  };
  const auto results = run_rounds(
      {failing("all", "", 0), failing("two", "all", 2), failing("also two", "two", 2)}, 1);
  BOOST_TEST(results[1].num_failed == 2u);
  BOOST_TEST(!results[1].ratio.has_value());
  BOOST_TEST(!results[1].cpu_ratio.has_value());
  BOOST_TEST(results[2].ratio.has_value());
}

BOOST_AUTO_TEST_CASE(a_ceiling_that_is_not_measured_is_refused) {
  std::string order;
  const std::vector<Side> sides = {told_side("b", "nobody", 1, {1, 1}, order)};
  BOOST_CHECK_THROW((void)run_rounds(sides, 1), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
