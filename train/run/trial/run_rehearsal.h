// A run that stores nothing: everything is checked and taken as in train_run(), a few steps and batches of a
// validation are computed on the run's own data, and from their time follows that of the whole run.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "train/run/run_overview.h"
#include "train/run/run_start.h"
#include "train/run/settings/run_config.h"
#include "train/run/trial/run_forecast.h"
#include "train/run/trial/timed_batches.h"

namespace penstock::train {

/// Called on the thread that runs the rehearsal; may be empty.
struct RehearsalWatch {
  /// When everything is ready and before the first step.
  std::function<void(const RunOverview&)> at_start = {};
  /// After batches of training, then of validation.
  std::function<void(std::uint64_t)> at_train_batch = {};
  std::function<void(std::uint64_t)> at_validation_batch = {};
};

/// Every stage in which other weights learn is timed by itself. RunConfig::out may be empty for a run from
/// its start.
///
/// Errors  as train_run() before its first step, and those of the steps taken; Stopped
RunForecast rehearse_run(const RunConfig& config, RunStart start, const BatchTiming& timing,
                         const RehearsalWatch& watch, const std::stop_token& stop);

}  // namespace penstock::train
