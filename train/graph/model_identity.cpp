#include <variant>

#include "streamer/core/number_text.h"
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
  return text;
}

struct AttributeText {
  std::string operator()(const InputOp&) const { return {}; }
  std::string operator()(const ReluOp&) const { return {}; }
  std::string operator()(const GlobalAvgPoolOp&) const { return {}; }
  std::string operator()(const FlattenOp&) const { return {}; }
  std::string operator()(const Conv2dOp& op) const {
    return " filters=" + std::to_string(op.filters) + window_text(op.window) +
           " bias=" + (op.has_bias ? "1" : "0");
  }
  std::string operator()(const BatchNormOp& op) const {
    return " epsilon=" + number_text(op.epsilon) + " momentum=" + number_text(op.momentum);
  }
  std::string operator()(const MaxPoolOp& op) const { return window_text(op.window); }
  std::string operator()(const DenseOp& op) const {
    return " units=" + std::to_string(op.units) + " bias=" + (op.has_bias ? "1" : "0");
  }
  std::string operator()(const DropoutOp& op) const { return " rate=" + number_text(op.rate); }
};

}  // namespace

std::string ModelGraph::identity() const {
  std::string text = "graph 1\n";
  for (const Node& node : nodes_) {
    text += node.name + " = " + std::string(operation_name(node.op)) + "(";
    for (const NodeId from : node.inputs) text += nodes_[from].name;
    text += ")" + std::visit(AttributeText{}, node.op) + " -> " + node.shape.text() + "\n";
  }
  return text + "output " + nodes_[output()].name + "\n";
}

}  // namespace penstock::train
