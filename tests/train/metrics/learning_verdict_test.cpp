#include "train/metrics/learning_verdict.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Histories are written by hand: losses of each epoch, from 1 on.
struct Losses {
  std::vector<double> train;
  std::vector<double> validation = {};
  std::vector<double> validation_accuracy = {};
  std::vector<double> train_accuracy = {};
};

LearningVerdict judge(const Losses& losses, double chance_loss = 0,
                      const LearningThresholds& thresholds = {}) {
  std::vector<LearningEpoch> epochs;
  for (std::size_t i = 0; i < losses.train.size(); ++i) {
    const auto value = [&](const std::vector<double>& list) {
      return i < list.size() ? list[i] : kNan;
    };
    epochs.push_back({.epoch = static_cast<std::uint32_t>(i + 1),
                      .train_loss = losses.train[i],
                      .validation_loss = value(losses.validation),
                      .train_accuracy = value(losses.train_accuracy),
                      .validation_accuracy = value(losses.validation_accuracy)});
  }
  return judge_learning({.epochs = epochs, .chance_loss = chance_loss}, thresholds);
}

void check(const LearningVerdict& verdict, LearningState state, std::uint32_t since_epoch) {
  BOOST_TEST((verdict.state == state), verdict.line());
  BOOST_TEST(verdict.since_epoch == since_epoch);
  BOOST_TEST(verdict.line().empty() == (state == LearningState::kNothingToSay));
}

BOOST_AUTO_TEST_SUITE(learning_verdict)

BOOST_AUTO_TEST_CASE(a_validation_loss_that_rises_while_training_falls_is_overfitting) {
  const LearningVerdict verdict = judge(
      {.train = {1.0, 0.7, 0.5, 0.4, 0.3, 0.2}, .validation = {1.1, 0.9, 0.8, 0.9, 1.0, 1.1}});
  check(verdict, LearningState::kOverfitting, 3);
  BOOST_TEST(
      verdict.line() ==
      "validation loss rises while training loss falls since epoch 3 (0.8 then, 1.1 now): "
      "overfitting; try the weights of that epoch, stronger augmentation, more weight decay, "
      "dropout, or a smaller network");
}

BOOST_AUTO_TEST_CASE(overfitting_with_rising_accuracy_gets_other_advice) {
  const LearningVerdict verdict = judge({.train = {1.0, 0.7, 0.5, 0.4, 0.3, 0.2},
                                         .validation = {1.1, 0.9, 0.8, 0.9, 1.0, 1.1},
                                         .validation_accuracy = {0.5, 0.6, 0.7, 0.7, 0.71, 0.72}});
  check(verdict, LearningState::kOverfitting, 3);
  BOOST_TEST(verdict.line() ==
             "validation loss rises while training loss falls since epoch 3 (0.8 then, 1.1 now), "
             "though validation accuracy rises too: overfitting, too sure where wrong; try label "
             "smoothing, mixup, or more weight decay");
}

BOOST_AUTO_TEST_CASE(accuracies_of_training_and_validation_are_told_where_both_are_known) {
  const LearningVerdict verdict = judge({.train = {1.0, 0.7, 0.5, 0.4, 0.3, 0.2},
                                         .validation = {1.1, 0.9, 0.8, 0.9, 1.0, 1.1},
                                         .validation_accuracy = {0.5, 0.6, 0.7, 0.7, 0.7, 0.69},
                                         .train_accuracy = {0.5, 0.6, 0.7, 0.8, 0.9, 0.95}});
  check(verdict, LearningState::kOverfitting, 3);
  BOOST_TEST(verdict.finding ==
             "validation loss rises while training loss falls since epoch 3 (0.8 then, 1.1 now; "
             "accuracy 0.95 in training, 0.69 in validation): overfitting");
}

BOOST_AUTO_TEST_CASE(overfitting_needs_a_rise_that_lasts_and_a_train_loss_that_falls) {
  const std::vector<double> train = {1.0, 0.7, 0.5, 0.4, 0.3, 0.2};
  // Back at 0.82 in one of the last three epochs: 2.5 % above the lowest.
  check(judge({.train = train, .validation = {1.1, 0.9, 0.8, 0.9, 0.82, 1.1}}),
        LearningState::kNothingToSay, 0);
  // The train loss rises too: that is not overfitting.
  check(judge({.train = {1.0, 0.7, 0.5, 0.6, 0.6, 0.6},
               .validation = {1.1, 0.9, 0.8, 0.9, 1.0, 1.1}}),
        LearningState::kNothingToSay, 0);
  // Two epochs after the lowest are too few.
  check(judge({.train = {1.0, 0.7, 0.5, 0.4, 0.3}, .validation = {1.1, 0.9, 0.8, 1.0, 1.1}}),
        LearningState::kNothingToSay, 0);
  // The lowest of all counts, not a dip among the last.
  check(judge({.train = train, .validation = {0.5, 0.9, 0.8, 0.9, 0.85, 0.8}}),
        LearningState::kOverfitting, 1);
}

BOOST_AUTO_TEST_CASE(epochs_without_validation_are_passed_over) {
  check(judge({.train = {1.0, 0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2},
               .validation = {1.1, kNan, 0.8, kNan, 0.9, 1.0, kNan, 1.1}}),
        LearningState::kOverfitting, 3);
}

