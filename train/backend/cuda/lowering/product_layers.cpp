// Convolutions and dense layers, by the plans of a library.
#include <memory>
#include <variant>

#include "train/backend/cuda/lowering/single_input_layer.h"
#include "train/backend/cuda/product_library.h"

namespace penstock::train::cuda {
namespace {

/// A plan that tasks share, and the workspace that it asks for.
struct PlacedPlan {
  std::shared_ptr<Product> plan;
  BufferId workspace = kNoBuffer;
};

/// The passes of a product of weights, whatever the problem is.
template <class Problem>
class ProductPasses {
 public:
  explicit ProductPasses(std::string name) : name_(std::move(name)) {}

  void set(const Problem& problem) { problem_ = problem; }

  void emit_forward(DeviceLowering& context, BufferId x, BufferId w, BufferId bias, BufferId y) {
    const PlacedPlan placed = place(context, ProductPass::kForward);
    context.emit({x, y, placed.workspace}, [=, &list = context.buffers](Stream stream) {
      return placed.plan->run({.x = list.at<void>(x),
                               .w = list.at<void>(w),
                               .bias = list.at<void>(bias),
                               .result = list.at<void>(y)},
                              list.at<void>(placed.workspace), stream);
    });
  }

  void emit_weights(DeviceLowering& context, BufferId x, BufferId dy, BufferId dw) {
    const PlacedPlan placed = place(context, ProductPass::kWeightGradient);
    context.emit({x, dy, dw, placed.workspace}, [=, &list = context.buffers](Stream stream) {
      return placed.plan->run(
          {.x = list.at<void>(x), .dy = list.at<void>(dy), .result = list.at<void>(dw)},
          list.at<void>(placed.workspace), stream);
    });
  }

  void emit_data(DeviceLowering& context, BufferId dy, BufferId w, BufferId dx) {
    const PlacedPlan placed = place(context, ProductPass::kDataGradient);
    context.emit({dy, dx, placed.workspace}, [=, &list = context.buffers](Stream stream) {
      return placed.plan->run(
          {.w = list.at<void>(w), .dy = list.at<void>(dy), .result = list.at<void>(dx)},
          list.at<void>(placed.workspace), stream);
    });
  }

  std::string explain() const { return plan_names_; }

 private:
  PlacedPlan place(DeviceLowering& context, ProductPass pass) {
    Problem problem = problem_;
    problem.pass = pass;
    if (pass != ProductPass::kForward) problem.has_bias = false;
    if (pass != ProductPass::kWeightGradient) problem.has_float32_result = false;
    PlacedPlan placed{.plan = context.products.find(problem, context.plan_limits)};
    const std::size_t bytes = placed.plan->workspace_bytes();
    const char* suffix = pass == ProductPass::kForward        ? ".forward"
                         : pass == ProductPass::kDataGradient ? ".data"
                                                              : ".weights";
    if (bytes > 0) placed.workspace = context.add_workspace(name_ + suffix, bytes);
    plan_names_ += (plan_names_.empty() ? "" : " / ") + placed.plan->name();
    return placed;
  }

  std::string name_;
  Problem problem_{};
  std::string plan_names_;
};

void emit_bias_gradient(DeviceLowering& context, NodeId id, BufferId dy, BufferId dbias) {
  const ValueRows rows = context.rows_of(id);
  const BufferId partials = context.add_floats(
      context.graph.node(id).name + ".bias_sums",
      std::size_t{context.kernels.num_row_parts(rows.num_rows, rows.channels)} * rows.channels);
  context.emit({dy, dbias, partials},
               [=, &list = context.buffers, &kernels = context.kernels](Stream stream) {
                 return kernels.channel_sums({.rows = rows,
                                              .values = list.at<void>(dy),
                                              .partials = list.at<float>(partials),
                                              .sums = list.at<float>(dbias)},
                                             stream);
               });
}

/// A layer of weights: Problem says what they do to its input.
template <class Problem>
class WeightedLayer : public SingleInputLayer {
 public:
  WeightedLayer(const ModelGraph& graph, NodeId id, bool has_bias)
      : SingleInputLayer(graph, id), passes_(name_), has_bias_(has_bias) {}

