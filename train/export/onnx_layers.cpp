#include "train/export/onnx_layers.h"

#include <cstdint>
#include <numbers>
#include <variant>

#include "streamer/core/error.h"
#include "train/graph/custom_operation.h"

namespace penstock::train {
namespace {

using Names = std::vector<std::string>;
using Dims = std::vector<std::int64_t>;

/// Dimensions of a value for each channel that is to meet tensors of `is_flat`.
Dims channel_dims(std::uint32_t channels, bool is_flat) {
  if (is_flat) return {channels};
  return {channels, 1, 1};
}

/// Dimensions of a layer's output, the batch taken over from the input.
Dims output_dims(const OnnxLayer& layer, bool is_flat) {
  const TensorShape& shape = layer.node.shape;
  if (is_flat) return {0, shape.channels};
  return {0, shape.channels, shape.height, shape.width};
}

class LayerNodes {
 public:
  LayerNodes(const OnnxLayer& layer, OnnxNodes& nodes)
      : layer_(layer), nodes_(nodes), output_(output_name(layer)) {}

  OnnxValue operator()(const InputOp&) const {
    check_internal(false, "the input is no layer");
    return {};
  }

  OnnxValue operator()(const Conv2dOp& op) const {
    Names inputs = {map_input(layer_, 0, nodes_)};
    for (std::size_t i = 0; i < layer_.weights.size(); ++i) inputs.push_back(weight(i));
    onnx::NodeProto& node = nodes_.add("Conv", inputs, output_);
    set_window(node, op.window);
    set_ints(node, "dilations", Dims{op.window.dilation.rows, op.window.dilation.cols});
    set_int(node, "group", op.groups);
    return {output_, false};
  }

  OnnxValue operator()(const DenseOp&) const {
    Names inputs = {flat_input(layer_, 0, nodes_)};
    for (std::size_t i = 0; i < layer_.weights.size(); ++i) inputs.push_back(weight(i));
    set_int(nodes_.add("Gemm", inputs, output_), "transB", 1);
    return {output_, true};
  }

  OnnxValue operator()(const BatchNormOp& op) const {
    onnx::NodeProto& node = nodes_.add(
        "BatchNormalization", Names{input(), weight(0), weight(1), weight(2), weight(3)}, output_);
    set_float(node, "epsilon", op.epsilon);
    set_float(node, "momentum", 1 - op.momentum);  // ONNX's is the share of what was there
    return same_dims();
  }

  // GroupNormalization came with opset 18: a group is a channel of an instance norm.
  OnnxValue operator()(const GroupNormOp& op) const {
    const TensorShape& shape = layer_.node.shape;
    const auto values_per_group =
        static_cast<std::int64_t>(shape.num_elements() / std::size_t{op.groups});
    const Dims groups = {op.groups};
    const std::vector<float> ones(op.groups, 1.0f), zeros(op.groups, 0.0f);
    const std::string grouped =
        reshaped(input(), "groups", Dims{0, op.groups, values_per_group}, part("grouped"));
    const Names to_normalize = {grouped, nodes_.floats(part("ones"), groups, ones),
                                nodes_.floats(part("zeros"), groups, zeros)};
    set_float(nodes_.add("InstanceNormalization", to_normalize, part("normalized")), "epsilon",
              op.epsilon);
    const bool is_flat = layer_.inputs[0].is_flat;
    const std::string back =
        reshaped(part("normalized"), "sides", output_dims(layer_, is_flat), part("ungrouped"));
    nodes_.add("Mul", Names{back, channel_weight(0)}, part("scaled"));
    nodes_.add("Add", Names{part("scaled"), channel_weight(1)}, output_);
    return same_dims();
  }

