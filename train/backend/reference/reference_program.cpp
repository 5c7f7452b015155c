#include "train/backend/reference/reference_program.h"

#include <algorithm>
#include <string>
#include <variant>

#include "streamer/core/error.h"
#include "train/backend/bfloat16.h"
#include "train/backend/buffer_list.h"
#include "train/backend/gradient_flow.h"
#include "train/backend/host_inputs.h"
#include "train/backend/host_loss.h"
#include "train/backend/host_training.h"
#include "train/backend/lowering_check.h"
#include "train/backend/reference/activation_reference.h"
#include "train/backend/reference/conv2d_reference.h"
#include "train/backend/reference/custom_reference.h"
#include "train/backend/reference/dense_reference.h"
#include "train/backend/reference/dropout_reference.h"
#include "train/backend/reference/join_reference.h"
#include "train/backend/reference/norm_reference.h"
#include "train/backend/reference/pool_reference.h"

namespace penstock::train::reference {
namespace {

/// Buffers of one node; absent ones are kNoBuffer.
struct NodeBuffers {
  BufferId value = kNoBuffer;
  BufferId again = kNoBuffer;           // the value going back, where it is computed twice
  BufferId grad = kNoBuffer;            // of the value
  BufferId rounded_weight = kNoBuffer;  // of what has products, when it computes in another type
};

template <class T>
class ReferenceProgram final : public Program {
 public:
  ReferenceProgram(const ModelGraph& graph, const Lowering& lowering, BatchSpec input_spec,
                   HostParts parts)
      : graph_(graph),
        lowering_(lowering),
        parts_(parts),
        input_(input_spec, graph.num_classes(), lowering),
        slots_(param_slots(graph, lowering)),
        flow_(gradient_flow(graph, lowering)) {
    lowering_.share_with = nullptr;  // only lower() may look at it
    add_parameters();
    add_node_buffers();
  }

  const Lowering& lowering() const noexcept override { return lowering_; }
  std::span<const Buffer> buffers() const noexcept override { return list_.buffers(); }
  std::span<const ParamSlot> params() const noexcept override { return slots_; }

  void bind(DeviceMemory& arena, std::span<const std::size_t> offsets) override {
    list_.bind(arena, offsets);
    if (is_training()) training_.bind(list_, slots_, params_, lowering_, 1);
  }

  void run(Phase phase, std::uint32_t slot) override {
    check_internal(list_.is_bound(), "reference program: run before bind");
    check_phase(phase, lowering_);
    const StepScalars& scalars = parts_.inputs.scalars(slot);
    if (phase == Phase::kUpdate) return parts_.reports.updates.push(training_.update(scalars));
    if (phase == Phase::kDrop) return training_.drop();
    const BatchView batch = input_.part_of(parts_.inputs.view(slot), scalars.first_sample);
    if (phase == Phase::kForward) return forward(batch, scalars);
    if (phase == Phase::kBackward) zero_param_gradients();
    backward(batch, scalars);
  }

  void read_logits(std::span<float> logits) override {
    const std::size_t count = batch() * graph_.num_classes();
    check_num_logits(logits.size(), count);
    std::transform(value(graph_.output()), value(graph_.output()) + count, logits.begin(),
                   [](T v) { return static_cast<float>(v); });
  }

  void import_param(std::size_t param_idx, ParamPart part,
                    std::span<const float> canonical) override {
    check_param_access(slots_, param_idx, part, canonical.size(), lowering_);
    std::ranges::copy(canonical, part_of(param_idx, part));
    T* before_step = list_.at<T>(params_[param_idx].before_step);
    if (before_step != nullptr) std::ranges::copy(canonical, before_step);
  }

  void export_param(std::size_t param_idx, ParamPart part, std::span<float> canonical) override {
    check_param_access(slots_, param_idx, part, canonical.size(), lowering_);
    const T* values = part_of(param_idx, part);
    std::transform(values, values + canonical.size(), canonical.begin(),
                   [](T v) { return static_cast<float>(v); });
  }

