#include "train/backend/cuda/device_program.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "streamer/core/error.h"
#include "train/backend/cuda/half_value.h"
#include "train/backend/cuda/lowering/device_layers.h"
#include "train/backend/cuda/phase_graph.h"
#include "train/backend/cuda/update_tables.h"
#include "train/backend/grad_reducer.h"
#include "train/backend/host_inputs.h"
#include "train/backend/lowering_check.h"
#include "train/backend/lowering_passes.h"

namespace penstock::train::cuda {
namespace {

/// Source  PyTorch 2, torch.amp.GradScaler(init_scale)
constexpr float kFirstLossScale = 65536.0f;

PixelType pixel_type_of(ElementType element) {
  switch (element) {
    case ElementType::kUint8:
      return PixelType::kUint8;
    case ElementType::kFloat16:
      return PixelType::kFloat16;
    case ElementType::kBfloat16:
      return PixelType::kBfloat16;
    case ElementType::kFloat32:
      break;
  }
  return PixelType::kFloat32;
}

/// The places of the input ring, one after the other.
constexpr std::array<const char*, DeviceInputs::kNumPlaces> kPlaceNames = {"input:0", "input:1"};

class DeviceProgram final : public Program {
 public:
  DeviceProgram(const ModelGraph& graph, const Lowering& lowering, const BatchSpec& input_spec,
                DeviceParts& parts, const DeviceProgramOptions& options)
      : lowering_(lowering),
        parts_(parts),
        options_(options),
        num_classes_(graph.num_classes()),
        input_spec_(input_spec),
        slots_(param_slots(graph, lowering)),
        store_(shared_store(graph, lowering)) {
    lowering_.share_with = nullptr;  // only lower() may look at it
    ++store_->num_programs;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      slots_[i].num_stored_elements = store_->shapes[i].num_stored();
    }
    lower(graph);
  }

  const Lowering& lowering() const noexcept override { return lowering_; }
  std::span<const Buffer> buffers() const noexcept override { return list_.buffers(); }
  std::span<const ParamSlot> params() const noexcept override { return slots_; }

  void bind(DeviceMemory& arena, std::span<const std::size_t> offsets) override {
    list_.bind(arena, offsets);
    std::array<std::byte*, DeviceInputs::kNumPlaces> places;
    for (std::size_t i = 0; i < places.size(); ++i) places[i] = list_.at<std::byte>(places_[i]);
    parts_.inputs.bind(places, largest_batch());
    for (const DeviceConstant& constant : tasks_.constants) {
      parts_.transfer.to_device(list_.at<void>(constant.buffer), constant.values.data(),
                                constant.values.size() * sizeof(float));
    }
    tables_.bind(list_, slots_, lowering_, parts_.transfer);
    if (lowering_.mode != Mode::kTrain) return;
    const ScalerBlock scaler{
        .loss_scale = lowering_.compute == ComputeType::kFloat16 ? kFirstLossScale : 1.0f};
    parts_.transfer.to_device(list_.at<void>(blocks_.scaler), &scaler, sizeof(scaler));
  }

  void run(Phase phase, std::uint32_t slot) override {
    check_internal(list_.is_bound(), "cuda program: run before bind");
    check_phase(phase, lowering_);
    parts_.inputs.poll();
    switch (phase) {
      case Phase::kForward:
        return run_forward(slot);
      case Phase::kBackward:
        return run_backward(false);
      case Phase::kBackwardAdd:
        return run_backward(true);
      case Phase::kUpdate:
        return run_update(slot);
      case Phase::kDrop:
        return drop_step();
    }
  }

  void read_logits(std::span<float> logits) override {
    check_num_logits(logits.size(), std::size_t{lowering_.batch} * num_classes_);
    take_floats(type_, logits_, logits);
  }

  void import_param(std::size_t param_idx, ParamPart part,
                    std::span<const float> canonical) override {
    check_param_access(slots_, param_idx, part, canonical.size(), lowering_);
    const StoredShape& shape = store_->shapes[param_idx];
    put(param_idx, part, canonical);
    if (part == ParamPart::kMaster) store_->are_copies_stale = true;
    if (part == ParamPart::kMaster || part == ParamPart::kEma) store_->are_mean_copies_stale = true;
    if (part == ParamPart::kMaster && params_[param_idx].before_step != kNoBuffer) {
      parts_.transfer.to_device(list_.at<void>(params_[param_idx].before_step), canonical.data(),
                                shape.num_stored() * sizeof(float));
    }
  }