  OnnxValue operator()(const LayerNormOp& op) const {
    if (layer_.inputs[0].is_flat) {
      add_layer_norm(op, input(), output_);
      return same_dims();
    }
    set_ints(nodes_.add("Transpose", Names{input()}, part("channels_last")), "perm",
             Dims{0, 2, 3, 1});
    add_layer_norm(op, part("channels_last"), part("normalized"));
    set_ints(nodes_.add("Transpose", Names{part("normalized")}, output_), "perm", Dims{0, 3, 1, 2});
    return same_dims();
  }

  OnnxValue operator()(const ActivationOp& op) const {
    add_activation(op);
    return same_dims();
  }

  OnnxValue operator()(const SoftmaxOp&) const {
    set_int(nodes_.add("Softmax", Names{input()}, output_), "axis", 1);
    return same_dims();
  }

  OnnxValue operator()(const PoolOp& op) const { return add_pool(op, layer_, nodes_); }
  OnnxValue operator()(const AdaptivePoolOp& op) const { return add_pool(op, layer_, nodes_); }

  // ONNX flattens in the order of its dimensions: channel, row, column, as the graph does.
  OnnxValue operator()(const FlattenOp&) const {
    set_int(nodes_.add("Flatten", Names{input()}, output_), "axis", 1);
    return {output_, true};
  }

  OnnxValue operator()(const DropoutOp&) const { return layer_.inputs[0]; }

  OnnxValue operator()(const ChannelScaleOp&) const {
    nodes_.add("Mul", Names{input(), channel_weight(0)}, output_);
    return same_dims();
  }

  OnnxValue operator()(const AddOp&) const {
    const Names inputs = inputs_of_one_rank();
    nodes_.add(inputs.size() == 2 ? "Add" : "Sum", inputs, output_);
    return same_dims();
  }

  OnnxValue operator()(const MultiplyOp&) const {
    nodes_.add("Mul", inputs_of_one_rank(), output_);
    return same_dims();
  }

  OnnxValue operator()(const ConcatOp&) const {
    set_int(nodes_.add("Concat", inputs_of_one_rank(), output_), "axis", 1);
    return same_dims();
  }

  OnnxValue operator()(const CustomOp& op) const {
    throw Error(ErrorCode::kUnsupported,
                "onnx: " + layer_.node.name + ": expected an operation that ONNX has, found " +
                    op.operation->name() + ", which is the program's own",
                "build the layer from operations that train/graph/README.md lists");
  }

 private:
  const std::string& input() const { return layer_.inputs[0].name; }
  std::string part(std::string_view name) const { return part_name(layer_, name); }
  /// The output with as many dimensions as the first input.
  OnnxValue same_dims() const { return {output_, layer_.inputs[0].is_flat}; }

  std::string weight(std::size_t idx) const {
    const NamedTensor& tensor = *layer_.weights[idx];
    return nodes_.floats(tensor.name, Dims(tensor.shape.begin(), tensor.shape.end()),
                         tensor.values);
  }
  std::string channel_weight(std::size_t idx) const {
    const NamedTensor& tensor = *layer_.weights[idx];
    return nodes_.floats(tensor.name,
                         channel_dims(layer_.node.shape.channels, layer_.inputs[0].is_flat),
                         tensor.values);
  }

  std::string reshaped(const std::string& from, std::string_view dims_part, const Dims& dims,
                       const std::string& to) const {
    nodes_.add("Reshape", Names{from, nodes_.ints(part(dims_part), dims)}, to);
    return to;
  }

  void add_layer_norm(const LayerNormOp& op, const std::string& from, const std::string& to) const {
    onnx::NodeProto& node = nodes_.add("LayerNormalization", Names{from, weight(0), weight(1)}, to);
    set_int(node, "axis", -1);
    set_float(node, "epsilon", op.epsilon);
  }

  Names inputs_of_one_rank() const {
    Names names;
    for (std::size_t i = 0; i < layer_.inputs.size(); ++i) {
      names.push_back(layer_.inputs[0].is_flat ? flat_input(layer_, i, nodes_)
                                               : map_input(layer_, i, nodes_));
    }
    return names;
  }

