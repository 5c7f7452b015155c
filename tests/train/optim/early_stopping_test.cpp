#include "train/optim/early_stopping.h"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <vector>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Epochs that were the best, and the one that ended the run.
struct Course {
  std::vector<std::uint32_t> best;
  std::uint32_t stopped_at = 0;
  EarlyStoppingState state;
};

Course run(const EarlyStoppingConfig& config, const std::vector<double>& values) {
  Course course;
  for (std::uint32_t epoch = 0; epoch < values.size(); ++epoch) {
    const StoppingVerdict verdict = judge_epoch(config, course.state, {epoch, values[epoch]});
    course.state = verdict.state;
    course.stopped_at = epoch;
    if (verdict.is_best) course.best.push_back(epoch);
    if (verdict.should_stop) break;
  }
  return course;
}

using Epochs = std::vector<std::uint32_t>;

BOOST_AUTO_TEST_SUITE(early_stopping)

// This course and the next two as Keras 3.15.1 takes them: its EarlyStopping was called with the same
// values.
BOOST_AUTO_TEST_CASE(a_run_ends_when_patience_is_used_up) {
  const Course course = run({.patience = 2}, {3, 2, 2.5, 1.5, 1.6, 1.5, 1.0});
  BOOST_TEST((course.best == Epochs{0, 1, 3}));
  BOOST_TEST(course.stopped_at == 5u);
  BOOST_TEST(
      (course.state == EarlyStoppingState{.best = 1.5, .best_epoch_idx = 3, .num_bad_epochs = 2}));
}

BOOST_AUTO_TEST_CASE(where_more_is_better_falling_is_bad) {
  const Course course = run({.direction = MetricDirection::kHigherIsBetter, .patience = 2},
                            {0.5, 0.6, 0.6, 0.55, 0.9});
  BOOST_TEST((course.best == Epochs{0, 1}));
  BOOST_TEST(course.stopped_at == 3u);
}

BOOST_AUTO_TEST_CASE(a_change_of_min_delta_or_less_is_none) {
  const Course course = run({.patience = 3, .min_delta = 0.25}, {2, 1.75, 1.5, 1.25});
  BOOST_TEST((course.best == Epochs{0, 2}));
  BOOST_TEST(course.state.best.value() == 1.5);
}

BOOST_AUTO_TEST_CASE(nan_is_never_the_best_and_wears_patience_out) {
  const Course course = run({.patience = 2}, {kNan, 2, kNan, kNan, 1});
  BOOST_TEST((course.best == Epochs{1}));
  BOOST_TEST(course.stopped_at == 3u);
  BOOST_TEST(!run({.patience = 1}, {kNan}).state.best.has_value());
}

BOOST_AUTO_TEST_CASE(patience_of_1_ends_at_the_first_bad_epoch) {
  BOOST_TEST(run({.patience = 1}, {2, 2, 1}).stopped_at == 1u);
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  BOOST_CHECK_EXCEPTION(EarlyStoppingConfig{.patience = 0}.validate(), Error,
                        [](const Error& error) {
                          return std::string(error.what()) ==
                                     "early_stopping: patience: expected 1 to 100000, found 0" &&
                                 error.hint() == "patience = 10";
                        });
  BOOST_CHECK_THROW(EarlyStoppingConfig{.min_delta = kNan}.validate(), Error);
  BOOST_CHECK_THROW(EarlyStoppingConfig{.monitor = ""}.validate(), Error);
  BOOST_CHECK_NO_THROW(EarlyStoppingConfig{}.validate());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
