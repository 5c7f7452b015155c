// Sums, products, scales and concatenation.
#include <array>

#include "train/backend/cuda/lowering/single_input_layer.h"

namespace penstock::train::cuda {
namespace {

/// Going back, every input's gradient is the output's.
class AddLayer final : public DeviceLayer {
 public:
  AddLayer(const ModelGraph& graph, NodeId id)
      : id_(id), inputs_(graph.node(id).inputs), name_(graph.node(id).name) {}

  void forward(DeviceLowering& context) override {
    BufferId sum = context.value(inputs_[0]);
    const BufferId y = context.can_replace(sum) ? sum : context.add_output(id_, name_);
    for (std::size_t k = 1; k < inputs_.size(); ++k) {
      const BufferId term = context.value(inputs_[k]);
      context.emit({sum, term, y},
                   [=, type = context.type, count = context.num_values(id_),
                    &list = context.buffers, &kernels = context.kernels](Stream stream) {
                     return kernels.add_values({.type = type,
                                                .count = count,
                                                .a = list.at<void>(sum),
                                                .b = list.at<void>(term),
                                                .sum = list.at<void>(y)},
                                               stream);
                   });
      sum = y;
    }
    context.set_value(id_, y);
  }

  void backward(DeviceLowering& context) override {
    for (const NodeId from : inputs_) {
      if (context.needs_gradient(from)) context.give_gradient(from, context.gradient(id_));
    }
  }

  std::string explain() const override { return "own kernel, gradient handed on"; }

 private:
  NodeId id_;
  std::vector<NodeId> inputs_;
  std::string name_;
};

class ProductLayer final : public DeviceLayer {
 public:
  ProductLayer(const ModelGraph& graph, NodeId id)
      : id_(id), inputs_(graph.node(id).inputs), name_(graph.node(id).name) {}

  void forward(DeviceLowering& context) override {
    const BufferId y = context.add_output(id_, name_);
    emit_product(context, context.value(inputs_[0]), context.value(inputs_[1]), y);
    context.set_value(id_, y);
    for (std::size_t k = 0; k < 2; ++k) {
      if (context.needs_gradient(inputs_[1 - k])) context.will_read_back(inputs_[k]);
    }
  }

  void backward(DeviceLowering& context) override {
    const BufferId dy = context.gradient(id_);
    std::array<BufferId, 2> dx = {kNoBuffer, kNoBuffer};
    for (std::size_t k = 0; k < 2; ++k) {
      if (!context.needs_gradient(inputs_[k])) continue;
      dx[k] = context.add_transient(name_ + ".input" + std::to_string(k) + ".grad",
                                    context.value_bytes(id_));
      emit_product(context, dy, context.value(inputs_[1 - k]), dx[k]);
    }
    for (std::size_t k = 0; k < 2; ++k) {
      if (dx[k] != kNoBuffer) context.has_read_back(inputs_[1 - k]);
    }
    for (std::size_t k = 0; k < 2; ++k) {
      if (dx[k] != kNoBuffer) context.give_gradient(inputs_[k], dx[k]);
    }
  }

  std::string explain() const override { return "own kernel"; }

 private:
  void emit_product(DeviceLowering& context, BufferId a, BufferId b, BufferId product) const {
    context.emit({a, b, product},
                 [=, type = context.type, count = context.num_values(id_), &list = context.buffers,
                  &kernels = context.kernels](Stream stream) {
                   return kernels.multiply_values({.type = type,
                                                   .count = count,
                                                   .a = list.at<void>(a),
                                                   .b = list.at<void>(b),
                                                   .product = list.at<void>(product)},
                                                  stream);
                 });
  }

  NodeId id_;
  std::vector<NodeId> inputs_;
  std::string name_;
};

class GateLayer final : public DeviceLayer {
 public:
  GateLayer(const ModelGraph& graph, NodeId id)
      : id_(id),
        tensor_(graph.node(id).inputs[0]),
        factor_(graph.node(id).inputs[1]),
        name_(graph.node(id).name),
        shape_(graph.node(id).shape) {}

