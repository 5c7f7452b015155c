// The programs that a run needs, over one set of parameters and in one arena: the full training
// batch, the epoch's shorter last one, the evaluation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "train/backend/backend.h"
#include "train/plan/memory_plan.h"

namespace penstock::train {

/// What stays as it is from an epoch on, until the next stage.
struct LearningStage {
  std::uint32_t first_epoch = 0;
  std::vector<bool> frozen_params{};  // Lowering::frozen_params
  std::vector<bool> fixed_norms{};    // Lowering::fixed_norms
};

struct ProgramSetConfig {
  /// Samples per training step; 0 for no training.
  std::uint32_t train_batch = 32;
  /// Samples of a batch as it is delivered: those of a step, or a divisor of them, so that a step takes
  /// several batches; 0 for train_batch.
  std::uint32_t lease_batch = 0;
  /// The most samples that are computed at once: batches of more are run in parts that add their gradients
  /// up; 0 for lease_batch.
  std::uint32_t micro_batch = 0;
  /// Samples of a training epoch: its last step takes what whole batches leave over. 0 when every
  /// step is whole. A run that drops the remainder gives a multiple of train_batch.
  std::uint64_t num_train_samples = 0;
  /// Lowering::recomputed of the training programs.
  std::vector<bool> recomputed{};
  /// Samples per evaluation step; 0 for no evaluation.
  std::uint32_t evaluation_batch = 32;
  /// Of all programs.
  bool runs_trials = true;  // Lowering's
  PixelNorm pixel_norm{};
  ComputeType compute = ComputeType::kFloat32;
  /// With an EMA the evaluation reads the means of the weights.
  OptimizerConfig optimizer{};
  /// Lowering::param_rates.
  std::vector<ParamRates> param_rates{};
  /// By rising epoch, the first from epoch 0; empty: everything learns throughout. What learns in one learns
  /// in all that follow.
  std::vector<LearningStage> stages{};
  /// Smoothing and weights of classes are left out in evaluation.
  LossSpec loss{};
  /// Lowering::grad_reducer of the training programs.
  GradReducer* grad_reducer = nullptr;
  /// How the labels of training batches come; evaluation has class indices.
  LabelForm label_form = LabelForm::kClassIndex;
};

/// Lowers at once; memory is allocated by bind(), so that the plan can be looked at before.
///
/// Lifetime  the backend outlives the set
class ProgramSet {
 public:
  /// Errors  InvalidArgument when the graph cannot be lowered for these batches, or has dropout and a step of more
  ///         than kMaxDropoutSamples; when that is the shorter last one's fault, the hint is the nearest batch size
  ///         that leaves another, or to drop it
  ProgramSet(Backend& backend, const ModelGraph& graph, const ProgramSetConfig& config);

  const MemoryPlan& plan() const noexcept { return plan_; }

  /// Allocates the arena and binds every program into it. Throws OutOfMemory.
  void bind();

  /// Of a product, in all programs.
  std::uint64_t largest_workspace_bytes() const;
  bool is_bound() const noexcept { return arena_.has_value(); }

  Backend& backend() const noexcept { return backend_; }
  /// Says which epoch the next training steps belong to: those of its stage run. 0 at first.
  void begin_epoch(std::uint32_t epoch_idx);
  /// The program for a training run of so many samples: of a part of a batch.
  Program& train_program(std::uint32_t num_samples) const;
  /// Samples per training step; an epoch's last one may have fewer.
  std::uint32_t train_batch() const noexcept { return train_batch_; }
  std::uint32_t micro_batch() const noexcept { return micro_batch_; }
  /// Whether steps take several batches as they are delivered.
  bool steps_span_batches() const noexcept { return steps_span_batches_; }
  /// Whether steps take several runs, of batches or of parts of one, whose gradients add up.
  bool accumulates() const noexcept { return accumulates_; }
  Program& evaluation_program() const;
  /// Values that evaluation_program().read_logits() fills.
  std::size_t num_logits() const noexcept { return num_logits_; }
  std::uint32_t num_classes() const noexcept { return num_classes_; }
  /// A program through which parameters are imported and exported, with the states of all that ever learn.
  Program& any_program() const noexcept { return *programs_.front(); }

 private:
  /// The training programs of one stage, by the number of samples.
  struct StagePrograms {
    std::uint32_t first_epoch = 0;
    std::vector<Program*> programs;
    Program* find(std::uint32_t num_samples) const;
  };

  Program* lower(const ModelGraph& graph, const ProgramSetConfig& config,
                 const LearningStage& stage, std::uint32_t batch, Mode mode);
  void decide_parts(const ProgramSetConfig& config);
  void lower_training(const ModelGraph& graph, const ProgramSetConfig& config,
                      const LearningStage& stage);
  void lower_parts(const ModelGraph& graph, const ProgramSetConfig& config,
                   const LearningStage& stage, std::uint32_t batch);
  std::vector<Program*> pointers() const;

  Backend& backend_;
  std::optional<BoundArena> arena_;  // before the programs: outlives them
  std::vector<std::unique_ptr<Program>> programs_;
  std::vector<StagePrograms> stages_;  // the last one first
  std::size_t stage_idx_ = 0;          // of the epoch under way, in stages_
  Program* evaluation_ = nullptr;
  std::uint32_t train_batch_ = 0;
  std::uint32_t lease_batch_ = 0;
  std::uint32_t micro_batch_ = 0;
  bool steps_span_batches_ = false;
  bool accumulates_ = false;
  std::uint32_t num_classes_ = 0;
  std::size_t num_logits_ = 0;
  MemoryPlan plan_;
};

}  // namespace penstock::train
