// Layers that take values one by one, or a row at a time: activations, softmax, dropout, flatten.
#include "train/backend/cuda/lowering/activation_choice.h"
#include "train/backend/cuda/lowering/single_input_layer.h"

namespace penstock::train::cuda {
namespace {

class ActivationLayer final : public SingleInputLayer {
 public:
  ActivationLayer(const ModelGraph& graph, NodeId id)
      : SingleInputLayer(graph, id), activation_(activation_of(graph, id)) {}

  void forward(DeviceLowering& context) override {
    const BufferId x = context.value(from_);
    const bool reads_x = context.needs_gradient(id_);  // going back
    const BufferId y = !reads_x && context.can_replace(x) ? x : context.add_output(id_, name_);
    context.emit({x, y}, [=, this_activation = activation_, type = context.type,
                          count = context.num_values(id_), &list = context.buffers,
                          &kernels = context.kernels](Stream stream) {
      return kernels.activation_forward({.type = type,
                                         .count = count,
                                         .activation = this_activation,
                                         .x = list.at<void>(x),
                                         .y = list.at<void>(y)},
                                        stream);
    });
    context.set_value(id_, y);
    if (reads_x) context.will_read_back(from_);
  }

  void backward(DeviceLowering& context) override {
    const BufferId dy = context.gradient(id_);
    const BufferId x = context.value(from_);
    context.has_read_back(from_);
    if (!context.needs_gradient(from_)) return;
    const BufferId dx = place_over_gradient(context);
    context.emit({x, dy, dx}, [=, this_activation = activation_, type = context.type,
                               count = context.num_values(id_), &list = context.buffers,
                               &kernels = context.kernels](Stream stream) {
      return kernels.activation_backward({.type = type,
                                          .count = count,
                                          .activation = this_activation,
                                          .x = list.at<void>(x),
                                          .dy = list.at<void>(dy),
                                          .dx = list.at<void>(dx)},
                                         stream);
    });
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return "own kernel"; }

 private:
  Activation activation_;
};

class SoftmaxLayer final : public SingleInputLayer {
 public:
  using SingleInputLayer::SingleInputLayer;

  void forward(DeviceLowering& context) override {
    const BufferId x = context.value(from_);
    const BufferId y = context.can_replace(x) ? x : context.add_output(id_, name_);
    context.emit({x, y}, [=, rows = context.rows_of(id_), &list = context.buffers,
                          &kernels = context.kernels](Stream stream) {
      return kernels.softmax_forward({.type = rows.type,
                                      .num_rows = rows.num_rows,
                                      .channels = rows.channels,
                                      .x = list.at<void>(x),
                                      .y = list.at<void>(y)},
                                     stream);
    });
    context.set_value(id_, y);
    if (context.needs_gradient(id_)) context.will_read_back(id_);
  }

  void backward(DeviceLowering& context) override {
    const BufferId dy = context.gradient(id_);
    const BufferId y = context.value(id_);
    context.has_read_back(id_);
    if (!context.needs_gradient(from_)) return;
    // A row's gradient takes all of y and dy first: over dy alone, which the kernel allows.
    const BufferId dx =
        context.can_overwrite_gradient(id_)
            ? dy
            : context.add_transient(name_ + ".input.grad", context.value_bytes(from_));
    context.emit({y, dy, dx}, [=, rows = context.rows_of(id_), &list = context.buffers,
                               &kernels = context.kernels](Stream stream) {
      return kernels.softmax_backward({.type = rows.type,
                                       .num_rows = rows.num_rows,
                                       .channels = rows.channels,
                                       .y = list.at<void>(y),
                                       .dy = list.at<void>(dy),
                                       .dx = list.at<void>(dx)},
                                      stream);
    });
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return "own kernel"; }
};

class RandomDropLayer final : public SingleInputLayer {
 public:
  RandomDropLayer(const ModelGraph& graph, NodeId id)
      : SingleInputLayer(graph, id),
        shape_(graph.node(id).shape),
        op_(std::get<DropoutOp>(graph.node(id).op)) {}

  void forward(DeviceLowering& context) override {
    const BufferId x = context.value(from_);
    if (!context.is_training()) return context.set_value(id_, x);
    const BufferId y = context.can_replace(x) ? x : context.add_output(id_, name_);
    emit_drop(context, x, y);
    context.set_value(id_, y);
  }

  void backward(DeviceLowering& context) override {
    if (!context.needs_gradient(from_)) return;
    const BufferId dx = place_over_gradient(context);
    emit_drop(context, context.gradient(id_), dx);
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return "own kernel, mask drawn again going back"; }

 private:
  void emit_drop(DeviceLowering& context, BufferId from, BufferId to) const {
    const RandomDrop drop{.type = context.type,
                          .samples = context.batch(),
                          .places = shape_.area(),
                          .channels = shape_.channels,
                          .rate = op_.rate,
                          .drops_samples = op_.drops_samples,
                          .node = id_,
                          .step = nullptr,
                          .from = nullptr,
                          .to = nullptr};
    context.emit({from, to}, [=, step = context.blocks().step, &list = context.buffers,
                              &kernels = context.kernels](Stream stream) {
      RandomDrop args = drop;
      args.step = list.at<StepBlock>(step);
      args.from = list.at<void>(from);
      args.to = list.at<void>(to);
      return kernels.random_drop(args, stream);
    });
  }

  TensorShape shape_;
  DropoutOp op_;
};

/// Row, column, channel to channel, row, column; nothing at all when there is one place only.
class FlattenLayer final : public SingleInputLayer {
 public:
  FlattenLayer(const ModelGraph& graph, NodeId id)
      : SingleInputLayer(graph, id), input_(graph.node(from_).shape) {}

  void forward(DeviceLowering& context) override {
    const BufferId x = context.value(from_);
    if (input_.is_flat()) return context.set_value(id_, x);
    const BufferId y = context.add_output(id_, name_);
    emit_flatten(context, x, y, false);
    context.set_value(id_, y);
  }

  void backward(DeviceLowering& context) override {
    if (!context.needs_gradient(from_)) return;
    const BufferId dy = context.gradient(id_);
    if (input_.is_flat()) return context.give_gradient(from_, dy);
    const BufferId dx = context.place_for_gradient(from_, name_ + ".input");
    emit_flatten(context, dy, dx, true);
    context.give_gradient(from_, dx);
  }

  std::string explain() const override {
    return input_.is_flat() ? "nothing to do" : "own kernel, NHWC to CHW order";
  }

 private:
  void emit_flatten(DeviceLowering& context, BufferId from, BufferId to, bool is_back) const {
    context.emit({from, to}, [=, input = input_, type = context.type, samples = context.batch(),
                              &list = context.buffers, &kernels = context.kernels](Stream stream) {
      return kernels.flatten_values({.type = type,
                                     .samples = samples,
                                     .places = input.area(),
                                     .channels = input.channels,
                                     .is_back = is_back,
                                     .from = list.at<void>(from),
                                     .to = list.at<void>(to)},
                                    stream);
    });
  }

  TensorShape input_;
};

}  // namespace

DeviceLayerPtr make_activation_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<ActivationLayer>(model.graph, node);
}
DeviceLayerPtr make_softmax_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<SoftmaxLayer>(model.graph, node);
}
DeviceLayerPtr make_random_drop_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<RandomDropLayer>(model.graph, node);
}
DeviceLayerPtr make_flatten_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<FlattenLayer>(model.graph, node);
}

}  // namespace penstock::train::cuda
