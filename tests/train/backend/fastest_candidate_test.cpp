#include "train/backend/onednn/fastest_candidate.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace penstock::train::onednn {
namespace {

BOOST_AUTO_TEST_SUITE(fastest_candidate)

BOOST_AUTO_TEST_CASE(the_shortest_run_decides_and_not_the_first) {
  // By item and candidate, round by round; the first run of each is slow, as a cold one is.
  const std::vector<double> seconds[2][2] = {{{9, 4, 4}, {8, 7, 3}}, {{9, 2, 5}, {9, 5, 3}}};
  std::size_t num_runs[2][2] = {};
  const auto fastest = fastest_candidates(2, 2, 3, [&](std::size_t item, std::size_t candidate) {
    return seconds[item][candidate].at(num_runs[item][candidate]++);
  });
  BOOST_TEST(fastest == std::vector<std::size_t>({1, 0}), boost::test_tools::per_element());
  for (const auto& runs_of_item : num_runs) {
    for (const std::size_t runs : runs_of_item) BOOST_TEST(runs == 3u);
  }
}

BOOST_AUTO_TEST_CASE(all_items_run_with_one_candidate_and_candidates_take_turns) {
  std::string order;
  fastest_candidates(2, 2, 3, [&](std::size_t item, std::size_t candidate) {
    order += " " + std::to_string(candidate) + std::to_string(item);
    return 1.0;
  });
  BOOST_TEST(order == " 00 01 10 11 10 11 00 01 00 01 10 11");
}

BOOST_AUTO_TEST_CASE(of_equals_the_first_is_taken) {
  const auto equal = [](std::size_t, std::size_t) { return 1.0; };
  BOOST_TEST(fastest_candidates(1, 2, 1, equal).at(0) == 0u);
  BOOST_TEST(fastest_candidates(1, 1, 1, equal).at(0) == 0u);
  BOOST_TEST(fastest_candidates(0, 2, 1, equal).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::onednn
