#include "train/metrics/worst_mistakes.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>

namespace penstock::train {
namespace {

std::vector<std::uint64_t> ids_of(const WorstMistakes& worst) {
  std::vector<std::uint64_t> ids;
  for (const Mistake& mistake : worst.list()) ids.push_back(mistake.sample_id);
  return ids;
}

BOOST_AUTO_TEST_SUITE(worst_mistakes)

// By sorting all of them: losses are a third of the id, so that three ids tie.
BOOST_AUTO_TEST_CASE(the_worst_are_kept_in_whatever_order_they_come) {
  std::vector<std::uint64_t> ids(100);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i;
  const std::vector<std::uint64_t> expected = {99, 96, 97, 98, 93, 94, 95};
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::ranges::shuffle(ids, std::mt19937(seed));
    WorstMistakes worst(7), left(7), right(7);
    for (const std::uint64_t id : ids) {
      const Mistake mistake{.sample_id = id, .loss = static_cast<double>(id / 3)};
      worst.add(mistake);
      (id % 2 == 0 ? left : right).add(mistake);
    }
    left.merge(right);
    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_TEST(ids_of(worst) == expected, boost::test_tools::per_element());
      BOOST_TEST(ids_of(left) == expected, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(fewer_than_fit_are_all_kept_and_none_where_none_fit) {
  WorstMistakes some(3), none(0);
  some.add({.sample_id = 1, .loss = 1});
  some.add({.sample_id = 2, .loss = 2});
  none.add({.sample_id = 1, .loss = 1});
  BOOST_TEST(ids_of(some) == (std::vector<std::uint64_t>{2, 1}), boost::test_tools::per_element());
  BOOST_TEST(none.list().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
