// state.json of a checkpoint: where a run is, what it is, what computed it. CHECKPOINT.md is the
// normative description. Knows nothing of files' places.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "train/store/safetensors.h"

namespace penstock::train {

/// The best result of a run so far.
struct BestResult {
  /// Such as "val_loss".
  std::string metric;
  double value = 0;
  /// From 0.
  std::uint64_t epoch_idx = 0;
  /// Name of the checkpoint with these weights; write_checkpoint() takes an empty one for its own.
  std::string checkpoint = {};
};

/// All of a run but its tensors. Texts are UTF-8: other bytes are stored as U+FFFD.
struct CheckpointState {
  /// Epochs done in full: the index of the one under way.
  std::uint64_t epoch_idx = 0;
  /// Samples of the epoch under way that steps have taken; 0 between two epochs.
  std::uint64_t epoch_position_samples = 0;
  /// Optimizer steps taken, those with a gradient that was not finite included.
  std::uint64_t step = 0;
  /// Steps that changed the weights, at most `step`: Adam's count.
  std::uint64_t num_finite_steps = 0;
  std::uint64_t seed = 0;
  /// JSON objects by name, not looked into: schedule, plateau, early stopping, the loader, sums of the
  /// epoch under way. They come back as the same JSON values. At most 32 levels deep.
  std::map<std::string, std::string> parts = {};
  std::optional<BestResult> best = {};

  /// The resolved run file.
  std::string configuration;
  /// The same by key, as resume_verdict.h compares it.
  std::map<std::string, std::string> settings = {};
  std::string dataset_id;
  /// The graph's canonical text.
  std::string model_identity;

  /// Library, version and device.
  std::string backend;
  /// What the backend chose and can choose again (algorithms, layouts); may be empty.
  std::string plans = {};
  /// Samples that are computed at once, 1 or more.
  std::uint32_t micro_batch = 1;
  /// 1 or more.
  std::uint32_t num_compute_threads = 1;
  /// 0 where the batches come from elsewhere.
  std::uint32_t num_loader_threads = 0;
  /// Such as "avx512_core_amx".
  std::string instruction_set;

  bool is_mid_epoch() const noexcept { return epoch_position_samples > 0; }

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// The tensor files of a checkpoint.
enum class TensorGroup : std::uint8_t { kModel, kOptimizer, kEma };
inline constexpr std::array<TensorGroup, 3> kTensorGroups = {
    TensorGroup::kModel, TensorGroup::kOptimizer, TensorGroup::kEma};
/// "model.safetensors", "optimizer.safetensors", "ema.safetensors".
std::string_view tensor_file_name(TensorGroup group) noexcept;

/// A state and the files that it vouches for: model and optimizer always, EMA or not.
struct SealedState {
  CheckpointState state;
  std::map<TensorGroup, FileSeal> seals = {};
};

/// Largest state.json.
inline constexpr std::uint64_t kMaxStateBytes = 16u << 20;

/// Returns the text of state.json, its own checksum included.
///
/// Errors  InvalidArgument for a field out of its range, a part that is no JSON object, more than
///         kMaxStateBytes
std::string format_checkpoint_state(const SealedState& sealed);

/// Parses such a text. The checksum is compared before anything is parsed.
///
/// Errors  CorruptData naming what was expected and found; Unsupported for a newer version;
///         `where` names the file
SealedState parse_checkpoint_state(std::string_view text, const std::string& where);

}  // namespace penstock::train
