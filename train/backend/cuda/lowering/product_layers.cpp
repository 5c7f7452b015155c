// Convolutions and dense layers, by the plans of a library.
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "train/backend/cuda/lowering/extras.h"
#include "train/backend/cuda/lowering/product_passes.h"
#include "train/backend/cuda/lowering/single_input_layer.h"

namespace penstock::train::cuda {
namespace {

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
      : SingleInputLayer(graph, id), passes_(name_, id_), has_bias_(has_bias) {}

  void forward(DeviceLowering& context) override {
    const auto params = context.graph.parameters_of(id_);
    weight_ = context.add_param(params[0], gradient_type(context), true);
    if (has_bias_) bias_ = context.add_param(params[1], ValueType::kFloat32, true);
    passes_.set(problem(context));
    ask_for_extras(context);
    emit_forward(context);
    if (weight_.buffers.grad != kNoBuffer) context.will_read_back(from_);
  }

  void forward_again(DeviceLowering& context) override { emit_forward(context); }

  void backward(DeviceLowering& context) override {
    const BufferId dy = context.gradient(id_);
    if (weight_.buffers.grad != kNoBuffer) {
      passes_.emit(context, ProductPass::kWeightGradient,
                   {.x = context.value(from_), .dy = dy, .result = weight_.buffers.grad});
      context.has_read_back(from_);
    }
    if (bias_.buffers.grad != kNoBuffer) {
      emit_bias_gradient(context, id_, dy, bias_.buffers.grad);
    }
    if (!context.needs_gradient(from_)) return;
    const BufferId dx = context.place_for_gradient(from_, name_ + ".input");
    passes_.emit(context, ProductPass::kDataGradient,
                 {.w = DeviceLowering::product_weight(weight_), .dy = dy, .result = dx});
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return passes_.explain(); }

 protected:
  virtual Problem problem(const DeviceLowering& context) const = 0;
  /// What the gradient of the weights is left in.
  virtual ValueType gradient_type(const DeviceLowering& context) const = 0;
  virtual void ask_for_extras(DeviceLowering&) {}

  ProductPasses<Problem> passes_;
  bool gives_sums_ = false;

 private:
  void emit_forward(DeviceLowering& context) {
    const BufferId y = context.add_output(id_, name_);
    const BufferId sums = gives_sums_ ? add_channel_sums(context, id_) : kNoBuffer;
    passes_.emit(context, ProductPass::kForward,
                 {.x = context.value(from_),
                  .w = DeviceLowering::product_weight(weight_),
                  .bias = has_bias_ ? DeviceLowering::product_weight(bias_) : kNoBuffer,
                  .result = y,
                  .sums = sums});
    context.set_value(id_, y);
  }

  bool has_bias_;
  DeviceParam weight_;
  DeviceParam bias_;
};

class ConvolutionLayer final : public WeightedLayer<ConvolutionProblem> {
 public:
  ConvolutionLayer(const ModelGraph& graph, NodeId id, const Conv2dOp& op)
      : WeightedLayer(graph, id, op.has_bias) {}

  std::string explain() const override { return passes_.explain() + note_; }

 private:
  ConvolutionProblem problem(const DeviceLowering& context) const override {
    return convolution_problem(context, id_);
  }
  ValueType gradient_type(const DeviceLowering& context) const override { return context.type; }

  void ask_for_extras(DeviceLowering& context) override {
    if (!takes_statistics(context, id_)) return;
    ConvolutionProblem problem = passes_.problem();
    problem.has_statistics = true;
    FoundExtra found = context.products.find_extra(problem, context.plan_limits,
                                                   replaced_statistics(context, id_));
    gives_sums_ = found.product != nullptr;
    note_ = gives_sums_ ? ", extra: statistics" : ", extra statistics: " + found.reason;
    if (gives_sums_) passes_.set_extra(ProductPass::kForward, std::move(found.product));
  }

  std::string note_;
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
