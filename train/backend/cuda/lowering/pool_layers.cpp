// Pooling over windows and over adaptive windows.
#include <variant>

#include "streamer/core/error.h"
#include "train/backend/cuda/lowering/single_input_layer.h"

namespace penstock::train::cuda {
namespace {

PoolShape pool_shape(const ModelGraph& graph, NodeId id, std::size_t samples) {
  const TensorShape& in = graph.node(graph.node(id).inputs.front()).shape;
  const TensorShape& out = graph.node(id).shape;
  return {.samples = samples,
          .channels = in.channels,
          .in_height = in.height,
          .in_width = in.width,
          .out_height = out.height,
          .out_width = out.width};
}

PoolWindow pool_window(const PoolOp& op) {
  const Window& window = op.window;
  return {.kernel_height = window.kernel.rows,
          .kernel_width = window.kernel.cols,
          .stride_y = window.stride.rows,
          .stride_x = window.stride.cols,
          .dilation_y = window.dilation.rows,
          .dilation_x = window.dilation.cols,
          .pad_top = window.pad_top,
          .pad_left = window.pad_left,
          .counts_padding = op.counts_padding};
}

/// A place in a window is a byte.
constexpr std::size_t kMaxWindowPlaces = 256;

void check_window(const Node& node) {
  const Extent& kernel = std::get<PoolOp>(node.op).window.kernel;
  if (std::size_t{kernel.rows} * kernel.cols <= kMaxWindowPlaces) return;
  throw Error(ErrorCode::kUnsupported,
              "model: " + node.name + ": expected a max_pool window of at most " +
                  std::to_string(kMaxWindowPlaces) + " places on a GPU, found " +
                  std::to_string(kernel.rows) + " x " + std::to_string(kernel.cols),
              "--device cpu, or global_max_pool");
}

class MaxPoolLayer final : public SingleInputLayer {
 public:
  MaxPoolLayer(const ModelGraph& graph, NodeId id)
      : SingleInputLayer(graph, id), window_(pool_window(std::get<PoolOp>(graph.node(id).op))) {}

  void forward(DeviceLowering& context) override {
    const BufferId x = context.value(from_);
    const BufferId y = context.add_output(id_, name_);
    places_ = context.needs_gradient(id_)
                  ? context.add_value(name_ + ".places", context.num_values(id_))
                  : kNoBuffer;
    context.emit({x, y, places_},
                 [=, window = window_, places = places_, type = context.type,
                  shape = pool_shape(context.graph, id_, context.batch()), &list = context.buffers,
                  &kernels = context.kernels](Stream stream) {
                   return kernels.max_pool_forward({.type = type,
                                                    .shape = shape,
                                                    .window = window,
                                                    .x = list.at<void>(x),
                                                    .y = list.at<void>(y),
                                                    .places = list.at<std::uint8_t>(places)},
                                                   stream);
                 });
    context.set_value(id_, y);
    // Places are computed again with the values.
    reads_itself_ = places_ != kNoBuffer && context.lowering.is_recomputed(id_);
    if (reads_itself_) context.will_read_back(id_);
  }

  void backward(DeviceLowering& context) override {
    if (reads_itself_) context.has_read_back(id_);
    if (!context.needs_gradient(from_)) return;
    const BufferId dy = context.gradient(id_);
    const BufferId dx = context.place_for_gradient(from_, name_ + ".input");
    context.emit({places_, dy, dx},
                 [=, window = window_, places = places_, type = context.type,
                  shape = pool_shape(context.graph, id_, context.batch()), &list = context.buffers,
                  &kernels = context.kernels](Stream stream) {
                   return kernels.max_pool_backward({.type = type,
                                                     .shape = shape,
                                                     .window = window,
                                                     .places = list.at<std::uint8_t>(places),
                                                     .dy = list.at<void>(dy),
                                                     .dx = list.at<void>(dx)},
                                                    stream);
                 });
    context.give_gradient(from_, dx);
  }

  std::string explain() const override {
    return "own kernel, a byte for the place of each maximum";
  }