  void add_activation(const ActivationOp& op) const {
    const Names x = {input()};
    switch (op.kind) {
      case ActivationKind::kRelu:
        nodes_.add("Relu", x, output_);
        return;
      case ActivationKind::kRelu6:
        nodes_.add("Clip",
                   Names{input(), nodes_.scalar(part("least"), 0), nodes_.scalar(part("most"), 6)},
                   output_);
        return;
      case ActivationKind::kLeakyRelu:
        set_float(nodes_.add("LeakyRelu", x, output_), "alpha", op.slope);
        return;
      case ActivationKind::kSilu:
        nodes_.add("Sigmoid", x, part("sigmoid"));
        nodes_.add("Mul", Names{input(), part("sigmoid")}, output_);
        return;
      case ActivationKind::kHardSwish:
        nodes_.add("HardSwish", x, output_);
        return;
      case ActivationKind::kHardSigmoid: {
        onnx::NodeProto& node = nodes_.add("HardSigmoid", x, output_);
        set_float(node, "alpha", 1.0 / 6);  // ONNX's own is 0.2, Keras's
        set_float(node, "beta", 0.5);
        return;
      }
      case ActivationKind::kSigmoid:
        nodes_.add("Sigmoid", x, output_);
        return;
      case ActivationKind::kGelu:
        add_gelu();
        return;
    }
    check_internal(false, "every activation has its nodes");
  }

  // Gelu came with opset 20. This order of steps is the one that ONNX Runtime finds again and fuses.
  void add_gelu() const {
    nodes_.add("Div",
               Names{input(), nodes_.scalar(part("root_of_2"), std::numbers::sqrt2_v<float>)},
               part("scaled"));
    nodes_.add("Erf", Names{part("scaled")}, part("erf"));
    nodes_.add("Add", Names{part("erf"), nodes_.scalar(part("one"), 1)}, part("erf_plus_1"));
    nodes_.add("Mul", Names{input(), part("erf_plus_1")}, part("twice"));
    nodes_.add("Mul", Names{part("twice"), nodes_.scalar(part("half"), 0.5f)}, output_);
  }

  const OnnxLayer& layer_;
  OnnxNodes& nodes_;
  std::string output_;
};

}  // namespace

OnnxValue add_layer(const OnnxLayer& layer, OnnxNodes& nodes) {
  return std::visit(LayerNodes(layer, nodes), layer.node.op);
}

std::string output_name(const OnnxLayer& layer) {
  return part_name(layer, "output");
}

std::string part_name(const OnnxLayer& layer, std::string_view part) {
  return layer.node.name + "/" + std::string(part);
}

std::string map_input(const OnnxLayer& layer, std::size_t idx, OnnxNodes& nodes) {
  const OnnxValue& value = layer.inputs[idx];
  if (!value.is_flat) return value.name;
  const std::string to = part_name(layer, "map" + std::to_string(idx));
  const Dims dims = {0, layer.input_shapes[idx].channels, 1, 1};
  nodes.add("Reshape", Names{value.name, nodes.ints(to + "_sides", dims)}, to);
  return to;
}

std::string flat_input(const OnnxLayer& layer, std::size_t idx, OnnxNodes& nodes) {
  const OnnxValue& value = layer.inputs[idx];
  if (value.is_flat) return value.name;
  const std::string to = part_name(layer, "flat" + std::to_string(idx));
  set_int(nodes.add("Flatten", Names{value.name}, to), "axis", 1);
  return to;
}

void set_window(onnx::NodeProto& node, const Window& window) {
  set_ints(node, "kernel_shape", Dims{window.kernel.rows, window.kernel.cols});
  set_ints(node, "strides", Dims{window.stride.rows, window.stride.cols});
  set_ints(node, "pads",
           Dims{window.pad_top, window.pad_left, window.pad_bottom, window.pad_right});
}

}  // namespace penstock::train