  void export_param(std::size_t param_idx, ParamPart part, std::span<float> canonical) override {
    check_param_access(slots_, param_idx, part, canonical.size(), lowering_);
    const StoredShape& shape = store_->shapes[param_idx];
    const BufferId buffer = params_[param_idx].of(part);
    std::vector<float> stored(shape.num_stored());
    const bool is_raw = part == ParamPart::kGrad && params_[param_idx].grad_sum == kNoBuffer;
    take_floats(is_raw ? gradient_types_[param_idx] : ValueType::kFloat32, buffer, stored);
    from_stored(shape, stored, canonical);
    if (part == ParamPart::kGrad) unscale(canonical);
  }

  void import_num_steps(std::span<const std::uint64_t> num_steps) override {
    check_num_steps(num_steps.size(), slots_.size(), lowering_);
    parts_.transfer.to_device(tables_.num_steps(list_), num_steps.data(), num_steps.size_bytes());
  }
  void export_num_steps(std::span<std::uint64_t> num_steps) override {
    check_num_steps(num_steps.size(), slots_.size(), lowering_);
    parts_.transfer.to_host(num_steps.data(), tables_.num_steps(list_), num_steps.size_bytes());
  }

  LossScaling export_loss_scaling() override {
    const ScalerBlock scaler = read_scaler();
    return {.scale = scaler.loss_scale, .num_good_steps = scaler.num_good_steps};
  }
  void import_loss_scaling(const LossScaling& scaling) override {
    const ScalerBlock scaler{.loss_scale = scaling.scale, .num_good_steps = scaling.num_good_steps};
    parts_.transfer.to_device(list_.at<void>(blocks_.scaler), &scaler, sizeof(scaler));
  }

  void start_clock() override { clock_.emplace(); }
  std::vector<LayerTime> stop_clock() override {
    if (!clock_) return {};
    return std::exchange(clock_, std::nullopt)->times();
  }

  std::string explain() const override {
    std::string text = explanation_;
    for (const PhaseGraph& graph : graphs_) {
      if (graph.failure().empty()) continue;
      text += "a phase is not captured into a graph, its calls are made one by one: " +
              graph.failure() + "\n";
    }
    return text;
  }

 private:
  enum Captured : std::size_t { kForwardWork, kBackwardWork, kBackwardAddWork, kUpdateWork, kNum };

  static std::shared_ptr<DeviceParamStore> shared_store(const ModelGraph& graph,
                                                        const Lowering& lowering) {
    if (lowering.share_with == nullptr) return std::make_shared<DeviceParamStore>(graph);
    const auto* other = dynamic_cast<const DeviceProgram*>(lowering.share_with);
    if (other == nullptr || other->store_->identity != graph.identity()) {
      throw Error(ErrorCode::kInvalidArgument,
                  "lowering: share_with: expected a program of the same backend and graph, "
                  "found another");
    }
    return other->store_;
  }

  PlanLimits plan_limits() const {
    PlanLimits limits = options_.plan_limits;
    limits.runs_trials = limits.runs_trials && lowering_.runs_trials;
    return limits;
  }