  void import_num_steps(std::span<const std::uint64_t> num_steps) override {
    check_num_steps(num_steps.size(), slots_.size(), lowering_);
    std::ranges::copy(num_steps, training_.num_steps().begin());
  }
  void export_num_steps(std::span<std::uint64_t> num_steps) override {
    check_num_steps(num_steps.size(), slots_.size(), lowering_);
    std::ranges::copy(training_.num_steps(), num_steps.begin());
  }

  std::string explain() const override {
    std::string text;
    for (const Node& node : graph_.nodes()) text += node.name + ": plain loops, nothing fused\n";
    return text;
  }

 private:
  bool is_training() const { return lowering_.mode == Mode::kTrain; }
  std::size_t batch() const { return lowering_.batch; }
  std::size_t values_of(NodeId id) const { return batch() * graph_.node(id).shape.num_elements(); }

  T* value(NodeId id) const { return list_.at<T>(nodes_[id].value); }
  /// Where the backward pass finds the value.
  T* kept_value(NodeId id) const {
    return list_.at<T>(nodes_[id].again == kNoBuffer ? nodes_[id].value : nodes_[id].again);
  }
  T* grad(NodeId id) const { return list_.at<T>(nodes_[id].grad); }
  T* part_of(std::size_t param_idx, ParamPart part) const {
    return list_.at<T>(params_.at(param_idx).of(part));
  }

  // Computing in bfloat16: arithmetic stays as it is, and what a backend keeps in that type is rounded to it.
  bool rounds() const { return lowering_.compute == ComputeType::kBfloat16; }
  static void round_values(const T* from, std::size_t count, T* to) {
    std::transform(from, from + count, to, [](T value) {
      return static_cast<T>(to_float(rounded_to<Bfloat16>(static_cast<float>(value))));
    });
  }
  void round_weight(NodeId id) const {
    if (nodes_[id].rounded_weight == kNoBuffer) return;
    const std::uint32_t param_idx = graph_.parameters_of(id).front();
    round_values(part_of(param_idx, ParamPart::kMaster), slots_[param_idx].num_elements(),
                 list_.at<T>(nodes_[id].rounded_weight));
  }
  enum class Way : std::uint8_t { kForward, kBack };

  void round_value(NodeId id, Way way) const {
    if (!rounds() || (id == graph_.output() && has_float_logits(graph_))) return;
    T* values = way == Way::kForward ? value(id) : kept_value(id);
    round_values(values, values_of(id), values);
  }
  void round_grad(NodeId id) const {
    if (rounds()) round_values(grad(id), values_of(id), grad(id));
  }

  // Steps: forward of node i is i, the loss N, backward of node i is 2N - i, the update 2N + 1.
  std::uint32_t loss_step() const { return static_cast<std::uint32_t>(graph_.nodes().size()); }
  std::uint32_t backward_step(NodeId id) const { return 2 * loss_step() - id; }
  std::uint32_t update_step() const { return 2 * loss_step() + 1; }
  std::uint32_t last_step() const { return is_training() ? update_step() : loss_step(); }

  void add_parameters() {
    if (is_training()) training_.add_buffers(list_, slots_.size());
    for (const ParamSlot& slot : slots_) {
      const std::size_t bytes = slot.num_elements() * sizeof(T);
      const bool learns = flow_.learns[params_.size()];
      ParamBuffers buffers =
          add_param_buffers(list_,
                            {.parameter = graph_.parameters()[params_.size()],
                             .bytes = bytes,
                             .learns = learns,
                             .reads_ema = takes_ema(graph_, params_.size(), lowering_)},
                            lowering_);
      // Loops add to gradients as it is: there is no part beside the sum.
      if (learns && lowering_.accumulates) {
        buffers.grad_sum = list_.add(part_name(slot.name, "grad.sum"), Role::kGradSum, bytes);
      } else if (learns) {
        buffers.grad = list_.add(part_name(slot.name, "grad"), Role::kGrad, bytes);
        list_.use(buffers.grad, loss_step());
        list_.use(buffers.grad, update_step());
      }
      params_.push_back(buffers);
    }
  }

