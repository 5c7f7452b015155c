// What runs a stored model, and within which limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "train/backend/compute_type.h"

namespace penstock::train {

struct InferenceConfig {
  /// "onednn" or "reference".
  std::string backend = "onednn";
  /// Nothing for the run's own: the figures of its validation are then what evaluation finds again.
  std::optional<ComputeType> precision = {};
  /// Compute threads, up to 1,024; 0 for the rule of core_split.h.
  std::uint32_t threads = 0;
  /// Threads that read, decode and augment; 0 for the rule of core_split.h.
  std::uint32_t loader_threads = 0;
  /// Bytes; 0 for 0.8 of what the machine has available.
  std::uint64_t memory_bytes = 0;
};

}  // namespace penstock::train
