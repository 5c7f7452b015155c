// A batch norm, its ReLU and the one convolution that reads that as one layer, by products that normalise what they
// read: the normalised values are in no memory, neither going forward nor kept for the gradient of the weights.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "train/backend/cuda/lowering/activation_choice.h"
#include "train/backend/cuda/lowering/device_layers.h"
#include "train/backend/cuda/lowering/extras.h"
#include "train/backend/cuda/lowering/norm_plan.h"
#include "train/backend/cuda/lowering/product_passes.h"

namespace penstock::train::cuda {
namespace {

/// What the library has for such a layer, or why it is none.
struct NormProducts {
  ConvolutionProblem problem{};
  std::shared_ptr<Product> forward{};
  std::shared_ptr<Product> weights{};  // null where the weights do not learn
  std::string refusal{};
};

class NormConvolutionLayer final : public DeviceLayer {
 public:
  NormConvolutionLayer(const ModelGraph& graph, const NodeChain& nodes,
                       const NormProducts& products)
      : norm_(nodes[0]),
        relu_(nodes[1]),
        conv_(nodes[2]),
        from_(graph.node(norm_).inputs.front()),
        name_(graph.node(conv_).name),
        gives_sums_(products.problem.has_statistics),
        passes_(name_, conv_) {
    plan_.activation = activation_of(graph, relu_);
    passes_.set(products.problem.alone());
    passes_.set_extra(ProductPass::kForward, products.forward);
    if (products.weights) passes_.set_extra(ProductPass::kWeightGradient, products.weights);
  }

  void forward(DeviceLowering& context) override {
    plan_.emit_statistics(context, norm_, context.value(from_));
    weight_ = context.add_param(context.graph.parameters_of(conv_).front(), context.type, true);
    emit_scale(context);
    emit_product(context);
    if (context.needs_gradient(conv_)) context.will_read_back(from_);
  }

  void forward_again(DeviceLowering& context) override { emit_product(context); }

  void backward(DeviceLowering& context) override {
    const BufferId dy = context.gradient(conv_);
    plan_.x = context.value(from_);
    if (weight_.buffers.grad != kNoBuffer) {
      passes_.emit(context, ProductPass::kWeightGradient,
                   {.x = plan_.x,
                    .dy = dy,
                    .scale = scale_,
                    .shift_offset_bytes = shift_offset_bytes(context),
                    .result = weight_.buffers.grad});
    }
    if (context.needs_gradient(relu_)) emit_norm_backward(context, dy);
    context.has_read_back(from_);
    if (context.needs_gradient(from_)) context.give_gradient(from_, plan_.dx);
  }

  std::string explain() const override { return "own NHWC kernels / " + passes_.explain(); }

 private:
  std::size_t shift_offset_bytes(const DeviceLowering& context) const {
    return plan_.rows.channels * cuda::value_bytes(context.type);
  }

  /// Gain and offset of the norm in the type of the values, as products read them.
  void emit_scale(DeviceLowering& context) {
    scale_ = context.add_value(context.graph.node(norm_).name + ".scale",
                               2 * shift_offset_bytes(context));
    context.emit({plan_.factors, scale_}, [plan = plan_, scale = scale_](Stream stream) {
      return plan.kernels->convert_values({.count = 2 * std::size_t{plan.rows.channels},
                                           .from_type = ValueType::kFloat32,
                                           .from = plan.channel_factors().gain,
                                           .to_type = plan.rows.type,
                                           .to = plan.at(scale)},
                                          stream);
    });
  }

  void emit_product(DeviceLowering& context) {
    const BufferId y = context.add_output(conv_, name_);
    passes_.emit(context, ProductPass::kForward,
                 {.x = context.value(from_),
                  .w = DeviceLowering::product_weight(weight_),
                  .scale = scale_,
                  .shift_offset_bytes = shift_offset_bytes(context),
                  .result = y,
                  .sums = gives_sums_ ? add_channel_sums(context, conv_) : kNoBuffer});
    context.set_value(conv_, y);
  }

  /// dx takes the place of the gradient by the normalised values.
  void emit_norm_backward(DeviceLowering& context, BufferId dy) {
    plan_.dy = context.add_transient(name_ + ".input.grad", context.value_bytes(relu_));
    passes_.emit(context, ProductPass::kDataGradient,
                 {.w = DeviceLowering::product_weight(weight_), .dy = dy, .result = plan_.dy});
    plan_.dx = context.needs_gradient(from_) ? plan_.dy : kNoBuffer;
    plan_.emit_backward(context, context.graph.node(norm_).name);
  }

  NodeId norm_;
  NodeId relu_;
  NodeId conv_;
  NodeId from_;
  std::string name_;
  bool gives_sums_;
  ProductPasses<ConvolutionProblem> passes_;
  NormPlan plan_;
  DeviceParam weight_;
  BufferId scale_ = kNoBuffer;  // and shift: [2, channels]
};

/// Each product on its own has to be faster than what it replaces. Of the weights' gradient that is the plain one,
/// since the normalised values count with the forward pass.
NormProducts ask_for_products(DeviceLowering& context, const NodeChain& nodes) {
  NormProducts products{.problem = convolution_problem(context, nodes[2])};
  products.problem.has_norm_relu = true;
  products.problem.has_statistics = takes_statistics(context, nodes[2]);
  FoundExtra forward =
      context.products.find_extra(products.problem, context.plan_limits,
                                  replaced_norm_relu(context, nodes[1], products.problem));
  products.forward = std::move(forward.product);
  products.refusal = forward.reason;
  const std::size_t weight = context.graph.parameters_of(nodes[2]).front();
  if (products.forward == nullptr || !context.flow.learns[weight]) return products;
  ConvolutionProblem gradient = products.problem;
  gradient.pass = ProductPass::kWeightGradient;
  gradient.has_statistics = false;
  FoundExtra weights = context.products.find_extra(gradient, context.plan_limits, {});
  products.weights = std::move(weights.product);
  if (products.weights == nullptr) products.refusal = weights.reason + " for the gradient";
  return products;
}

}  // namespace

void fuse_norms_into_convolutions(DeviceLowering& context,
                                  std::vector<LoweredDeviceLayer>& layers) {
  if (!context.takes_extras) return;
  for (LoweredDeviceLayer& norm : layers) {
    const NodeChain nodes = match_batch_norm_relu_conv2d(context.graph, norm.nodes.front());
    if (nodes.empty() || norm.nodes.back() != nodes[1]) continue;
    LoweredDeviceLayer& conv =
        *std::ranges::find(layers, NodeChain{nodes.back()}, &LoweredDeviceLayer::nodes);
    const NormProducts products = ask_for_products(context, nodes);
    if (!products.refusal.empty()) {
      conv.choice = "extra batch_norm + relu: " + products.refusal;
      continue;
    }
    conv = {nodes, std::make_unique<NormConvolutionLayer>(context.graph, nodes, products),
            "extra: " + chain_text(context.graph, nodes) +
                (products.problem.has_statistics ? " + statistics" : "")};
    norm.layer = nullptr;
  }
  std::erase_if(layers, [](const LoweredDeviceLayer& layer) { return layer.layer == nullptr; });
}

}  // namespace penstock::train::cuda
