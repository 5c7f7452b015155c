// Batch norm with what follows it, in own kernels: neither normalised values nor a sum before its ReLU are ever
// written.
#include <variant>

#include "train/backend/cuda/lowering/activation_choice.h"
#include "train/backend/cuda/lowering/single_input_layer.h"

namespace penstock::train::cuda {
namespace {

/// Everything the tasks need, by value: tasks outlive the layer.
struct NormPlan {
  const BufferList* list = nullptr;
  const KernelTable* kernels = nullptr;
  ValueRows rows{};
  Activation activation{};
  BatchNormOp op{};
  bool is_batch = false;
  ParamBuffers scale{};
  ParamBuffers shift{};
  ParamBuffers running_mean{};
  ParamBuffers running_var{};
  BufferId x = kNoBuffer;
  BufferId other = kNoBuffer;
  BufferId y = kNoBuffer;
  BufferId factors = kNoBuffer;   // mean, inv_std, gain, offset
  BufferId partials = kNoBuffer;  // of the sums of either pass
  BufferId dy = kNoBuffer;
  BufferId dx = kNoBuffer;
  BufferId dother = kNoBuffer;
  BufferId constants = kNoBuffer;  // slope, level

  std::size_t partial_count() const {
    return std::size_t{kernels->num_row_parts(rows.num_rows, rows.channels)} * 2 * rows.channels;
  }
  float* floats(BufferId buffer) const { return list->at<float>(buffer); }
  void* at(BufferId buffer) const { return list->at<void>(buffer); }
  ChannelFactors channel_factors() const {
    float* const first = floats(factors);
    return {first, first + rows.channels, first + 2 * rows.channels, first + 3 * rows.channels};
  }
  /// A residual's slope is read off what it gave.
  const void* y_for_slope() const { return other == kNoBuffer ? nullptr : at(y); }

  DeviceStatus take_statistics(Stream stream) const {
    if (!is_batch) {
      return kernels->running_statistics({.channels = rows.channels,
                                          .scale = floats(scale.master),
                                          .shift = floats(shift.master),
                                          .epsilon = op.epsilon,
                                          .running_mean = floats(running_mean.master),
                                          .running_var = floats(running_var.master),
                                          .factors = channel_factors()},
                                         stream);
    }
    const DeviceStatus status =
        kernels->channel_moments({.rows = rows, .x = at(x), .partials = floats(partials)}, stream);
    if (!status.is_ok()) return status;
    return kernels->batch_statistics({.rows = rows,
                                      .x = at(x),
                                      .partials = floats(partials),
                                      .scale = floats(scale.master),
                                      .shift = floats(shift.master),
                                      .epsilon = op.epsilon,
                                      .momentum = op.momentum,
                                      .running_mean = floats(running_mean.master),
                                      .running_var = floats(running_var.master),
                                      .factors = channel_factors()},
                                     stream);
  }

  DeviceStatus apply(Stream stream) const {
    const ChannelFactors factor = channel_factors();
    return kernels->affine_forward({.rows = rows,
                                    .activation = activation,
                                    .x = at(x),
                                    .gain = factor.gain,
                                    .offset = factor.offset,
                                    .other = at(other),
                                    .y = at(y)},
                                   stream);
  }

  DeviceStatus sum_gradients(Stream stream) const {
    const DeviceStatus status = kernels->affine_backward_sums({.rows = rows,
                                                               .activation = activation,
                                                               .x = at(x),
                                                               .dy = at(dy),
                                                               .y = y_for_slope(),
                                                               .factors = channel_factors(),
                                                               .partials = floats(partials)},
                                                              stream);
    if (!status.is_ok()) return status;
    return kernels->norm_gradients({.rows = rows,
                                    .is_batch = is_batch,
                                    .partials = floats(partials),
                                    .factors = channel_factors(),
                                    .dscale = floats(scale.grad),
                                    .dshift = floats(shift.grad),
                                    .slope = floats(constants),
                                    .level = floats(constants) + rows.channels},
                                   stream);
  }

  DeviceStatus apply_backward(Stream stream) const {
    return kernels->affine_backward({.rows = rows,
                                     .activation = activation,
                                     .x = at(x),
                                     .dy = at(dy),
                                     .y = y_for_slope(),
                                     .factors = channel_factors(),
                                     .slope = floats(constants),
                                     .level = floats(constants) + rows.channels,
                                     .dx = at(dx),
                                     .dother = at(dother)},
                                    stream);
  }
};

class NormLayer final : public SingleInputLayer {
 public:
  NormLayer(const ModelGraph& graph, const NodeChain& nodes)
      : SingleInputLayer(graph, nodes.front()), last_(nodes.back()) {
    plan_.op = std::get<BatchNormOp>(graph.node(id_).op);
    if (nodes.size() >= 2) plan_.activation = activation_of(graph, last_);
    if (nodes.size() < 3) return;
    const auto& terms = graph.node(nodes[1]).inputs;
    other_ = terms[0] == id_ ? terms[1] : terms[0];
    has_other_ = true;
  }