  void add_node_buffers() {
    for (NodeId id = 0; id < graph_.nodes().size(); ++id) {
      const Node& node = graph_.node(id);
      NodeBuffers buffers;
      const std::size_t bytes = values_of(id) * sizeof(T);
      const bool is_saved = is_training() && !lowering_.is_recomputed(id);
      buffers.value =
          list_.add(node.name + ".value", is_saved ? Role::kSaved : Role::kTransient, bytes);
      list_.use(buffers.value, id);
      if (flow_.needs_gradient[id]) {
        buffers.grad = list_.add(node.name + ".value.grad", Role::kTransient, bytes);
        list_.use(buffers.grad, backward_step(id));
      }
      for (const NodeId from : node.inputs) {
        list_.use(nodes_[from].value, id);
        if (flow_.needs_gradient[id]) list_.use(nodes_[from].grad, backward_step(id));
      }
      if (rounds() && has_weight_matrix(node.op)) {
        const ParamSlot& weight = slots_[graph_.parameters_of(id).front()];
        buffers.rounded_weight = list_.add(part_name(weight.name, "rounded"), Role::kTransient,
                                           weight.num_elements() * sizeof(T));
        list_.use(buffers.rounded_weight, id);
        if (flow_.needs_gradient[id]) list_.use(buffers.rounded_weight, backward_step(id));
      }
      nodes_.push_back(buffers);
    }
    again_before_.resize(nodes_.size());
    for (NodeId id = graph_.output(); id > 0; --id) {
      if (!flow_.needs_gradient[id]) continue;
      keep_for(id, id);
      for (const NodeId from : graph_.node(id).inputs) keep_for(from, id);
    }
    const NodeBuffers& output = nodes_[graph_.output()];
    list_.use(output.value, last_step());
    list_.use(output.grad, loss_step());
  }

  /// Sees to it that `reader` finds the value of `id` going back.
  void keep_for(NodeId id, NodeId reader) {
    NodeBuffers& buffers = nodes_[id];
    if (!lowering_.is_recomputed(id)) return list_.use(buffers.value, backward_step(reader));
    if (buffers.again == kNoBuffer) {
      for (const NodeId from : graph_.node(id).inputs) keep_for(from, reader);
      buffers.again = list_.add(graph_.node(id).name + ".value.again", Role::kTransient,
                                values_of(id) * sizeof(T));
      again_before_[reader].push_back(id);
      list_.use(buffers.rounded_weight, backward_step(reader));
    }
    list_.use(buffers.again, backward_step(reader));
  }

  NodeTensors<T> tensors_of(NodeId id, const StepScalars& scalars, Way way) const {
    const auto values = [&](NodeId node) {
      return way == Way::kForward ? value(node) : kept_value(node);
    };
    NodeTensors<T> t{.batch = batch(),
                     .node = id,
                     .is_training = is_training(),
                     .has_fixed_norm = lowering_.has_fixed_norm(id),
                     .is_again = way == Way::kBack,
                     .scalars = scalars,
                     .shape = graph_.node(id).shape,
                     .y = values(id),
                     .dy = grad(id)};
    for (const NodeId from : graph_.node(id).inputs) {
      t.input_shapes.push_back(graph_.node(from).shape);
      t.x.push_back(values(from));
      t.dx.push_back(grad(from));
    }
    for (const std::uint32_t param_idx : graph_.parameters_of(id)) {
      t.params.push_back(part_of(param_idx, ParamPart::kMaster));
      t.dparams.push_back(flow_.learns[param_idx] ? part_of(param_idx, ParamPart::kGrad) : nullptr);
    }
    if (nodes_[id].rounded_weight != kNoBuffer) {
      t.params.front() = list_.at<T>(nodes_[id].rounded_weight);
    }
    return t;
  }