  void forward(DeviceLowering& context) override {
    const auto params = context.graph.parameters_of(id_);
    weight_ = context.add_param(params[0], gradient_type(context), true);
    if (has_bias_) bias_ = context.add_param(params[1], ValueType::kFloat32, true);
    passes_.set(problem(context));
    emit_forward(context);
    if (weight_.buffers.grad != kNoBuffer) context.will_read_back(from_);
  }

  void forward_again(DeviceLowering& context) override { emit_forward(context); }

  void backward(DeviceLowering& context) override {
    const BufferId dy = context.gradient(id_);
    if (weight_.buffers.grad != kNoBuffer) {
      passes_.emit_weights(context, context.value(from_), dy, weight_.buffers.grad);
      context.has_read_back(from_);
    }
    if (bias_.buffers.grad != kNoBuffer) {
      emit_bias_gradient(context, id_, dy, bias_.buffers.grad);
    }
    if (!context.needs_gradient(from_)) return;
    const BufferId dx = context.place_for_gradient(from_, name_ + ".input");
    passes_.emit_data(context, dy, DeviceLowering::product_weight(weight_), dx);
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return passes_.explain(); }

 protected:
  virtual Problem problem(const DeviceLowering& context) const = 0;
  /// What the gradient of the weights is left in.
  virtual ValueType gradient_type(const DeviceLowering& context) const = 0;

 private:
  void emit_forward(DeviceLowering& context) {
    const BufferId y = context.add_output(id_, name_);
    passes_.emit_forward(context, context.value(from_), DeviceLowering::product_weight(weight_),
                         has_bias_ ? DeviceLowering::product_weight(bias_) : kNoBuffer, y);
    context.set_value(id_, y);
  }

  ProductPasses<Problem> passes_;
  bool has_bias_;
  DeviceParam weight_;
  DeviceParam bias_;
};

class ConvolutionLayer final : public WeightedLayer<ConvolutionProblem> {
 public:
  ConvolutionLayer(const ModelGraph& graph, NodeId id, const Conv2dOp& op)
      : WeightedLayer(graph, id, op.has_bias), op_(op) {}

 private:
  ConvolutionProblem problem(const DeviceLowering& context) const override {
    const TensorShape& in = context.graph.node(from_).shape;
    return {.type = context.type,
            .may_use_tf32 = context.compute() == ComputeType::kTf32,
            .has_bias = op_.has_bias,
            .batch = static_cast<std::uint32_t>(context.batch()),
            .in_channels = from_ == context.graph.input() ? context.input_channels : in.channels,
            .height = in.height,
            .width = in.width,
            .filters = op_.filters,
            .groups = op_.groups,
            .window = op_.window};
  }
  ValueType gradient_type(const DeviceLowering& context) const override { return context.type; }

  Conv2dOp op_;
};

class DenseLayer final : public WeightedLayer<DenseProblem> {
 public:
  DenseLayer(const ModelGraph& graph, NodeId id, const DenseOp& op)
      : WeightedLayer(graph, id, op.has_bias), op_(op) {}

 private:
  DenseProblem problem(const DeviceLowering& context) const override {
    return {.type = context.type,
            .may_use_tf32 = context.compute() == ComputeType::kTf32,
            .has_bias = op_.has_bias,
            .has_float32_result = true,
            .rows = static_cast<std::uint32_t>(context.batch()),
            .inputs = context.graph.node(from_).shape.channels,
            .units = op_.units};
  }
  ValueType gradient_type(const DeviceLowering&) const override { return ValueType::kFloat32; }

  DenseOp op_;
};

}  // namespace

DeviceLayerPtr make_convolution_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<ConvolutionLayer>(model.graph, node,
                                            std::get<Conv2dOp>(model.graph.node(node).op));
}
DeviceLayerPtr make_dense_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<DenseLayer>(model.graph, node,
                                      std::get<DenseOp>(model.graph.node(node).op));
}

}  // namespace penstock::train::cuda
