// What one epoch of a run came to.
#pragma once

#include <cstdint>
#include <optional>

#include "train/loop/pass_report.h"
#include "train/metrics/metric_table.h"

namespace penstock::train {

/// One epoch, finished or under way; `validation` is set when its pass has ended.
struct EpochReport {
  std::uint32_t epoch_idx = 0;
  std::uint32_t num_epochs = 0;
  PassReport train = {};
  std::optional<PassReport> validation = {};
  /// Steps of the run, this epoch's included; 0 while it is under way, as `metrics` is empty.
  std::uint64_t num_steps = 0;
  /// All that it is measured by: RunMetrics::names() in epoch_metrics.h.
  MetricTable metrics = {};
};

}  // namespace penstock::train
