// Group norm and layer norm: statistics within a sample, or a place of one.
#include <variant>

#include "train/backend/cuda/lowering/single_input_layer.h"

namespace penstock::train::cuda {
namespace {

class LayerNormLayer final : public SingleInputLayer {
 public:
  LayerNormLayer(const ModelGraph& graph, NodeId id)
      : SingleInputLayer(graph, id), epsilon_(std::get<LayerNormOp>(graph.node(id).op).epsilon) {}

  void forward(DeviceLowering& context) override {
    const auto params = context.graph.parameters_of(id_);
    scale_ = context.add_param(params[0]).buffers;
    shift_ = context.add_param(params[1]).buffers;
    emit_forward(context);
    if (context.needs_gradient(id_)) context.will_read_back(from_);
  }

  void forward_again(DeviceLowering& context) override { emit_forward(context); }

  void backward(DeviceLowering& context) override {
    const ValueRows rows = context.rows_of(id_);
    const BufferId x = context.value(from_);
    const BufferId dy = context.gradient(id_);
    context.has_read_back(from_);
    const BufferId dx = context.needs_gradient(from_) ? place_over_gradient(context) : kNoBuffer;
    const BufferId partials = context.add_floats(
        name_ + ".gradient_sums",
        std::size_t{context.kernels.num_layer_norm_parts(rows.num_rows)} * 2 * rows.channels);
    context.emit({x, dy, dx, partials, scale_.grad, shift_.grad},
                 [=, epsilon = epsilon_, scale = scale_, shift = shift_, &list = context.buffers,
                  &kernels = context.kernels](Stream stream) {
                   return kernels.layer_norm_backward({.type = rows.type,
                                                       .num_rows = rows.num_rows,
                                                       .channels = rows.channels,
                                                       .epsilon = epsilon,
                                                       .x = list.at<void>(x),
                                                       .scale = list.at<float>(scale.master),
                                                       .dy = list.at<void>(dy),
                                                       .partials = list.at<float>(partials),
                                                       .dx = list.at<void>(dx),
                                                       .dscale = list.at<float>(scale.grad),
                                                       .dshift = list.at<float>(shift.grad)},
                                                      stream);
                 });
    if (dx != kNoBuffer) context.give_gradient(from_, dx);
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  void emit_forward(DeviceLowering& context) const {
    const BufferId x = context.value(from_);
    const BufferId y = context.add_output(id_, name_);
    context.emit({x, y}, [=, rows = context.rows_of(id_), epsilon = epsilon_, scale = scale_.master,
                          shift = shift_.master, &list = context.buffers,
                          &kernels = context.kernels](Stream stream) {
      return kernels.layer_norm_forward({.type = rows.type,
                                         .num_rows = rows.num_rows,
                                         .channels = rows.channels,
                                         .epsilon = epsilon,
                                         .x = list.at<void>(x),
                                         .scale = list.at<float>(scale),
                                         .shift = list.at<float>(shift),
                                         .y = list.at<void>(y)},
                                        stream);
    });
    context.set_value(id_, y);
  }

  double epsilon_;
  ParamBuffers scale_;
  ParamBuffers shift_;
};

class GroupNormLayer final : public SingleInputLayer {
 public:
  GroupNormLayer(const ModelGraph& graph, NodeId id)
      : SingleInputLayer(graph, id),
        shape_(graph.node(id).shape),
        op_(std::get<GroupNormOp>(graph.node(id).op)) {}

  void forward(DeviceLowering& context) override {
    const auto params = context.graph.parameters_of(id_);
    scale_ = context.add_param(params[0]).buffers;
    shift_ = context.add_param(params[1]).buffers;
    factors_ = context.add_kept_floats(name_ + ".factors", context.batch() * op_.groups * 2);
    emit_forward(context);
    if (context.needs_gradient(id_)) context.will_read_back(from_);
  }

  void forward_again(DeviceLowering& context) override { emit_forward(context); }

  void backward(DeviceLowering& context) override {
    const BufferId x = context.value(from_);
    const BufferId dy = context.gradient(id_);
    context.has_read_back(from_);
    const BufferId dx = context.needs_gradient(from_) ? place_over_gradient(context) : kNoBuffer;
    const BufferId sums = context.add_floats(name_ + ".gradient_sums",
                                             context.batch() * 2 * std::size_t{shape_.channels});
    context.emit({x, dy, dx, sums, factors_, scale_.grad, shift_.grad},
                 [=, shape = shape_, op = op_, factors = factors_, scale = scale_, shift = shift_,
                  type = context.type, samples = context.batch(), &list = context.buffers,
                  &kernels = context.kernels](Stream stream) {
                   return kernels.group_norm_backward({.type = type,
                                                       .samples = samples,
                                                       .places = shape.area(),
                                                       .channels = shape.channels,
                                                       .groups = op.groups,
                                                       .x = list.at<void>(x),
                                                       .scale = list.at<float>(scale.master),
                                                       .factors = list.at<float>(factors),
                                                       .dy = list.at<void>(dy),
                                                       .sums = list.at<float>(sums),
                                                       .dx = list.at<void>(dx),
                                                       .dscale = list.at<float>(scale.grad),
                                                       .dshift = list.at<float>(shift.grad)},
                                                      stream);
                 });
    if (dx != kNoBuffer) context.give_gradient(from_, dx);
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  void emit_forward(DeviceLowering& context) const {
    const BufferId x = context.value(from_);
    const BufferId y = context.add_output(id_, name_);
    context.emit({x, y, factors_},
                 [=, shape = shape_, op = op_, factors = factors_, scale = scale_.master,
                  shift = shift_.master, type = context.type, samples = context.batch(),
                  &list = context.buffers, &kernels = context.kernels](Stream stream) {
                   return kernels.group_norm_forward({.type = type,
                                                      .samples = samples,
                                                      .places = shape.area(),
                                                      .channels = shape.channels,
                                                      .groups = op.groups,
                                                      .epsilon = op.epsilon,
                                                      .x = list.at<void>(x),
                                                      .scale = list.at<float>(scale),
                                                      .shift = list.at<float>(shift),
                                                      .factors = list.at<float>(factors),
                                                      .y = list.at<void>(y)},
                                                     stream);
                 });
    context.set_value(id_, y);
  }

  TensorShape shape_;
  GroupNormOp op_;
  BufferId factors_ = kNoBuffer;
  ParamBuffers scale_;
  ParamBuffers shift_;
};

}  // namespace

DeviceLayerPtr make_layer_norm_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<LayerNormLayer>(model.graph, node);
}
DeviceLayerPtr make_group_norm_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<GroupNormLayer>(model.graph, node);
}

}  // namespace penstock::train::cuda
