// What the loop of a run knows besides weights and its place in the data: the part "loop" of a checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/backend/program.h"
#include "train/loop/trainer.h"
#include "train/metrics/learning_verdict.h"
#include "train/optim/early_stopping.h"
#include "train/optim/reduce_on_plateau.h"

namespace penstock::train {

/// As it is between two steps.
struct LoopState {
  /// Steps, peak of the learning rate, skipped steps.
  TrainerState trainer = {};
  /// Its learning rate is the trainer's peak. At its defaults when nothing follows a metric.
  PlateauState plateau = {};
  EarlyStoppingState early_stopping = {};
  /// Epochs done in full, in order: what the verdict on learning is judged by.
  std::vector<LearningEpoch> history = {};
};

/// Name of the part in CheckpointState::parts.
inline constexpr std::string_view kLoopStatePart = "loop";

/// Returns a JSON object; numbers read back equal, and one that is none (NaN) as NaN.
std::string format_loop_state(const LoopState& state);

/// Errors  CorruptData naming the field, what was expected and found; `where` names the checkpoint
LoopState parse_loop_state(std::string_view text, const std::string& where);

/// What an optimizer goes on with beside its tensors.
struct OptimizerProgress {
  std::vector<std::uint64_t> num_steps;          // that each parameter's state has seen
  std::optional<LossScaling> loss_scaling = {};  // of float16

  static OptimizerProgress of(Program& program);
  /// A program that scales its losses begins with its own scale where none was stored.
  void restore(Program& program) const;
};

/// Name of the part that holds it.
inline constexpr std::string_view kOptimizerPart = "optimizer";

std::string format_optimizer_progress(const OptimizerProgress& progress);

/// Errors  CorruptData as above
OptimizerProgress parse_optimizer_progress(std::string_view text, const std::string& where);

}  // namespace penstock::train
