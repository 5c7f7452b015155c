#include "train/run/trial/overfit_check.h"

#include <boost/test/unit_test.hpp>

#include <vector>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/train/run/tiny_run.h"

namespace penstock::train {
namespace {

using penstock::tests::contains;
using tests::TinyRun;

struct OneBatch : TinyRun {
  RunConfig at_rate(double rate) const {
    RunConfig config = TinyRun::config();
    config.optimizer.learning_rate = rate;
    return config;
  }
};

BOOST_FIXTURE_TEST_SUITE(overfit_check, OneBatch)

// 768 weights for each class and eight pictures: there is room to learn them by heart.
BOOST_AUTO_TEST_CASE(a_network_with_a_fair_rate_learns_one_batch) {
  std::vector<std::uint32_t> steps;
  const OverfitReport report = overfit_one_batch(
      at_rate(0.001), {}, [&](const OverfitReport& so_far) { steps.push_back(so_far.num_steps); },
      {});
  BOOST_TEST(report.is_learned);
  BOOST_TEST(report.num_samples == 8u);
  BOOST_TEST(report.num_steps < 200u);  // it ends when the batch is learned
  BOOST_TEST(steps.size() == report.num_steps);
  BOOST_TEST(report.last_loss <= 0.05 * report.first_loss);
  BOOST_TEST(report.last_top1 == 1.0);
  BOOST_TEST(report.text().starts_with("learned: the loss of one batch of 8 fell from "));
  BOOST_TEST(!std::filesystem::exists(out));
}

BOOST_AUTO_TEST_CASE(a_rate_that_moves_nothing_is_told_with_what_to_try) {
  const OverfitReport report = overfit_one_batch(at_rate(1e-12), {.num_steps = 5}, {}, {});
  BOOST_TEST(!report.is_learned);
  BOOST_TEST(report.num_steps == 5u);
  BOOST_TEST(report.text().starts_with("not learned: the loss of one batch of 8 went from "));
  BOOST_TEST(contains(report.text(),
                      "; try a learning rate ten times lower, then ten times higher than 1e-12"));
}

// Near the largest number: two steps of it are infinite.
BOOST_AUTO_TEST_CASE(a_rate_that_diverges_ends_it_with_the_reason) {
  BOOST_CHECK_EXCEPTION(
      overfit_one_batch(at_rate(3e38), {}, {}, {}), Error, [](const Error& error) {
        return contains(error.what(), "steps in a row") && error.hint() == "lower --learning-rate";
      });
}

BOOST_AUTO_TEST_CASE(a_check_can_be_stopped) {
  const auto stop_at_second = [&](const OverfitReport& so_far) {
    if (so_far.num_steps == 2) stop.request_stop();
  };
  BOOST_CHECK_EXCEPTION(overfit_one_batch(at_rate(1e-12), {}, stop_at_second, stop.get_token()),
                        Error,
                        [](const Error& error) { return error.code() == ErrorCode::kStopped; });
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  BOOST_CHECK_EXCEPTION(
      overfit_one_batch(config(), {.num_steps = 0}, {}, {}), Error, [](const Error& error) {
        return contains(error.what(), "overfit_batch: num_steps: expected 1 to 1000000, found 0");
      });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
