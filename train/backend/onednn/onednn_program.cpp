#include "train/backend/onednn/onednn_program.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "streamer/core/error.h"
#include "train/backend/host_inputs.h"
#include "train/backend/host_training.h"
#include "train/backend/lowering_check.h"
#include "train/backend/lowering_passes.h"
#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/parallel.h"

namespace penstock::train::onednn {
namespace {

class OnednnProgram final : public Program {
 public:
  OnednnProgram(const ModelGraph& graph, const Lowering& lowering, const BatchSpec& input_spec,
                BackendParts parts)
      : lowering_(lowering),
        parts_(parts),
        num_classes_(graph.num_classes()),
        input_(input_spec, num_classes_, lowering),
        slots_(param_slots(graph, lowering)),
        store_(shared_store(graph, lowering)) {
    lowering_.share_with = nullptr;  // only lower() may look at it
    lower(graph);
  }

  const Lowering& lowering() const noexcept override { return lowering_; }
  std::span<const Buffer> buffers() const noexcept override { return list_.buffers(); }
  std::span<const ParamSlot> params() const noexcept override { return slots_; }

  void bind(DeviceMemory& arena, std::span<const std::size_t> offsets) override {
    list_.bind(arena, offsets);
    for (const auto& binder : tasks_.binders) binder();
    if (lowering_.mode == Mode::kTrain) {
      training_.bind(list_, slots_, params_, lowering_, parts_.num_threads);
    }
  }

  void run(Phase phase, std::uint32_t slot) override {
    check_internal(list_.is_bound(), "onednn program: run before bind");
    check_phase(phase, lowering_);
    const ThreadScope threads(parts_.num_threads);
    RunContext context{.scalars = &parts_.inputs.scalars(slot)};
    if (phase == Phase::kUpdate) {
      run_tasks(tasks_.update, context);
      return;
    }
    if (phase == Phase::kDrop) return training_.drop();
    const BatchView batch = input_.part_of(parts_.inputs.view(slot), context.scalars->first_sample);
    context.batch = &batch;
    context.adds = phase == Phase::kBackwardAdd;
    if (phase != Phase::kForward) {
      run_tasks(tasks_.backward, context);
      return;
    }
    StepReport report;
    context.report = &report;
    training_.begin_forward();
    refresh_copies(context);
    run_tasks(tasks_.forward, context);
    training_.end_forward(report.is_finite);
    parts_.reports.steps.push(report);
  }

  void read_logits(std::span<float> logits) override {
    const std::size_t count = std::size_t{lowering_.batch} * num_classes_;
    check_num_logits(logits.size(), count);
    std::copy_n(list_.at<float>(logits_), count, logits.begin());
  }

  void import_param(std::size_t param_idx, ParamPart part,
                    std::span<const float> canonical) override {
    check_param_access(slots_, param_idx, part, canonical.size(), lowering_);
    StoredParam& stored = store_->param(param_idx);
    float* place = part_of(param_idx, part);
    if (part == ParamPart::kMaster) ++stored.version;
    if (part == ParamPart::kMaster || part == ParamPart::kEma) ++store_->ema(param_idx).version;
    if (!stored.layout) {
      std::ranges::copy(canonical, place);
      float* before_step = list_.at<float>(params_[param_idx].before_step);
      if (before_step != nullptr) std::ranges::copy(canonical, before_step);
      return;
    }
    PreparedOp op = parts_.library.reorder(stored.canonical, stored.layout);
    reorder(op, const_cast<float*>(canonical.data()), place);  // a source: only read
  }

  void export_param(std::size_t param_idx, ParamPart part, std::span<float> canonical) override {
    check_param_access(slots_, param_idx, part, canonical.size(), lowering_);
    const StoredParam& stored = store_->param(param_idx);
    float* place = part_of(param_idx, part);
    if (!stored.layout) {
      std::copy_n(place, canonical.size(), canonical.data());
      return;
    }
    PreparedOp op = parts_.library.reorder(stored.layout, stored.canonical);
    reorder(op, place, canonical.data());
  }

  void import_num_steps(std::span<const std::uint64_t> num_steps) override {
    check_num_steps(num_steps.size(), slots_.size(), lowering_);
    std::ranges::copy(num_steps, training_.num_steps().begin());
  }
  void export_num_steps(std::span<std::uint64_t> num_steps) override {
    check_num_steps(num_steps.size(), slots_.size(), lowering_);
    std::ranges::copy(training_.num_steps(), num_steps.begin());
  }

  void start_clock() override { clock_.emplace(); }
  std::vector<LayerTime> stop_clock() override {
    const std::optional<StepClock> clock = std::exchange(clock_, std::nullopt);
    return clock ? clock->times() : std::vector<LayerTime>();
  }

  std::string explain() const override { return explanation_; }

 private:
  static std::shared_ptr<ParameterStore> shared_store(const ModelGraph& graph,
                                                      const Lowering& lowering) {
    if (lowering.share_with == nullptr) return std::make_shared<ParameterStore>(graph);
    const auto* other = dynamic_cast<const OnednnProgram*>(lowering.share_with);
    if (other == nullptr || other->store_->identity() != graph.identity()) {
      throw Error(ErrorCode::kInvalidArgument,
                  "lowering: share_with: expected a program of the same backend and graph, "
                  "found another");
    }
    return other->store_;
  }

