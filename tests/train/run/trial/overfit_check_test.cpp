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

// What is added up over the parts is what the whole batch gives, but for the order of sums: there is no batch norm.
BOOST_AUTO_TEST_CASE(a_batch_that_is_computed_in_parts_is_learned_whole) {
  const OverfitReport at_once = overfit_one_batch(at_rate(1e-3), {.num_steps = 3}, {}, {});
  RunConfig config = at_rate(1e-3);
  for (const std::uint32_t micro_batch : {1u, 2u, 3u}) {
    config.micro_batch = micro_batch;
    const OverfitReport in_parts = overfit_one_batch(config, {.num_steps = 3}, {}, {});
    BOOST_TEST_CONTEXT("parts of " << micro_batch) {
      BOOST_TEST(in_parts.num_samples == 8u);
      BOOST_TEST(in_parts.num_steps == 3u);
      BOOST_TEST(in_parts.first_loss == at_once.first_loss, boost::test_tools::tolerance(1e-5));
      BOOST_TEST(in_parts.last_loss == at_once.last_loss, boost::test_tools::tolerance(1e-4));
      BOOST_TEST(contains(in_parts.text(), "the loss of one batch of 8 "), in_parts.text());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_an_epoch_is_all_of_it) {
  const std::uint64_t num_training = Dataset::open(tests::pets()).split("train").num_samples();
  RunConfig config = at_rate(1e-12);
  config.batch_size = kWholeEpoch;
  config.micro_batch = 8;
  BOOST_TEST(overfit_one_batch(config, {.num_steps = 1}, {}, {}).num_samples == num_training);
}

// 64 pictures or so of 512 x 512 values are 200 MB; a part of them alone would fit.
BOOST_AUTO_TEST_CASE(a_batch_that_memory_cannot_hold_is_refused) {
  RunConfig config = at_rate(1e-3);
  config.batch_size = kWholeEpoch;
  config.micro_batch = 1;
  config.image_height_px = config.image_width_px = 512;
  BOOST_CHECK_EXCEPTION(overfit_one_batch(config, {}, {}, {}), Error, [](const Error& error) {
    BOOST_TEST_INFO(error.what() << " | " << error.hint());
    return error.code() == ErrorCode::kOutOfMemory &&
           error.hint().ends_with("; a smaller --batch-size");
  });
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