  void forward(DeviceLowering& context) override {
    const BufferId x = context.value(tensor_);
    const BufferId factor = context.value(factor_);
    const BufferId y = context.add_output(id_, name_);
    context.emit({x, factor, y},
                 [=, shape = shape_, type = context.type, samples = context.batch(),
                  &list = context.buffers, &kernels = context.kernels](Stream stream) {
                   return kernels.gate_forward({.type = type,
                                                .samples = samples,
                                                .places = shape.area(),
                                                .channels = shape.channels,
                                                .x = list.at<void>(x),
                                                .factor = list.at<void>(factor),
                                                .y = list.at<void>(y)},
                                               stream);
                 });
    context.set_value(id_, y);
    if (!context.needs_gradient(id_)) return;
    context.will_read_back(tensor_);
    context.will_read_back(factor_);
  }

  void backward(DeviceLowering& context) override {
    const BufferId dy = context.gradient(id_);
    const BufferId x = context.value(tensor_);
    const BufferId factor = context.value(factor_);
    context.has_read_back(tensor_);
    context.has_read_back(factor_);
    BufferId dx = kNoBuffer;
    if (context.needs_gradient(tensor_)) {
      dx = context.can_overwrite_gradient(id_)
               ? dy
               : context.add_transient(name_ + ".tensor.grad", context.value_bytes(tensor_));
    }
    const BufferId dfactor =
        context.needs_gradient(factor_)
            ? context.add_transient(name_ + ".factor.grad", context.value_bytes(factor_))
            : kNoBuffer;
    context.emit({x, factor, dy, dx, dfactor},
                 [=, shape = shape_, type = context.type, samples = context.batch(),
                  &list = context.buffers, &kernels = context.kernels](Stream stream) {
                   return kernels.gate_backward({.type = type,
                                                 .samples = samples,
                                                 .places = shape.area(),
                                                 .channels = shape.channels,
                                                 .x = list.at<void>(x),
                                                 .factor = list.at<void>(factor),
                                                 .dy = list.at<void>(dy),
                                                 .dx = list.at<void>(dx),
                                                 .dfactor = list.at<void>(dfactor)},
                                                stream);
                 });
    if (dfactor != kNoBuffer) context.give_gradient(factor_, dfactor);
    if (dx != kNoBuffer) context.give_gradient(tensor_, dx);
  }

  std::string explain() const override { return "own kernel"; }

 private:
  NodeId id_;
  NodeId tensor_;
  NodeId factor_;
  std::string name_;
  TensorShape shape_;
};

class ChannelScaleLayer final : public SingleInputLayer {
 public:
  using SingleInputLayer::SingleInputLayer;

  void forward(DeviceLowering& context) override {
    scale_ = context.add_param(context.graph.parameters_of(id_)[0]).buffers;
    emit_forward(context);
    if (context.needs_gradient(id_)) context.will_read_back(from_);
  }

  void forward_again(DeviceLowering& context) override { emit_forward(context); }

  void backward(DeviceLowering& context) override {
    const ValueRows rows = context.rows_of(id_);
    const BufferId x = context.value(from_);
    const BufferId dy = context.gradient(id_);
    context.has_read_back(from_);
    // The sum over x comes in the same pass: only dy may be written over.
    BufferId dx = kNoBuffer;
    if (context.needs_gradient(from_)) {
      dx = context.can_overwrite_gradient(id_)
               ? dy
               : context.add_transient(name_ + ".input.grad", context.value_bytes(from_));
    }
    const BufferId partials = context.add_floats(
        name_ + ".gradient_sums",
        std::size_t{context.kernels.num_row_parts(rows.num_rows, rows.channels)} * rows.channels);
    context.emit({x, dy, dx, partials, scale_.grad}, [=, scale = scale_, &list = context.buffers,
                                                      &kernels = context.kernels](Stream stream) {
      return kernels.channel_scale_backward({.type = rows.type,
                                             .num_rows = rows.num_rows,
                                             .channels = rows.channels,
                                             .x = list.at<void>(x),
                                             .scale = list.at<float>(scale.master),
                                             .dy = list.at<void>(dy),
                                             .partials = list.at<float>(partials),
                                             .dx = list.at<void>(dx),
                                             .dscale = list.at<float>(scale.grad)},
                                            stream);
    });
    if (dx != kNoBuffer) context.give_gradient(from_, dx);
  }

