#include "train/graph/model_summary.h"

#include <algorithm>
#include <array>
#include <variant>

#include "train/graph/custom_operation.h"

namespace penstock::train {
namespace {

/// A figure beyond 64 bits is shown as the largest number there is.
std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

void add_to(std::uint64_t& sum, std::uint64_t value) {
  if (__builtin_add_overflow(sum, value, &sum)) sum = UINT64_MAX;
}

/// Floating point operations of one sample. An exponential, a root or a division counts as one.
struct ForwardFlops {
  const ModelGraph& graph;
  const Node& node;

  std::uint64_t outputs() const { return node.shape.num_elements(); }
  const TensorShape& input() const { return graph.node(node.inputs.front()).shape; }

  std::uint64_t operator()(const InputOp&) const { return 0; }
  std::uint64_t operator()(const FlattenOp&) const { return 0; }
  std::uint64_t operator()(const ConcatOp&) const { return 0; }
  std::uint64_t operator()(const Conv2dOp& op) const {
    const std::uint64_t terms =
        std::uint64_t{input().channels / op.groups} * op.window.kernel.rows * op.window.kernel.cols;
    return times(outputs(), 2 * terms + (op.has_bias ? 1 : 0));
  }
  std::uint64_t operator()(const DenseOp& op) const {
    return times(outputs(), 2 * std::uint64_t{input().channels} + (op.has_bias ? 1 : 0));
  }
  std::uint64_t operator()(const BatchNormOp&) const { return times(outputs(), 2); }
  // Mean and variance of the sample's own values come first: three more.
  std::uint64_t operator()(const GroupNormOp&) const { return times(outputs(), 5); }
  std::uint64_t operator()(const LayerNormOp&) const { return times(outputs(), 5); }
  std::uint64_t operator()(const SoftmaxOp&) const { return times(outputs(), 4); }
  std::uint64_t operator()(const ActivationOp& op) const {
    switch (op.kind) {
      case ActivationKind::kRelu:
        return outputs();
      case ActivationKind::kRelu6:
      case ActivationKind::kLeakyRelu:
        return times(outputs(), 2);
      case ActivationKind::kHardSigmoid:
        return times(outputs(), 4);
      case ActivationKind::kSigmoid:
        return times(outputs(), 3);
      case ActivationKind::kSilu:
      case ActivationKind::kGelu:
        return times(outputs(), 4);
      case ActivationKind::kHardSwish:
        return times(outputs(), 5);
    }
    return outputs();
  }
  std::uint64_t operator()(const PoolOp& op) const {
    return times(outputs(), std::uint64_t{op.window.kernel.rows} * op.window.kernel.cols);
  }
  std::uint64_t operator()(const AdaptivePoolOp&) const { return input().num_elements(); }
  std::uint64_t operator()(const DropoutOp&) const { return outputs(); }
  std::uint64_t operator()(const ChannelScaleOp&) const { return outputs(); }
  std::uint64_t operator()(const AddOp&) const { return times(outputs(), node.inputs.size() - 1); }
  std::uint64_t operator()(const MultiplyOp&) const { return outputs(); }
  std::uint64_t operator()(const CustomOp& op) const {
    std::vector<TensorShape> shapes;
    for (const NodeId from : node.inputs) shapes.push_back(graph.node(from).shape);
    return op.operation->forward_flops(shapes);
  }
};

std::string with_commas(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

using Row = std::array<std::string, 6>;

Row row_of(const LayerSummary& layer) {
  return {layer.name,
          layer.operation,
          layer.output.text(),
          with_commas(layer.num_params),
          with_commas(layer.activation_bytes),
          with_commas(layer.forward_flops)};
}

}  // namespace

ModelSummary summarize(const ModelGraph& graph) {
  ModelSummary summary{graph.name(), {}, {}};
  summary.total.name = "total";
  summary.total.output = graph.node(graph.output()).shape;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const Node& node = graph.node(id);
    LayerSummary layer{node.name, std::string(operation_name(node.op)), node.shape};
    for (const std::uint32_t param_idx : graph.parameters_of(id)) {
      const Parameter& parameter = graph.parameters()[param_idx];
      (parameter.is_trainable ? layer.num_params : layer.num_statistics) +=
          parameter.num_elements();
    }
    layer.activation_bytes = node.shape.num_elements() * sizeof(float);
    layer.forward_flops = std::visit(ForwardFlops{graph, node}, node.op);
    add_to(summary.total.num_params, layer.num_params);
    add_to(summary.total.num_statistics, layer.num_statistics);
    add_to(summary.total.activation_bytes, layer.activation_bytes);
    add_to(summary.total.forward_flops, layer.forward_flops);
    summary.layers.push_back(std::move(layer));
  }
  return summary;
}

std::uint64_t parameter_bytes(const ModelSummary& summary) {
  return times(summary.total.num_params, sizeof(float));
}

std::string to_text(const ModelSummary& summary) {
  std::vector<Row> rows{{"layer", "operation", "output", "params", "bytes", "FLOPs"}};
  for (const LayerSummary& layer : summary.layers) rows.push_back(row_of(layer));
  rows.push_back(row_of(summary.total));
  std::array<std::size_t, 6> widths{};
  for (const Row& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  constexpr std::size_t kFirstNumber = 3;  // numbers stand to the right
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string fill(widths[c] - row[c].size(), ' ');
      line += c >= kFirstNumber ? fill + row[c] : row[c] + fill;
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  const std::uint64_t bytes = parameter_bytes(summary);
  return text + "activation bytes and forward FLOPs are for one sample in float32; " +
         with_commas(summary.total.num_statistics) + " running statistics beside the parameters\n" +
         "training keeps " + with_commas(bytes) + " bytes of parameters and passes " +
         with_commas(bytes) + " of gradients; optimizer states: sgd with momentum " +
         with_commas(bytes) + ", adam " + with_commas(times(2, bytes)) + "\n";
}

}  // namespace penstock::train
