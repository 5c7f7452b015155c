// Looks for the learning rate of a run: trains a few steps while the rate rises, and leaves nothing behind.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "train/optim/lr_finder.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

struct LearningRateSearch {
  /// The rate to take is that of points[suggested]; nothing when the loss did not fall clearly.
  std::vector<LrFinderPoint> points = {};
  std::optional<std::size_t> suggested = {};
  LrFinderFall fall = {};
  /// Of the rates between the first and the last; the search ends where the loss rises far.
  std::uint32_t num_steps = 0;

  /// Nothing when the loss did not fall clearly.
  std::optional<double> learning_rate() const {
    if (!suggested) return std::nullopt;
    return points[*suggested].learning_rate;
  }
};

/// Takes the steps on the run's own batches, network, optimizer and loss; its schedule, its epochs and `out`
/// are left aside. Passes over the data follow each other as long as it takes.
///
/// `at_step` is told how many steps were taken; may be empty.
/// Errors  as train_run() before its first step; Stopped
LearningRateSearch search_learning_rate(const RunConfig& config, const LrFinderConfig& finder,
                                        const std::function<void(std::uint32_t)>& at_step,
                                        const std::stop_token& stop);

}  // namespace penstock::train
