// The record that is stored beside the weights of a run: what they mean, how far they came.
#pragma once

#include <cstdint>
#include <optional>

#include "train/run/epoch/epoch_report.h"
#include "train/run/run_setup.h"
#include "train/store/model_record.h"

namespace penstock::train {

/// `num_epochs`  epochs that the weights have seen in full
/// `last`        the last epoch that was validated too; none before the first
ModelRecord model_record(const RunSetup& setup, std::uint32_t num_epochs,
                         const std::optional<EpochReport>& last);

}  // namespace penstock::train
