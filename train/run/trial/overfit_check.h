// Trains on one batch again and again: a network, a loss and a learning rate that work together learn it by
// heart. What does not will not learn a dataset either.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "train/run/settings/run_config.h"

namespace penstock::train {

struct OverfitConfig {
  /// Steps at most, 1 to 1,000,000; it ends before when the batch is learned.
  std::uint32_t num_steps = 200;
  /// The batch is learned when its loss is at most so much of the first one, above 0 and below 1, and every
  /// sample is right.
  double loss_share = 0.05;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

struct OverfitReport {
  std::uint32_t num_samples = 0;  // of the batch
  std::uint32_t num_steps = 0;    // taken
  std::uint32_t num_skipped_steps = 0;
  double learning_rate = 0;
  double first_loss = 0;
  double last_loss = 0;
  double last_top1 = 0;  // 0 to 1
  bool is_learned = false;

  /// "learned: the loss of one batch of 32 fell from 2.31 to 0.09 in 48 steps", or what it came to and what to
  /// look at.
  std::string text() const;
};

/// Takes the first batch of the run, all samples of a step, and its network, optimizer and peak rate, constant.
/// What keeps a loss from 0 is left aside: label smoothing, class weights, weight decay, random augmentation. Leaves
/// nothing behind.
///
/// `at_step` is told after every step; may be empty.
/// Errors  as train_run() before its first step; InvalidArgument when too many steps in a row were skipped;
///         Stopped
OverfitReport overfit_one_batch(const RunConfig& config, const OverfitConfig& overfit,
                                const std::function<void(const OverfitReport&)>& at_step,
                                const std::stop_token& stop);

}  // namespace penstock::train
