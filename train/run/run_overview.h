// What there is to say of a run before its first step: what it trains, on what, in which memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/plan/memory_plan.h"
#include "train/plan/recompute_sets.h"
#include "train/run/memory/memory_row.h"
#include "train/run/settings/core_split.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

/// What is known when everything is ready and before the first step.
struct RunOverview {
  RunConfig config;  // resolved
  std::uint64_t num_train_samples = 0;
  std::uint64_t num_validation_samples = 0;  // 0: no validation split
  std::uint64_t num_classes = 0;
  std::uint64_t num_params = 0;  // trainable
  /// Of them, those that learn, by the epoch from which on they do; one that says all by default.
  struct Learning {
    std::uint32_t first_epoch = 0;
    std::uint64_t num_params = 0;
  };
  std::vector<Learning> learning;
  /// What the weights of a file are, in words: "122 tensors; fc begins anew: ..."; empty for drawn ones.
  std::string initial_weights;
  /// Why they will see other pixels than they have learned from: a line for a user; empty for none.
  std::string statistics_note;
  /// Training samples that RunConfig::loss_weights names.
  std::uint64_t num_loss_weights = 0;
  CoreSplit cores;
  std::uint32_t num_usable_cores = 0;
  std::string backend;
  /// Why the precision costs time here instead of saving it (slow_precision.h); empty when it does not.
  std::string precision_note;
  /// Why a GPU that answers is not taken; empty where none does, or it is.
  std::string device_note;
  /// Why the memory limit may not hold on this machine; empty when it may.
  std::string memory_note;
  std::vector<MemoryRow> memory;
  /// Of its row for the network: bytes by role, and what they come to from step to step and within one.
  std::vector<RoleBytes> network_roles;
  std::uint64_t network_kept_bytes = 0;
  std::uint64_t network_passing_bytes = 0;
  /// The GPU that computes, where one does.
  struct Device {
    std::uint64_t arena_bytes = 0;  // of the network
    std::uint64_t limit_bytes = 0;
    std::uint64_t used_bytes = 0;  // that it has lost since, libraries included
  };
  std::optional<Device> device;
  /// Which values are computed again.
  Recompute recompute = Recompute::kNone;
  /// That the run has too few steps to learn in, and what to type; empty when it has enough.
  std::string steps_note;
  /// How a step was made to fit the memory limit, in one line; empty when it fits as it is.
  std::string batch_note;
  /// Settings that are given and do nothing: idle_settings.h.
  std::vector<std::string> idle;
  /// Kind of the memory that batches lie in: "page-aligned", "pinned (cudaHostAlloc)".
  std::string batch_memory;
  std::uint64_t identity_hash = 0;
  /// Of a run that goes on: from where, whether bit for bit, what was passed over. Lines without an end.
  std::vector<std::string> resume_notes = {};
};

}  // namespace penstock::train
