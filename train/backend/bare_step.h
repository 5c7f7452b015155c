// The ceiling of a training step: its convolutions and dense layers alone, as the backend's library runs
// them best. It computes nothing that anybody reads.
#pragma once

#include <cstddef>
#include <vector>

#include "train/backend/step_clock.h"

namespace penstock::train {

/// The same forward and backward passes as the training program's, in the same order, one after another: no
/// other operation between them, each in the fastest layout. Memory is allocated when it is made.
///
/// Threads  one caller at a time
class BareStep {
 public:
  virtual ~BareStep() = default;

  virtual std::size_t memory_bytes() const noexcept = 0;
  /// Runs every pass once and waits for the last.
  virtual void run() = 0;
  /// Seconds of each since reset_times(), added up; none before the first one from a backend whose passes do not
  /// wait for each other until then.
  virtual std::vector<LayerTime> times() const = 0;
  virtual void reset_times() = 0;
};

}  // namespace penstock::train