  ScoreShape score_shape() const { return {batch(), graph_.num_classes()}; }
  void forward(const BatchView& batch, const StepScalars& scalars) {
    training_.begin_forward();
    std::copy_n(batch.pixels_f32(), values_of(0), value(0));
    round_value(0, Way::kForward);
    for (NodeId id = 1; id < graph_.nodes().size(); ++id) {
      compute(id, scalars, Way::kForward);
    }
    StepReport report = loss_report(lowering_.loss, score_shape(), batch, value(graph_.output()));
    report.step = scalars.step;
    training_.end_forward(report.is_finite);
    parts_.reports.steps.push(report);
  }

  void compute(NodeId id, const StepScalars& scalars, Way way) const {
    round_weight(id);
    std::visit([&](const auto& op) { forward_node(op, tensors_of(id, scalars, way)); },
               graph_.node(id).op);
    round_value(id, way);
  }

  static void forward_node(const InputOp&, const NodeTensors<T>&) {}
  static void forward_node(const auto& op, const NodeTensors<T>& t) { reference::forward(op, t); }
  static void backward_node(const InputOp&, const NodeTensors<T>&) {}
  static void backward_node(const auto& op, const NodeTensors<T>& t) { reference::backward(op, t); }

  void zero_param_gradients() {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (flow_.learns[i])
        std::fill_n(part_of(i, ParamPart::kGrad), slots_[i].num_elements(), T{0});
    }
  }

  /// Of the inputs of which `id` is the last reader, the first one going back.
  void zero_gradients_before(NodeId id) {
    for (const NodeId from : graph_.node(id).inputs) {
      if (graph_.readers_of(from).back() != id || !flow_.needs_gradient[from]) continue;
      std::fill_n(grad(from), values_of(from), T{0});
    }
  }

  void backward(const BatchView& batch, const StepScalars& scalars) {
    if (!flow_.needs_gradient[graph_.output()]) return;
    batch_loss_gradient(lowering_.loss, score_shape(), labels_of(batch, score_shape().batch),
                        static_cast<T>(scalars.inv_weight_sum), value(graph_.output()),
                        grad(graph_.output()));
    for (NodeId id = graph_.output(); id > 0; --id) {
      if (!flow_.needs_gradient[id]) continue;
      for (const NodeId dropped : again_before_[id]) compute(dropped, scalars, Way::kBack);
      zero_gradients_before(id);
      round_grad(id);
      std::visit([&](const auto& op) { backward_node(op, tensors_of(id, scalars, Way::kBack)); },
                 graph_.node(id).op);
    }
  }

  struct OnePart {
    void operator()(unsigned, const auto& body) const { body(0u); }
  };

  ModelGraph graph_;
  Lowering lowering_;
  HostParts parts_;  // the backend's
  ProgramInput input_;
  std::vector<ParamSlot> slots_;
  GradientFlow flow_;
  BufferList list_;
  std::vector<ParamBuffers> params_;
  std::vector<NodeBuffers> nodes_;
  /// By node: what is computed again before its backward loops.
  std::vector<std::vector<NodeId>> again_before_;
  HostTraining<T, OnePart> training_;
};

}  // namespace

template <class T>
std::unique_ptr<Program> make_program(const ModelGraph& graph, const Lowering& lowering,
                                      BatchSpec input_spec, HostParts parts) {
  return std::make_unique<ReferenceProgram<T>>(graph, lowering, input_spec, parts);
}

template std::unique_ptr<Program> make_program<float>(const ModelGraph&, const Lowering&, BatchSpec,
                                                      HostParts);
template std::unique_ptr<Program> make_program<double>(const ModelGraph&, const Lowering&,
                                                       BatchSpec, HostParts);

}  // namespace penstock::train::reference