// ln(10) is 2.3026; 2 % below is 2.2565.
BOOST_AUTO_TEST_CASE(a_loss_that_stays_at_guessing_is_not_learning) {
  const double chance = std::log(10.0);
  const LearningVerdict verdict = judge({.train = {2.31, 2.303, 2.3024}}, chance);
  check(verdict, LearningState::kNotLearning, 1);
  BOOST_TEST(verdict.finding ==
             "not learning: the lowest training loss of 3 epochs is 2.302, guessing gives 2.303");
  BOOST_TEST(verdict.advice ==
             "a learning rate ten times lower, then ten times higher; a few pictures alone until "
             "their loss is near 0; and a look at whether labels belong to their pictures");
  check(judge({.train = {2.31, 2.303, 2.257}}, chance), LearningState::kNotLearning, 1);
  check(judge({.train = {2.31, 2.303, 2.256}}, chance), LearningState::kNothingToSay, 0);
  check(judge({.train = {2.31, 2.303}}, chance), LearningState::kNothingToSay, 0);
  // Without a known loss of guessing there is nothing to hold it against.
  check(judge({.train = {2.31, 2.303, 2.3024}}), LearningState::kNothingToSay, 0);
}

BOOST_AUTO_TEST_CASE(a_validation_loss_that_falls_to_the_end_could_fall_further) {
  const LearningVerdict verdict =
      judge({.train = {1.0, 0.9, 0.8, 0.7, 0.6}, .validation = {1.1, 1.0, 0.9, 0.8, 0.75}});
  check(verdict, LearningState::kStillImproving, 2);
  BOOST_TEST(verdict.line() ==
             "validation loss was still falling at the end (1 in epoch 2, 0.75 in epoch 5); try "
             "more epochs");
  // Flat: 2 % in three epochs.
  check(judge({.train = {1.0, 0.9, 0.8, 0.7, 0.6}, .validation = {1.1, 0.51, 0.505, 0.502, 0.5}}),
        LearningState::kNothingToSay, 0);
  // The lowest is not the last.
  check(judge({.train = {1.0, 0.9, 0.8, 0.7, 0.6}, .validation = {1.1, 1.0, 0.9, 0.74, 0.75}}),
        LearningState::kNothingToSay, 0);
  check(judge({.train = {1.0, 0.9, 0.8}, .validation = {1.1, 0.9, 0.5}}),
        LearningState::kNothingToSay, 0);
}

BOOST_AUTO_TEST_CASE(a_loss_that_explodes_or_is_no_number_has_diverged) {
  const LearningVerdict exploded = judge({.train = {1.0, 0.8, 0.9, 35.1}});
  check(exploded, LearningState::kDiverged, 3);
  BOOST_TEST(
      exploded.line() ==
      "training diverged: its loss was 0.8 in epoch 2 and is 35.1 in epoch 4; try a third of "
      "the learning rate, a longer warm-up, or clipped gradients");
  const LearningVerdict no_number = judge({.train = {1.0, 0.8, kNan}});
  check(no_number, LearningState::kDiverged, 3);
  BOOST_TEST(no_number.finding == "training diverged: the loss of epoch 3 is not a finite number");
  check(judge({.train = {1.0, kInfinity}}), LearningState::kDiverged, 2);
  check(judge({.train = {1.0, 0.9}, .validation = {1.0, kInfinity}}), LearningState::kDiverged, 2);
}

BOOST_AUTO_TEST_CASE(a_loss_that_rises_but_stays_below_its_start_has_not_diverged) {
  check(judge({.train = {1.0, 0.3, 0.9}}), LearningState::kNothingToSay, 0);
  check(judge({.train = {1.0, 0.9, 1.7}}), LearningState::kNothingToSay, 0);
  // An epoch without a number that the run got over.
  check(judge({.train = {1.0, kNan, 0.8}}), LearningState::kNothingToSay, 0);
}

BOOST_AUTO_TEST_CASE(divergence_is_told_before_anything_else) {
  check(judge({.train = {2.4, 2.35, 9.0}}, std::log(10.0)), LearningState::kDiverged, 3);
}

BOOST_AUTO_TEST_CASE(a_run_that_went_well_or_has_hardly_begun_gets_no_line) {
  check(judge({}), LearningState::kNothingToSay, 0);
  check(judge({.train = {2.3}, .validation = {2.3}}, std::log(10.0)), LearningState::kNothingToSay,
        0);
  check(judge({.train = {1.5, 0.8, 0.5, 0.4, 0.35, 0.33, 0.32},
               .validation = {1.4, 0.9, 0.6, 0.5, 0.5, 0.495, 0.497}},
              std::log(10.0)),
        LearningState::kNothingToSay, 0);
}

BOOST_AUTO_TEST_CASE(thresholds_move_where_a_verdict_begins) {
  const Losses slow{.train = {1.0, 0.9, 0.8, 0.7}, .validation = {0.50, 0.51, 0.52, 0.52}};
  check(judge(slow), LearningState::kNothingToSay, 0);
  check(judge(slow, 0, {.overfitting_rise = 0.01}), LearningState::kOverfitting, 1);
  check(judge({.train = {1.0, 0.9, 1.7}}, 0, {.divergence_factor = 1.5}), LearningState::kDiverged,
        3);
}

BOOST_AUTO_TEST_CASE(thresholds_out_of_range_are_named) {
  const auto message = [](const LearningThresholds& thresholds) {
    try {
      thresholds.validate();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  BOOST_TEST(message({}) == "accepted");
  BOOST_TEST(message({.divergence_factor = 1}) ==
             "learning verdict: divergence_factor: expected a number above 1, found 1");
  BOOST_TEST(message({.chance_margin = 1}) ==
             "learning verdict: chance_margin: expected 0 to below 1, found 1");
  BOOST_TEST(message({.overfitting_rise = kNan}) ==
             "learning verdict: overfitting_rise: expected a number, 0 or more, found nan");
  BOOST_TEST(message({.num_improving_epochs = 0}) ==
             "learning verdict: num_improving_epochs: expected 1 to 4294967295, found 0");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
