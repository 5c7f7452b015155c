#include "streamer/order/class_draws.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "tests/streamer/order/chi_square.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(class_draws)

constexpr std::uint32_t kNone = 0xFFFFFFFFu;

ClassDraws draws_of(std::vector<std::uint32_t> classes, std::uint32_t num_classes) {
  return ClassDraws({.num_samples = classes.size(),
                     .num_classes = num_classes,
                     .class_of = [classes](std::uint64_t id) { return classes[id]; }});
}

// From a script in Python: Philox as in its paper, class and member by the high half of a product.
BOOST_AUTO_TEST_CASE(draws_are_a_class_and_then_a_member_by_philox) {
  const ClassDraws draws = draws_of({0, 2, 0, 2, 0, 1}, 3);
  const std::vector<std::uint64_t> expected = {5, 5, 2, 4, 0, 0, 5, 3, 5, 5, 1, 2};
  for (std::uint64_t p = 0; p < expected.size(); ++p) {
    BOOST_TEST(draws.sample_for({.seed = 11, .epoch = 2, .position = p}) == expected[p]);
  }
}

BOOST_AUTO_TEST_CASE(classes_come_equally_often_and_so_do_the_members_of_each) {
  // 60 samples of class 0, 30 of 2, 10 of 3; class 1 has none, five samples have no class.
  std::vector<std::uint32_t> classes(60, 0);
  classes.insert(classes.end(), 30, 2);
  classes.insert(classes.end(), 5, kNone);
  classes.insert(classes.end(), 10, 3);
  std::vector<double> shares;
  for (const std::uint32_t class_idx : classes) {
    const double size = class_idx == 0 ? 60 : class_idx == 2 ? 30 : 10;
    if (class_idx != kNone) shares.push_back(1 / (3 * size));
  }
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const ClassDraws draws = draws_of(classes, 4);
    std::vector<std::uint64_t> counts(classes.size(), 0);
    for (std::uint64_t p = 0; p < 100'000; ++p) {
      ++counts[draws.sample_for({.seed = seed, .epoch = 1, .position = p})];
    }
    for (std::size_t i = 90; i < 95; ++i) BOOST_TEST(counts[i] == 0u);
    counts.erase(counts.begin() + 90, counts.begin() + 95);
    const double found = tests::chi_square(counts, shares);
    BOOST_TEST_MESSAGE("seed " << seed << ": chi-square " << found << ", below "
                               << tests::chi_square_bound(99));
    BOOST_TEST(found < tests::chi_square_bound(99));
  }
}

BOOST_AUTO_TEST_CASE(a_split_without_labels_is_refused) {
  BOOST_CHECK_EXCEPTION(draws_of({kNone, kNone}, 2), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()) ==
               "loader: order: expected samples with a class, to draw them class-balanced, found "
               "none";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
