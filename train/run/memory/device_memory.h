// The limit of what a run may hold on a GPU, beside the host's, which batch_planner.h plans with too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "train/backend/backend.h"
#include "train/plan/memory_plan.h"
#include "train/run/memory/memory_table.h"

namespace penstock::train {

struct DeviceLimit {
  std::uint64_t limit_bytes = 0;  // of arenas
  std::uint64_t free_bytes = 0;   // when it was set
  /// What trials may add to a plan that was made without: each product's scratch is at most this.
  std::uint64_t workspace_cap_bytes = 0;
};

/// Scratch that one product may ask for within a limit: an eighth of it, 256 MiB at most.
///
/// Source  Tensor cores of cuDNN 7.6 needed 128 MiB where 8 are the usual default, and no more with 512:
///         sonots/cumo#502
std::uint64_t workspace_cap_bytes(std::uint64_t asked_bytes);

/// What `asked_bytes` (RunConfig::memory_gpu_bytes) comes to on a backend: 0.9 of what is free where it is 0. Nothing
/// for a backend of the host.
std::optional<DeviceLimit> device_limit(const Backend& backend, std::uint64_t asked_bytes);

/// That a limit is above what is free; empty when it is not.
std::string device_note(const DeviceLimit& limit);

/// Draws what an arena takes from the host's memory, or checks that it is within the GPU's limit.
/// Errors  OutOfMemory
void draw_arena(const MemoryPlan& plan, const std::optional<DeviceLimit>& device,
                MemoryTable& memory);

}  // namespace penstock::train