  void lower(const ModelGraph& graph) {
    LoweringContext context(graph, lowering_, parts_.library, *store_, list_, tasks_,
                            parts_.num_threads);
    const std::vector<LoweredLayer> layers = make_layers(graph, lowering_);
    const std::unique_ptr<Layer> loss = make_loss_layer({graph, lowering_.compute});
    LoweringPasses<LoweringContext> passes(context, layers);
    passes.forward();
    if (context.value(graph.output()) == kPixels) lower_copy(context, graph);
    context.start_pass(kLossNode, LayerPass::kForward);
    loss->forward(context);
    logits_ = context.logits;
    if (context.needs_gradient(graph.output())) {
      context.start_phase(Phase::kBackward);
      context.start_pass(kLossNode, LayerPass::kBackward);
      loss->backward(context);
      passes.backward();
      context.start_pass(kAllNodes, LayerPass::kWeightGradient);
      if (lowering_.accumulates) lower_gradient_sums(context);
    }
    if (lowering_.mode == Mode::kTrain) {
      context.start_phase(Phase::kUpdate);
      context.start_pass(kAllNodes, LayerPass::kUpdate);
      lower_update(context);
    }
    context.use(logits_);  // kept until the next run, for readers
    remember_params(context);
    explanation_ = passes.explanation(std::string(compute_type_name(lowering_.compute)) + ", ");
  }

  /// For a graph that does nothing to its input: logits must outlive the batch.
  static void lower_copy(LoweringContext& context, const ModelGraph& graph) {
    const std::size_t bytes = context.value_bytes(graph.input_shape());
    const BufferId copy = context.add_value("input.copy", bytes);
    context.emit({copy}, [copy, bytes, &list = context.buffers](const RunContext& run) {
      std::copy_n(run.batch->pixels, bytes, list.at<std::byte>(copy));
    });
    context.set_value(graph.output(), copy);
  }

  /// Adds what the layers have left to the sums, or begins these with it.
  static void lower_gradient_sums(LoweringContext& context) {
    for (const auto& [param_idx, buffers] : context.params()) {
      if (buffers.grad == kNoBuffer) continue;
      const std::size_t count = context.buffers.bytes(buffers.grad) / sizeof(float);
      context.emit({buffers.grad, buffers.grad_sum},
                   [=, buffers = buffers, &list = context.buffers,
                    threads = context.num_threads](const RunContext& run) {
                     const float* part = list.at<float>(buffers.grad);
                     float* sum = list.at<float>(buffers.grad_sum);
                     parallel(threads, [&](unsigned part_idx) {
                       const Range range = part_range(count, threads, part_idx);
                       for (std::size_t i = range.begin; i < range.end; ++i) {
                         sum[i] = run.adds ? sum[i] + part[i] : part[i];
                       }
                     });
                   });
    }
  }

  void lower_update(LoweringContext& context) {
    training_.add_buffers(list_, slots_.size());
    for (const auto& [param_idx, buffers] : context.params()) {
      if (!context.flow.learns[param_idx]) continue;
      context.use(buffers.whole_grad());
      learning_.push_back(param_idx);
    }
    context.emit({}, [this](const RunContext& run) { update(*run.scalars); });
  }

  void update(const StepScalars& scalars) {
    const UpdateReport report = training_.update(scalars);
    parts_.reports.updates.push(report);
    if (!report.is_finite) return;
    for (const std::size_t i : learning_) {
      ++store_->param(i).version;
      ++store_->ema(i).version;
    }
  }

  void remember_params(const LoweringContext& context) {
    params_.resize(slots_.size());
    for (const auto& [param_idx, buffers] : context.params()) {
      params_[param_idx] = buffers;
      slots_[param_idx].num_stored_elements =
          store_->param(param_idx).stored_bytes() / sizeof(float);
    }
  }

  void run_task(const LayerTask& task, const RunContext& context) {
    if (!clock_) return task.run(context);
    clock_->time(task.node, task.pass, [&] { task.run(context); });
  }
  void run_tasks(const std::vector<LayerTask>& tasks, const RunContext& context) {
    for (const LayerTask& task : tasks) run_task(task, context);
  }

  void refresh_copies(const RunContext& context) {
    for (const Refresh& refresh : tasks_.refreshes) {
      if (refresh.copy->version == refresh.param->version) continue;
      run_task(refresh.task, context);
      refresh.copy->version = refresh.param->version;
    }
  }

  float* part_of(std::size_t param_idx, ParamPart part) const {
    check_internal(list_.is_bound(), "onednn program: parameters before bind");
    return list_.at<float>(params_.at(param_idx).of(part));
  }

  static void reorder(PreparedOp& op, float* from, float* to) {
    std::vector<std::byte> scratchpad(op.scratchpad_bytes());
    op.set(Arg::kSrc, from);
    op.set(Arg::kDst, to);
    op.set(Arg::kScratchpad, scratchpad.data());
    op.run();
  }

  struct InParts {
    void operator()(unsigned num_parts, const auto& body) const { parallel(num_parts, body); }
  };

  Lowering lowering_;
  BackendParts parts_;
  std::uint32_t num_classes_;
  ProgramInput input_;
  std::vector<ParamSlot> slots_;
  std::shared_ptr<ParameterStore> store_;  // shared with the programs of the same parameters
  BufferList list_;
  LoweredTasks tasks_;
  std::vector<ParamBuffers> params_;
  BufferId logits_ = kNoBuffer;
  std::vector<std::size_t> learning_;  // parameters
  HostTraining<float, InParts> training_;
  std::optional<StepClock> clock_;  // while somebody times the layers
  std::string explanation_;
};

}  // namespace

std::unique_ptr<Program> make_program(const ModelGraph& graph, const Lowering& lowering,
                                      const BatchSpec& input_spec, BackendParts parts) {
  return std::make_unique<OnednnProgram>(graph, lowering, input_spec, parts);
}

}  // namespace penstock::train::onednn
