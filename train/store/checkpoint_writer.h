// Writes one checkpoint: whole, or not at all.
#pragma once

#include <filesystem>
#include <optional>

#include "train/store/checkpoint_folder.h"
#include "train/store/checkpoint_state.h"
#include "train/store/safetensors.h"

namespace penstock::train {

/// What is stored. All tensors are float32 in canonical shapes.
struct CheckpointContent {
  CheckpointState state;
  /// Weights and running statistics.
  TensorSource model;
  /// Named "<parameter>.<state>": "stem.weight.momentum". May have no tensors.
  TensorSource optimizer;
  std::optional<TensorSource> ema = {};
};

/// Writes a checkpoint into `folder`, which is made where it is missing: under a temporary name, every
/// file flushed, published by one rename, the folder flushed. What killed writers left behind is removed
/// first. Whatever fails, the checkpoints that were there stay; until the rename, so does the list of
/// them, and what was written is removed.
///
/// Returns  the new checkpoint, the newest of the folder
/// Errors   Io, a full disk among it: a run may go on with a warning; InvalidArgument; those of the
///          sources' `fill`
/// Threads  one writer per folder, in one process
/// Cost     the memory of the largest tensor; the disk holds the old ones and the new one
CheckpointEntry write_checkpoint(const std::filesystem::path& folder, CheckpointContent content);

}  // namespace penstock::train
