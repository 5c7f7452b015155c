// What one epoch of a run came to.
#pragma once

#include <cstdint>
#include <optional>

#include "train/loop/pass_report.h"

namespace penstock::train {

/// One epoch, finished or under way; `validation` is set when its pass has ended.
struct EpochReport {
  std::uint32_t epoch_idx = 0;
  std::uint32_t num_epochs = 0;
  PassReport train = {};
  std::optional<PassReport> validation = {};
};

}  // namespace penstock::train
