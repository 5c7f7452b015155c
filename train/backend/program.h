// A model graph lowered by a backend for one batch size and mode: prepared operations over one
// arena. Nothing here says where the memory lies or that a call has finished when it returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "streamer/core/batch.h"
#include "train/backend/compute_type.h"
#include "train/backend/step_clock.h"
#include "train/loss/loss_spec.h"
#include "train/optim/optimizer_config.h"
#include "train/optim/optimizer_scalars.h"
#include "train/plan/buffer.h"

namespace penstock::train {

class DeviceMemory;
class GradReducer;

enum class Mode : std::uint8_t {
  kTrain,     // batch statistics, dropout, backward and update
  kEvaluate,  // running statistics, no dropout, forward only
};

enum class Phase : std::uint8_t {
  kForward,      // logits, loss and counts; in training also the running statistics
  kBackward,     // gradients of all parameters that learn, overwritten
  kBackwardAdd,  // the same, added to what is there: the next micro-batch of a step
  kUpdate,       // the optimizer's step
  kDrop,         // the step under way is given up: running statistics are what they were before it
};

class Program;

/// How bytes of pixels become values, where a batch comes as bytes: (pixel * rescale - mean) / std, by channel.
struct PixelNorm {
  double rescale = 1.0 / 255;
  std::vector<double> mean{};  // empty: 0
  std::vector<double> std{};   // empty: 1

  float gain(std::size_t channel) const {
    return static_cast<float>(rescale / (std.empty() ? 1 : std.at(channel)));
  }
  float offset(std::size_t channel) const {
    if (mean.empty()) return 0.0f;
    return static_cast<float>(-mean.at(channel) / (std.empty() ? 1 : std.at(channel)));
  }
};

/// How to lower a graph.
struct Lowering {
  /// Samples per run, at least 1 (at least 2 values per channel in training with batch norm).
  std::uint32_t batch = 32;
  Mode mode = Mode::kTrain;
  /// Samples of the batches that are uploaded, of which a run reads `batch`; 0 for that many.
  std::uint32_t lease_batch = 0;
  /// Of batches that come as bytes; the others are taken as they are.
  PixelNorm pixel_norm{};
  /// What activations, their gradients and products are computed with; backends refuse what they cannot.
  ComputeType compute = ComputeType::kFloat32;
  /// The rule of the update phase, and its settings but for the learning rate, which comes with each step.
  OptimizerConfig optimizer{};
  /// By parameter: what its group and role make of these; empty: param_rates() of no group.
  std::vector<ParamRates> param_rates{};
  /// In evaluation: takes, of parameters that are not frozen, the means of the weights over the steps
  /// (OptimizerConfig::ema_decay) in place of the weights. Running statistics are those of the last step.
  bool reads_ema = false;
  /// What the outputs are held against.
  LossSpec loss{};
  /// How the labels of batches come. With LabelForm::kTargets they have one target for each class, and
  /// the loss is taken against these; a sample without a class index still counts nowhere.
  LabelForm label_form = LabelForm::kClassIndex;
  /// False lowers node by node: the fast path's slow twin.
  bool fuse = true;
  /// Whether several runs add their gradients up before an update: micro-batches of one step. It takes one
  /// more buffer for each parameter's gradient, which outlives the runs.
  bool accumulates = false;
  /// By parameter: those that do not learn, whatever the graph says; empty for none. What lies before the
  /// first that learns has no backward pass.
  std::vector<bool> frozen_params{};
  /// By node: batch norms that take running statistics in training, too, and leave them as they are; empty
  /// for none.
  std::vector<bool> fixed_norms{};
  /// By node: values that are dropped after the forward pass and computed again going back, from those that
  /// are kept; empty for none. Costs work and saves memory; results are the same to the bit. Not for the
  /// graph's input and output; nothing in evaluation.
  std::vector<bool> recomputed{};
  /// Whether products may be chosen by trials on the device, which take seconds; else as the library guesses. A
  /// lowering that is looked at and dropped again does without.
  bool runs_trials = true;
  /// Adds the gradients of several ranks up before an update; null where there is one.
  GradReducer* grad_reducer = nullptr;
  /// A program of the same backend and graph whose parameters the new one shares (a tail batch, an
  /// evaluation); must be bound into the same arena. Null for the first.
  const Program* share_with = nullptr;

  bool is_frozen(std::size_t param_idx) const {
    return param_idx < frozen_params.size() && frozen_params[param_idx];
  }
  bool has_fixed_norm(std::size_t node) const {
    return node < fixed_norms.size() && fixed_norms[node];
  }
  bool is_recomputed(std::size_t node) const {
    return mode == Mode::kTrain && node < recomputed.size() && recomputed[node];
  }
};

/// Numbers that change from step to step. They belong to an input slot; no re-lowering.
struct StepScalars {
  /// The schedule's value.
  double learning_rate = 0.0;
  /// 1 / batch_weight_sum() of the whole batch; 0 when nothing counts.
  float inv_weight_sum = 0.0f;
  /// What the update multiplies gradients with first: puts inv_weight_sum right when the samples of the whole
  /// step were not known before its first run.
  double gradient_scale = 1.0;
  /// Where the run's samples begin in the slot's batch: a micro-batch is a program of fewer samples.
  std::uint32_t first_sample = 0;
  /// Samples that the step took from batches before the slot's; with first_sample, a sample's place in the
  /// step, which keys dropout.
  std::uint32_t num_samples_before = 0;
  /// Step of the run: returned with the report, and with `seed` the key of dropout.
  std::uint64_t step = 0;
  std::uint64_t seed = 0;