  void forward(DeviceLowering& context) override {
    plan_.list = &context.buffers;
    plan_.kernels = &context.kernels;
    plan_.rows = context.rows_of(id_);
    plan_.is_batch = context.has_batch_statistics(id_);
    const auto params = context.graph.parameters_of(id_);
    plan_.scale = context.add_param(params[0]).buffers;
    plan_.shift = context.add_param(params[1]).buffers;
    plan_.running_mean = context.add_param(params[2]).buffers;
    plan_.running_var = context.add_param(params[3]).buffers;
    plan_.factors =
        context.add_kept_floats(name_ + ".factors", 4 * std::size_t{plan_.rows.channels});
    plan_.partials =
        plan_.is_batch ? context.add_floats(name_ + ".moments", plan_.partial_count()) : kNoBuffer;
    take_places(context);
    context.emit({plan_.x, plan_.factors, plan_.partials},
                 [plan = plan_](Stream stream) { return plan.take_statistics(stream); });
    emit_apply(context);
    if (!context.needs_gradient(last_)) return;
    context.will_read_back(from_);
    if (has_other_) context.will_read_back(last_);
  }

  void forward_again(DeviceLowering& context) override {
    take_places(context);
    emit_apply(context);
  }

  void backward(DeviceLowering& context) override {
    plan_.dy = context.gradient(last_);
    plan_.x = context.value(from_);
    plan_.y = context.value(last_);
    context.has_read_back(from_);  // value by value, so that dx may take its place
    if (has_other_) context.has_read_back(last_);
    const bool needs_dx = context.needs_gradient(from_);
    const bool needs_dother = has_other_ && context.needs_gradient(other_);
    const bool can_overwrite = context.can_overwrite_gradient(last_);
    plan_.dother = kNoBuffer;
    if (needs_dother) {
      plan_.dother =
          can_overwrite ? plan_.dy
                        : context.add_transient(name_ + ".passed.grad", context.value_bytes(last_));
    }
    plan_.dx = kNoBuffer;
    if (needs_dx) {
      plan_.dx = can_overwrite && !needs_dother
                     ? plan_.dy
                     : context.place_for_gradient(from_, name_ + ".input");
    }
    plan_.partials = context.add_floats(name_ + ".gradient_sums", plan_.partial_count());
    plan_.constants = context.add_floats(name_ + ".backward", 2 * std::size_t{plan_.rows.channels});
    const BufferId y = has_other_ ? plan_.y : kNoBuffer;
    context.emit({plan_.x, plan_.dy, y, plan_.factors, plan_.partials, plan_.constants,
                  plan_.scale.grad, plan_.shift.grad},
                 [plan = plan_](Stream stream) { return plan.sum_gradients(stream); });
    if (needs_dx || needs_dother) {
      context.emit({plan_.x, plan_.dy, y, plan_.factors, plan_.constants, plan_.dx, plan_.dother},
                   [plan = plan_](Stream stream) { return plan.apply_backward(stream); });
    }
    if (needs_dother) context.give_gradient(other_, plan_.dother);
    if (needs_dx) context.give_gradient(from_, plan_.dx);
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  void take_places(DeviceLowering& context) {
    plan_.x = context.value(from_);
    plan_.other = has_other_ ? context.value(other_) : kNoBuffer;
    const bool is_over_other = has_other_ && context.can_replace(plan_.other);
    const bool is_over_x = !context.needs_gradient(last_) && context.can_replace(plan_.x);
    plan_.y = is_over_other ? plan_.other : is_over_x ? plan_.x : context.add_output(last_, name_);
  }

  void emit_apply(DeviceLowering& context) {
    context.emit({plan_.x, plan_.other, plan_.y, plan_.factors},
                 [plan = plan_](Stream stream) { return plan.apply(stream); });
    context.set_value(last_, plan_.y);
  }

  NodeId last_;
  NodeId other_ = 0;
  bool has_other_ = false;
  NormPlan plan_;
};

}  // namespace

DeviceLayerPtr make_norm_layer(const TypedGraph& model, const NodeChain& nodes) {
  return std::make_unique<NormLayer>(model.graph, nodes);
}

}  // namespace penstock::train::cuda
