#include <variant>

#include "streamer/core/number_text.h"
#include "train/graph/custom_operation.h"
#include "train/graph/model_graph.h"

namespace penstock::train {
namespace {

std::string window_text(const Window& window) {
  std::string text;
  const auto put = [&text](const char* key, std::uint32_t a, std::uint32_t b) {
    text += std::string(" ") + key + "=" + std::to_string(a) + "x" + std::to_string(b);
  };
  put("kernel", window.kernel.rows, window.kernel.cols);
  put("stride", window.stride.rows, window.stride.cols);
  put("pad_before", window.pad_top, window.pad_left);
  put("pad_after", window.pad_bottom, window.pad_right);
  if (window.dilation != Extent{1, 1}) put("dilation", window.dilation.rows, window.dilation.cols);
  return text;
}

std::string bias_text(bool has_bias) {
  return std::string(" bias=") + (has_bias ? "1" : "0");
}

// What a layer does without is left out, so that texts from before it could do with it stay equal.
struct AttributeText {
  std::string operator()(const InputOp&) const { return {}; }
  std::string operator()(const SoftmaxOp&) const { return {}; }
  std::string operator()(const FlattenOp&) const { return {}; }
  std::string operator()(const ChannelScaleOp&) const { return {}; }
  std::string operator()(const AddOp&) const { return {}; }
  std::string operator()(const MultiplyOp&) const { return {}; }
  std::string operator()(const ConcatOp&) const { return {}; }
  std::string operator()(const Conv2dOp& op) const {
    std::string text = " filters=" + std::to_string(op.filters) + window_text(op.window);
    if (op.groups != 1) text += " groups=" + std::to_string(op.groups);
    return text + bias_text(op.has_bias);
  }
  std::string operator()(const DenseOp& op) const {
    return " units=" + std::to_string(op.units) + bias_text(op.has_bias);
  }
  std::string operator()(const BatchNormOp& op) const {
    return " epsilon=" + number_text(op.epsilon) + " momentum=" + number_text(op.momentum);
  }
  std::string operator()(const GroupNormOp& op) const {
    return " groups=" + std::to_string(op.groups) + " epsilon=" + number_text(op.epsilon);
  }
  std::string operator()(const LayerNormOp& op) const {
    return " epsilon=" + number_text(op.epsilon);
  }
  std::string operator()(const ActivationOp& op) const {
    return op.kind == ActivationKind::kLeakyRelu ? " slope=" + number_text(op.slope) : "";
  }
  std::string operator()(const PoolOp& op) const {
    return window_text(op.window) + (op.counts_padding ? " counts_padding=1" : "");
  }
  std::string operator()(const AdaptivePoolOp&) const { return {}; }  // the output's shape says it
  std::string operator()(const DropoutOp& op) const { return " rate=" + number_text(op.rate); }
  std::string operator()(const CustomOp& op) const {
    return " " + op.operation->name() + "(" + op.operation->settings() + ")";
  }
};

}  // namespace

std::string ModelGraph::identity() const {
  std::string text = "graph 1\n";
  for (const Node& node : nodes_) {
    text += node.name + " = " + std::string(operation_name(node.op)) + "(";
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      text += (i == 0 ? "" : ", ") + nodes_[node.inputs[i]].name;
    }
    text += ")" + std::visit(AttributeText{}, node.op) + " -> " + node.shape.text() + "\n";
  }
  return text + "output " + nodes_[output()].name + "\n";
}

}  // namespace penstock::train