  void lower(const ModelGraph& graph) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      places_[i] = list_.add(kPlaceNames[i], Role::kInput, PlaceLayout(largest_batch()).bytes);
    }
    DeviceLowering context(graph, lowering_,
                           {.kernels = parts_.kernels,
                            .products = parts_.products,
                            .store = *store_,
                            .buffers = list_,
                            .tasks = tasks_,
                            .plan_limits = plan_limits(),
                            .takes_extras = options_.extras});
    type_ = context.type;
    input_channels_ = context.input_channels;
    blocks_ = context.blocks();
    if (options_.crop_bytes > 0) {
      crop_means_ = context.add_floats("input.crop_means", num_crop_means(lowering_.batch));
      context.use(crop_means_);  // filled before the first task
    }
    std::vector<LoweredDeviceLayer> layers = make_device_layers(graph, lowering_);
    fuse_norms_into_convolutions(context, layers);
    const DeviceLayerPtr loss = make_device_loss_layer({graph, lowering_.compute});
    LoweringPasses<DeviceLowering> passes(context, layers);
    passes.forward();
    context.start_pass(kLossNode, LayerPass::kForward);
    loss->forward(context);
    logits_ = context.logits;
    if (context.needs_gradient(graph.output())) {
      context.start_phase(Phase::kBackward);
      context.start_pass(kLossNode, LayerPass::kBackward);
      loss->backward(context);
      passes.backward();
      if (lowering_.accumulates) keep_gradients(context);
    }
    if (lowering_.mode == Mode::kTrain) {
      context.start_phase(Phase::kUpdate);
      context.start_pass(kAllNodes, LayerPass::kUpdate);
    }
    tables_.add_buffers(context);
    if (lowering_.mode == Mode::kTrain) lower_update(context);
    context.use(logits_);  // kept until the next run, for readers
    remember_params(context);
    for (const Node& node : graph.nodes()) node_names_.push_back(node.name);
    input_node_ = graph.input();
    explanation_ = passes.explanation(std::string(compute_type_name(lowering_.compute)) + ", ");
  }

  /// Until they are added to the sums, behind all other work of the phase.
  static void keep_gradients(DeviceLowering& context) {
    for (const auto& [param_idx, param] : context.params()) {
      context.use(param.buffers.grad);
    }
  }

  void lower_update(DeviceLowering& context) {
    for (const auto& [param_idx, param] : context.params()) {
      context.use(param.buffers.whole_grad());
    }
    context.emit({}, [this](Stream stream) {
      return parts_.kernels.optimizer_update(tables_.update(list_, lowering_), stream);
    });
  }

  void remember_params(const DeviceLowering& context) {
    params_.resize(slots_.size());
    gradient_types_.resize(slots_.size());
    for (const auto& [param_idx, param] : context.params()) {
      params_[param_idx] = param.buffers;
      gradient_types_[param_idx] = param.gradient_type;
    }
  }

  /// What a place of the ring must hold: batches come whole, a program may read a part of one.
  BatchSpec largest_batch() const {
    BatchSpec spec = input_spec_;
    spec.batch = std::max(lowering_.batch, lowering_.lease_batch);
    spec.label_form = lowering_.label_form;
    spec.num_targets = lowering_.label_form == LabelForm::kTargets ? num_classes_ : 0;
    return spec;
  }

  void run_forward(std::uint32_t slot) {
    const StepScalars& scalars = parts_.inputs.scalars(slot);
    BatchView batch = parts_.inputs.view(slot);
    BatchSpec expected = input_spec_;
    expected.element = batch.spec->element;  // the pixels' kernel takes any
    if (options_.crop_bytes > 0) expected.crop_bytes = batch.spec->crop_bytes;
    batch = ProgramInput(expected, num_classes_, lowering_).part_of(batch, scalars.first_sample);
    parts_.runs.begin(step_block(scalars), list_.at<StepBlock>(blocks_.step));
    parts_.inputs.use(slot);
    timed(input_node_, LayerPass::kForward,
          [&] { take_input(batch, parts_.inputs.labels(slot, scalars.first_sample)); });
    begin_step();
    refresh_copies();
    run_tasks(kForwardWork, tasks_.forward);
    parts_.runs.end(list_.at<RunReportBlock>(blocks_.run_report));
  }

  void run_backward(bool adds) {
    const Captured work = adds ? kBackwardAddWork : kBackwardWork;
    run_work(work, [&] {
      enqueue(tasks_.backward);
      if (!lowering_.accumulates) return;
      check_device(parts_.kernels.add_gradients(tables_.gradient_sums(list_, adds), stream()),
                   "sums of gradients");
    });
  }

  void run_update(std::uint32_t slot) {
    parts_.updates.begin(step_block(parts_.inputs.scalars(slot)),
                         list_.at<StepBlock>(blocks_.step));
    if (lowering_.grad_reducer != nullptr) {
      lowering_.grad_reducer->reduce(tables_.gradients(), stream());
    }
    run_tasks(kUpdateWork, tasks_.update);
    parts_.updates.end(list_.at<UpdateReportBlock>(blocks_.update_report));
    store_->has_step_begun = false;
    store_->are_mean_copies_stale = true;
  }

  void drop_step() {
    if (!std::exchange(store_->has_step_begun, false)) return;
    check_device(parts_.kernels.copy_statistics(tables_.statistics(list_, true), stream()),
                 "running statistics");
  }

  /// Running statistics move in forward runs, before anybody can know whether the step is finite.
  void begin_step() {
    if (lowering_.mode != Mode::kTrain || std::exchange(store_->has_step_begun, true)) return;
    check_device(parts_.kernels.copy_statistics(tables_.statistics(list_, false), stream()),
                 "running statistics");
  }

  /// The update writes the copies of masters itself.
  void refresh_copies() {
    bool& is_stale = lowering_.reads_ema ? store_->are_mean_copies_stale : store_->are_copies_stale;
    if (!is_stale) return;
    is_stale = false;
    if (!tables_.has_copies()) return;
    check_device(
        parts_.kernels.refresh_copies(tables_.refresh(list_, lowering_.reads_ema), stream()),
        "copies of weights");
  }

  void take_input(const BatchView& batch, const DeviceLabels& labels) {
    if (batch.spec->crop_bytes > 0) {
      take_crops(batch);
    } else {
      take_pixels(batch);
    }
    const std::size_t count = lowering_.batch;
    copy(blocks_.class_idx, labels.class_idx, count * sizeof(std::uint32_t));
    copy(blocks_.weights, labels.weights, count * sizeof(float));
    if (blocks_.targets != kNoBuffer) {
      copy(blocks_.targets, labels.targets, count * num_classes_ * sizeof(float));
    }
  }

  /// Normalised as their records say.
  void take_crops(const BatchView& batch) {
    check_device(parts_.kernels.crop_values({.value_type = type_,
                                             .num_samples = lowering_.batch,
                                             .crop_bytes = batch.spec->crop_bytes,
                                             .height_px = input_spec_.height_px,
                                             .width_px = input_spec_.width_px,
                                             .channels = input_spec_.channels,
                                             .stored_channels = input_channels_,
                                             .places = batch.pixels,
                                             .means = list_.at<float>(crop_means_),
                                             .values = list_.at<void>(blocks_.input)},
                                            stream()),
                 "crops");
  }

  void take_pixels(const BatchView& batch) {
    InputPixels pixels{
        .pixel_type = pixel_type_of(batch.spec->element),
        .value_type = type_,
        .num_places = std::size_t{lowering_.batch} * input_spec_.height_px * input_spec_.width_px,
        .channels = input_spec_.channels,
        .stored_channels = input_channels_,
        .gain = {},
        .offset = {},
        .pixels = batch.pixels,
        .values = list_.at<void>(blocks_.input)};
    const bool is_raw = batch.spec->element == ElementType::kUint8;
    for (std::uint32_t c = 0; c < std::min<std::uint32_t>(input_spec_.channels, 4); ++c) {
      pixels.gain[c] = is_raw ? lowering_.pixel_norm.gain(c) : 1.0f;
      pixels.offset[c] = is_raw ? lowering_.pixel_norm.offset(c) : 0.0f;
    }
    check_device(parts_.kernels.input_pixels(pixels, stream()), "input");
  }

  void copy(BufferId to, const void* from, std::size_t bytes) {
    check_device(parts_.api.copy_on_device(list_.at<void>(to), from, bytes, stream()), "labels");
  }

  void run_tasks(Captured work, const std::vector<DeviceLayerTask>& tasks) {
    run_work(work, [&] { enqueue(tasks); });
  }

  /// With a clock call by call: a graph has no inside.
  void run_work(Captured work, const std::function<void()>& enqueue_all) {
    if (clock_) return enqueue_all();
    graphs_[work].run(parts_.api, stream(), options_.captures, enqueue_all);
  }

  void enqueue(const std::vector<DeviceLayerTask>& tasks) {
    for (const DeviceLayerTask& task : tasks) {
      timed(task.node, task.pass, [&] {
        const DeviceStatus status = task.run(stream());
        if (!status.is_ok()) check_device(status, place_of(task));
      });
    }
  }

  /// With a clock the host waits for the end of each piece of work: its launch counts, too.
  template <class Work>
  void timed(NodeId node, LayerPass pass, const Work& work) {
    if (!clock_) return work();
    clock_->time(node, pass, [&] {
      work();
      check_device(parts_.api.synchronize(stream()));
    });
  }

  /// "conv1: backward, 32 samples", for messages.
  std::string place_of(const DeviceLayerTask& task) const {
    const std::string name =
        task.node < node_names_.size() ? node_names_[task.node] : std::string("step");
    const char* pass = task.pass == LayerPass::kForward  ? "forward"
                       : task.pass == LayerPass::kUpdate ? "update"
                                                         : "backward";
    return name + ": " + pass + ", " + std::to_string(lowering_.batch) + " samples";
  }

  static StepBlock step_block(const StepScalars& scalars) {
    return {.learning_rate = scalars.learning_rate,
            .gradient_scale = scalars.gradient_scale,
            .step = scalars.step,
            .seed = scalars.seed,
            .inv_weight_sum = scalars.inv_weight_sum,
            .first_place = scalars.place_in_step(0)};
  }

  void put(std::size_t param_idx, ParamPart part, std::span<const float> canonical) {
    const StoredShape& shape = store_->shapes[param_idx];
    void* const place = list_.at<void>(params_[param_idx].of(part));
    if (shape.is_plain()) {
      parts_.transfer.to_device(place, canonical.data(), canonical.size_bytes());
      return;
    }
    std::vector<float> stored(shape.num_stored());
    to_stored(shape, canonical, stored);
    parts_.transfer.to_device(place, stored.data(), stored.size() * sizeof(float));
  }

  void take_floats(ValueType type, BufferId buffer, std::span<float> values) {
    if (type == ValueType::kFloat32) {
      parts_.transfer.to_host(values.data(), list_.at<void>(buffer), values.size_bytes());
      return;
    }
    std::vector<std::uint16_t> halves(values.size());
    parts_.transfer.to_host(halves.data(), list_.at<void>(buffer),
                            halves.size() * sizeof(halves[0]));
    std::ranges::transform(halves, values.begin(),
                           [&](std::uint16_t bits) { return half_value(type, bits); });
  }

  /// Gradients going back are multiplied by the loss scale; who asks for them wants none.
  void unscale(std::span<float> gradient) {
    const float scale = read_scaler().loss_scale;
    for (float& value : gradient) value /= scale;
  }

  ScalerBlock read_scaler() {
    ScalerBlock scaler;
    parts_.transfer.to_host(&scaler, list_.at<void>(blocks_.scaler), sizeof(scaler));
    return scaler;
  }

  Stream stream() const noexcept { return parts_.stream.get(); }

  Lowering lowering_;
  DeviceParts& parts_;
  DeviceProgramOptions options_;
  std::uint32_t num_classes_;
  BatchSpec input_spec_;
  std::vector<ParamSlot> slots_;
  std::shared_ptr<DeviceParamStore> store_;  // shared with the programs of the same parameters
  BufferList list_;
  DeviceTasks tasks_;
  UpdateTables tables_;
  DeviceLowering::Blocks blocks_;
  std::array<BufferId, DeviceInputs::kNumPlaces> places_{};
  std::vector<ParamBuffers> params_;
  std::vector<ValueType> gradient_types_;  // by parameter
  std::vector<std::string> node_names_;
  ValueType type_ = ValueType::kFloat32;
  std::uint32_t input_channels_ = 0;
  BufferId logits_ = kNoBuffer;
  BufferId crop_means_ = kNoBuffer;  // or none
  std::array<PhaseGraph, kNum> graphs_;
  std::optional<StepClock> clock_;  // from start_clock() to stop_clock()
  NodeId input_node_ = 0;
  std::string explanation_;
};

}  // namespace

std::unique_ptr<Program> make_device_program(const ModelGraph& graph, const Lowering& lowering,
                                             const BatchSpec& input_spec, DeviceParts& parts,
                                             const DeviceProgramOptions& options) {
  return std::make_unique<DeviceProgram>(graph, lowering, input_spec, parts, options);
}

}  // namespace penstock::train::cuda
