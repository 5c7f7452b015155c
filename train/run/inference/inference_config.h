// What runs a stored model, and within which limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "train/backend/compute_type.h"

namespace penstock::train {

struct InferenceConfig {
  /// What computes on the CPU: "onednn" or "reference".
  std::string backend = "onednn";
  /// Where: "cpu", "cuda", or "auto" (device_choice.h).
  std::string device = "auto";
  /// Nothing for the run's own: the figures of its validation are then what evaluation finds again. One that only
  /// GPUs have is float32 on the CPU.
  std::optional<ComputeType> precision = {};
  /// Compute threads, up to 1,024; 0 for the rule of core_split.h.
  std::uint32_t threads = 0;
  /// Threads that read, decode and augment; 0 for the rule of core_split.h.
  std::uint32_t loader_threads = 0;
  /// Bytes; 0 for 0.8 of what the machine has available.
  std::uint64_t memory_bytes = 0;
  /// RunConfig::memory_gpu_bytes.
  std::uint64_t memory_gpu_bytes = 0;
};

}  // namespace penstock::train
