// That the judge of the kills judges: logs by hand.
#include "tests/train/run/counted_steps.h"

#include <boost/test/unit_test.hpp>
#include <stdexcept>

namespace penstock::train::tests {
namespace {

using Lines = std::vector<std::string>;

const Lines kFirst = {"batch 0 0:2 1:0", "step",  "checkpoint",  "batch 0 2:1", "step",
                      "validation",      "epoch", "batch 1 0:1", "batch 1 1:2"};

BOOST_AUTO_TEST_SUITE(counted_steps)

BOOST_AUTO_TEST_CASE(a_step_has_the_samples_of_its_batches) {
  const LoggedSteps logged =
      logged_steps({"batch 0 0:2 1:0", "batch 0 2:1", "step", "batch 1 0:1", "step"});
  const std::vector<TakenStep> expected = {{{0, 0, 2}, {0, 1, 0}, {0, 2, 1}}, {{1, 0, 1}}};
  BOOST_CHECK(logged.steps == expected);
  BOOST_TEST(logged.open.empty());
}

BOOST_AUTO_TEST_CASE(a_step_without_an_end_is_no_step) {
  const LoggedSteps logged = logged_steps(kFirst);
  BOOST_TEST(logged.steps.size() == 2u);
  BOOST_CHECK(logged.open == TakenStep({{1, 0, 1}, {1, 1, 2}}));
}

BOOST_AUTO_TEST_CASE(what_was_taken_behind_the_checkpoint_counts_no_more) {
  std::vector<TakenStep> counted;
  add_steps(counted, logged_steps(kFirst), 0);
  add_steps(counted, logged_steps({"batch 0 2:1", "step", "batch 1 0:0 1:1", "step"}), 1);
  add_steps(counted, logged_steps({"batch 1 2:2", "step"}), 3);
  BOOST_TEST(counted.size() == 4u);
  BOOST_TEST(not_once(counted, {.num_passes = 2, .num_samples = 3}) == "");
}

BOOST_AUTO_TEST_CASE(a_checkpoint_of_steps_that_nobody_took_is_an_error) {
  std::vector<TakenStep> counted;
  BOOST_CHECK_THROW(add_steps(counted, logged_steps(kFirst), 1), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(what_is_taken_twice_or_never_or_too_much_is_found) {
  std::vector<TakenStep> counted;
  // Went on one step late, with a sample of the pass after.
  add_steps(counted, logged_steps({"batch 0 0:2 1:0", "step", "batch 0 1:0", "step"}), 0);
  add_steps(counted, logged_steps({"batch 1 0:2", "step"}), 2);
  BOOST_TEST(not_once(counted, {.num_passes = 1, .num_samples = 3}) ==
             "pass 0: position 1: expected 1, found 2\n"
             "pass 0: position 2: expected 1, found 0\n"
             "pass 0: sample 0: expected 1, found 2\n"
             "pass 0: sample 1: expected 1, found 0\n"
             "pass 1: position 0: expected 0, found 1\n"
             "pass 1: sample 2: expected 0, found 1\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::tests