 private:
  PoolWindow window_;
  BufferId places_ = kNoBuffer;
  bool reads_itself_ = false;
};

class AveragePoolLayer final : public SingleInputLayer {
 public:
  AveragePoolLayer(const ModelGraph& graph, NodeId id)
      : SingleInputLayer(graph, id), window_(pool_window(std::get<PoolOp>(graph.node(id).op))) {}

  void forward(DeviceLowering& context) override {
    const BufferId y = context.add_output(id_, name_);
    emit_pool(context, context.value(from_), y, context.kernels.average_pool_forward);
    context.set_value(id_, y);
  }

  void backward(DeviceLowering& context) override {
    if (!context.needs_gradient(from_)) return;
    const BufferId dx = context.place_for_gradient(from_, name_ + ".input");
    emit_pool(context, context.gradient(id_), dx, context.kernels.average_pool_backward);
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return "own kernel"; }

 private:
  void emit_pool(DeviceLowering& context, BufferId from, BufferId to,
                 Kernel<AveragePool> kernel) const {
    context.emit({from, to}, [=, window = window_, type = context.type,
                              shape = pool_shape(context.graph, id_, context.batch()),
                              &list = context.buffers](Stream stream) {
      return kernel({.type = type,
                     .shape = shape,
                     .window = window,
                     .from = list.at<void>(from),
                     .to = list.at<void>(to)},
                    stream);
    });
  }

  PoolWindow window_;
};

class AdaptivePoolLayer final : public SingleInputLayer {
 public:
  AdaptivePoolLayer(const ModelGraph& graph, NodeId id)
      : SingleInputLayer(graph, id),
        is_max_(std::get<AdaptivePoolOp>(graph.node(id).op).kind == PoolKind::kMax) {}

  void forward(DeviceLowering& context) override {
    const BufferId x = context.value(from_);
    const BufferId y = context.add_output(id_, name_);
    context.emit({x, y}, [=, is_max = is_max_, type = context.type,
                          shape = pool_shape(context.graph, id_, context.batch()),
                          &list = context.buffers, &kernels = context.kernels](Stream stream) {
      return kernels.adaptive_pool_forward({.type = type,
                                            .shape = shape,
                                            .is_max = is_max,
                                            .x = list.at<void>(x),
                                            .y = list.at<void>(y)},
                                           stream);
    });
    context.set_value(id_, y);
    reads_x_ = is_max_ && context.needs_gradient(from_);
    if (reads_x_) context.will_read_back(from_);
  }

  void backward(DeviceLowering& context) override {
    if (!context.needs_gradient(from_)) return;
    const BufferId dy = context.gradient(id_);
    const BufferId x = reads_x_ ? context.value(from_) : kNoBuffer;
    const BufferId dx =
        reads_x_ ? context.add_transient(name_ + ".input.grad", context.value_bytes(from_))
                 : context.place_for_gradient(from_, name_ + ".input");
    context.emit({x, dy, dx}, [=, is_max = is_max_, type = context.type,
                               shape = pool_shape(context.graph, id_, context.batch()),
                               &list = context.buffers, &kernels = context.kernels](Stream stream) {
      return kernels.adaptive_pool_backward({.type = type,
                                             .shape = shape,
                                             .is_max = is_max,
                                             .x = list.at<void>(x),
                                             .dy = list.at<void>(dy),
                                             .dx = list.at<void>(dx)},
                                            stream);
    });
    if (reads_x_) context.has_read_back(from_);
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return "own kernel"; }

 private:
  bool is_max_;
  bool reads_x_ = false;
};

}  // namespace

DeviceLayerPtr make_window_pool_layer(const TypedGraph& model, NodeId node) {
  if (std::get<PoolOp>(model.graph.node(node).op).kind == PoolKind::kMax) {
    check_window(model.graph.node(node));
    return std::make_unique<MaxPoolLayer>(model.graph, node);
  }
  return std::make_unique<AveragePoolLayer>(model.graph, node);
}

DeviceLayerPtr make_adaptive_pool_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<AdaptivePoolLayer>(model.graph, node);
}

}  // namespace penstock::train::cuda
