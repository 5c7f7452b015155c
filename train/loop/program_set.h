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

struct ProgramSetConfig {
  /// Samples per training step; 0 for no training.
  std::uint32_t train_batch = 32;
  /// Samples of a training epoch: its last step takes what whole batches leave over. 0 when every
  /// step is whole.
  std::uint64_t num_train_samples = 0;
  /// Samples per evaluation step; 0 for no evaluation.
  std::uint32_t evaluation_batch = 32;
  OptimizerConfig optimizer{};
  /// Smoothing and weights of classes are left out in evaluation.
  LossSpec loss{};
  /// How the labels of training batches come; evaluation has class indices.
  LabelForm label_form = LabelForm::kClassIndex;
};

/// Lowers at once; memory is allocated by bind(), so that the plan can be looked at before.
///
/// Lifetime  the backend outlives the set
class ProgramSet {
 public:
  /// Errors  InvalidArgument when the graph cannot be lowered for these batches; when that is the
  ///         shorter last one's fault, the hint is the nearest batch size that leaves another
  ProgramSet(Backend& backend, const ModelGraph& graph, const ProgramSetConfig& config);

  const MemoryPlan& plan() const noexcept { return plan_; }

  /// Allocates the arena and binds every program into it. Throws OutOfMemory.
  void bind();

  Backend& backend() const noexcept { return backend_; }
  /// The program for a training batch of so many samples.
  Program& train_program(std::uint32_t num_samples) const;
  Program& evaluation_program() const;
  /// Values that evaluation_program().read_logits() fills.
  std::size_t num_logits() const noexcept { return num_logits_; }
  std::uint32_t num_classes() const noexcept { return num_classes_; }
  /// A program through which parameters are imported and exported.
  Program& any_program() const noexcept { return *programs_.front(); }

 private:
  Program* lower(const ModelGraph& graph, const ProgramSetConfig& config, Mode mode,
                 std::uint32_t batch);
  void lower_training(const ModelGraph& graph, const ProgramSetConfig& config);
  std::vector<Program*> pointers() const;

  Backend& backend_;
  std::optional<BoundArena> arena_;  // before the programs: outlives them
  std::vector<std::unique_ptr<Program>> programs_;
  Program* evaluation_ = nullptr;
  std::uint32_t num_classes_ = 0;
  std::size_t num_logits_ = 0;
  MemoryPlan plan_;
};

}  // namespace penstock::train