  std::string explain() const override { return "own kernel"; }

 private:
  void emit_forward(DeviceLowering& context) const {
    const BufferId x = context.value(from_);
    const BufferId y = context.add_output(id_, name_);
    context.emit({x, y}, [=, rows = context.rows_of(id_), scale = scale_.master,
                          &list = context.buffers, &kernels = context.kernels](Stream stream) {
      return kernels.channel_scale_forward({.type = rows.type,
                                            .num_rows = rows.num_rows,
                                            .channels = rows.channels,
                                            .x = list.at<void>(x),
                                            .scale = list.at<float>(scale),
                                            .y = list.at<void>(y)},
                                           stream);
    });
    context.set_value(id_, y);
  }

  ParamBuffers scale_;
};

class ConcatLayer final : public DeviceLayer {
 public:
  ConcatLayer(const ModelGraph& graph, NodeId id)
      : id_(id),
        inputs_(graph.node(id).inputs),
        name_(graph.node(id).name),
        channels_(graph.node(id).shape.channels) {
    for (const NodeId from : inputs_) widths_.push_back(graph.node(from).shape.channels);
  }

  void forward(DeviceLowering& context) override {
    const BufferId y = context.add_output(id_, name_);
    std::uint32_t before = 0;  // channels of earlier inputs
    for (std::size_t k = 0; k < inputs_.size(); ++k) {
      emit_copy(context, {context.value(inputs_[k]), widths_[k], 0}, {y, channels_, before},
                widths_[k]);
      before += widths_[k];
    }
    context.set_value(id_, y);
  }

  void backward(DeviceLowering& context) override {
    const BufferId dy = context.gradient(id_);
    std::uint32_t before = 0;
    for (std::size_t k = 0; k < inputs_.size(); ++k) {
      if (context.needs_gradient(inputs_[k])) {
        const BufferId dx =
            context.place_for_gradient(inputs_[k], name_ + ".input" + std::to_string(k));
        emit_copy(context, {dy, channels_, before}, {dx, widths_[k], 0}, widths_[k]);
        context.give_gradient(inputs_[k], dx);
      }
      before += widths_[k];
    }
  }

  std::string explain() const override { return "own kernel, rows copied"; }

 private:
  /// Channels of rows.
  struct Side {
    BufferId buffer;
    std::uint32_t stride;
    std::uint32_t first;
  };

  void emit_copy(DeviceLowering& context, Side from, Side to, std::uint32_t width) const {
    context.emit({from.buffer, to.buffer}, [=, rows = context.rows_of(id_), &list = context.buffers,
                                            &kernels = context.kernels](Stream stream) {
      return kernels.copy_channels({.type = rows.type,
                                    .num_rows = rows.num_rows,
                                    .channels = width,
                                    .from = list.at<void>(from.buffer),
                                    .from_stride = from.stride,
                                    .from_first = from.first,
                                    .to = list.at<void>(to.buffer),
                                    .to_stride = to.stride,
                                    .to_first = to.first},
                                   stream);
    });
  }

  NodeId id_;
  std::vector<NodeId> inputs_;
  std::string name_;
  std::uint32_t channels_;
  std::vector<std::uint32_t> widths_;
};

}  // namespace

DeviceLayerPtr make_add_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<AddLayer>(model.graph, node);
}
DeviceLayerPtr make_product_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<ProductLayer>(model.graph, node);
}
DeviceLayerPtr make_gate_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<GateLayer>(model.graph, node);
}
DeviceLayerPtr make_channel_scale_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<ChannelScaleLayer>(model.graph, node);
}
DeviceLayerPtr make_concat_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<ConcatLayer>(model.graph, node);
}

}  // namespace penstock::train::cuda