  /// Place in the step of the run's sample `n`.
  std::uint32_t place_in_step(std::size_t n) const noexcept {
    return num_samples_before + first_sample + static_cast<std::uint32_t>(n);
  }
};

/// What one forward run came to. Samples with weight 0 or without a label count nowhere; they
/// still take part in the batch statistics of batch norm, as in PyTorch.
struct StepReport {
  std::uint64_t step = 0;
  double weighted_loss_sum = 0;
  double weight_sum = 0;
  std::uint32_t num_counted = 0;
  /// Of these, highest score on the label, or on the class of the largest target (the first one when
  /// tied).
  std::uint32_t num_correct = 0;
  bool is_finite = true;  // the loss is a number
};

/// What one update came to. A step whose losses, gradients or running statistics are not all finite changes
/// nothing: statistics that its forward runs moved are put back.
struct UpdateReport {
  std::uint64_t step = 0;
  /// Of all gradients together, before clipping.
  double gradient_norm = 0;
  bool is_finite = true;
};

/// What the losses of a float16 program are multiplied with going back, so that small gradients do not vanish; moved
/// by the update, as torch.amp.GradScaler does.
struct LossScaling {
  float scale = 1;
  std::uint32_t num_good_steps = 0;  // finite ones since the scale last changed
};

/// kState and kSecondState are the tensors of state_names(), in their order.
enum class ParamPart : std::uint8_t { kMaster, kGrad, kState, kSecondState, kEma };

/// A parameter as a program keeps it; params() has the order of ModelGraph::parameters().
struct ParamSlot {
  std::string name;
  std::vector<std::uint32_t> shape;  // canonical
  bool is_trainable = true;
  bool decays = true;
  /// Elements as stored, padding of a blocked layout included (padding is 0 and stays so).
  std::size_t num_stored_elements = 0;

  std::size_t num_elements() const noexcept {
    std::size_t n = 1;
    for (const std::uint32_t d : shape) n *= d;
    return n;
  }
};

/// One lowered graph. Made by Backend::lower, then bound once, then run any number of times.
///
/// A training step:  backend.upload(lease, slot); backend.set_scalars(scalars, slot);
///                   run(kForward, slot); run(kBackward, slot); run(kUpdate, slot);
///                   backend.release(slot);
/// In micro-batches  for each part: set_scalars({.first_sample = ...}), kForward, then kBackward for the
///                   first and kBackwardAdd for the others; then one kUpdate. A step may go on over several
///                   batches: upload the next one and say num_samples_before
/// Order    runs of all programs of a backend take effect in the order of the calls
/// Cost     run() allocates nothing, `reference` aside, and need not wait; reports come from Backend::poll()
/// Threads  one caller at a time
/// Errors   InvalidArgument for a call that does not fit the program
class Program {
 public:
  virtual ~Program() = default;

  virtual const Lowering& lowering() const noexcept = 0;
  virtual std::span<const Buffer> buffers() const noexcept = 0;
  virtual std::span<const ParamSlot> params() const noexcept = 0;

  /// Gives every buffer its place: offsets[i] bytes into `arena` for buffers()[i]. The arena must
  /// outlive the program.
  virtual void bind(DeviceMemory& arena, std::span<const std::size_t> offsets) = 0;

  /// Reads lowering().batch places of the slot's batch from its scalars' first_sample on, so a tail batch and
  /// a micro-batch are shorter programs on the same lease. Throws InvalidArgument for a batch of another
  /// shape or form of labels, too few places, a label that is no class or a target below 0.
  virtual void run(Phase phase, std::uint32_t slot) = 0;

  /// Copies the logits of the newest forward run, [batch, num_classes]; waits for it.
  virtual void read_logits(std::span<float> logits) = 0;

  /// Sets, or reads after waiting, one parameter in canonical layout, float32. Parts other than kMaster exist
  /// in training programs, for parameters that learn, as far as the optimizer keeps them; a gradient is
  /// readable between kBackward and the next run.
  virtual void import_param(std::size_t param_idx, ParamPart part,
                            std::span<const float> canonical) = 0;
  virtual void export_param(std::size_t param_idx, ParamPart part, std::span<float> canonical) = 0;

  /// Updates that each parameter has taken part in, those that were skipped left out: what Adam's correction
  /// and the EMA's warm-up count. In the order of params(); of a training program.
  virtual void import_num_steps(std::span<const std::uint64_t> num_steps) = 0;
  virtual void export_num_steps(std::span<std::uint64_t> num_steps) = 0;

  /// Part of what a run resumes with; of a training program. Backends without it have a scale of 1.
  virtual LossScaling export_loss_scaling() { return {}; }
  virtual void import_loss_scaling(const LossScaling& /*scaling*/) {}

  /// Times every layer from now on, in all phases; run() then waits for each. Without it nothing is timed.
  virtual void start_clock() {}
  /// Ends that, and returns what it came to: nothing from a backend that keeps no clock.
  virtual std::vector<LayerTime> stop_clock() { return {}; }

  /// One line per node: what it was lowered to, and why where there was a choice.
  virtual std::string explain() const = 0;
};

}  // namespace penstock::train
