// The epochs of one stream on one rank: where it begins, how each is cut into batches, when it
// ends.
#pragma once

#include <cstdint>
#include <optional>

#include "streamer/order/epoch_range.h"

namespace penstock {

/// Pure functions of the settings: admission and consumer count by the same ones.
///
/// Threads  immutable
class StreamEpochs {
 public:
  struct Config {
    EpochShape whole;  // of an epoch that is not resumed
    std::uint32_t first_epoch = 0;
    /// Where the first epoch goes on; 0 unless it is resumed.
    std::uint64_t first_position = 0;
    /// Epochs to deliver, the first one included; empty: no end.
    std::optional<std::uint32_t> num_epochs;
  };

  explicit StreamEpochs(const Config& config) noexcept : config_(config) {}

  std::uint32_t first() const noexcept { return config_.first_epoch; }
  const std::optional<std::uint32_t>& num_epochs() const noexcept { return config_.num_epochs; }
  const EpochShape& whole() const noexcept { return config_.whole; }
  EpochShape shape(std::uint32_t epoch) const noexcept;
  /// Batches of the whole stream; empty: no end.
  std::optional<std::uint64_t> num_batches_total() const noexcept;

 private:
  Config config_;
};

}  // namespace penstock
