// The flags that evaluate and predict share: what computes, and within which limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "train/run/inference/inference_config.h"

namespace CLI {
class App;
}

namespace penstock::tools {

struct InferenceFlags {
  std::string backend = "onednn";
  std::string device = "auto";
  std::optional<train::ComputeType> precision;  // the run's
  std::uint64_t threads = 0;
  std::uint64_t loader_threads = 0;  // evaluate only: predict has no loader
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_gpu_bytes = 0;

  train::InferenceConfig config() const;
};

/// Adds --backend, --device, --memory-gpu, --precision, --threads, --memory and --simd. `flags` outlives the parsing.
void add_inference_flags(CLI::App& command, InferenceFlags& flags);

}  // namespace penstock::tools
