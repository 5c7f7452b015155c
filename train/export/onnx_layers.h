// One layer of a model as nodes of an ONNX graph.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "train/export/onnx_nodes.h"
#include "train/graph/model_graph.h"
#include "train/store/safetensors.h"

namespace penstock::train {

/// A tensor of the ONNX graph: [batch, channels, height, width], or [batch, channels] when flat. A graph's
/// flat shapes may come as either.
struct OnnxValue {
  std::string name;
  bool is_flat = false;
};

/// What there is to say about a layer.
struct OnnxLayer {
  const Node& node;
  std::vector<OnnxValue> inputs;
  std::vector<TensorShape> input_shapes;
  /// Its weights in the order of ModelGraph::parameters_of(); a bias more where a norm was folded into them.
  std::vector<const NamedTensor*> weights;
};

/// Adds the nodes of `layer` and returns its output. Dropout adds none.
///
/// Errors  Unsupported for a user's own operation, naming layer and operation
OnnxValue add_layer(const OnnxLayer& layer, OnnxNodes& nodes);

/// The same of pools.
OnnxValue add_pool(const PoolOp& op, const OnnxLayer& layer, OnnxNodes& nodes);
OnnxValue add_pool(const AdaptivePoolOp& op, const OnnxLayer& layer, OnnxNodes& nodes);

/// "conv1/output".
std::string output_name(const OnnxLayer& layer);
/// "conv1/PART": a tensor inside a layer.
std::string part_name(const OnnxLayer& layer, std::string_view part);
/// Input `idx` with four dimensions, or with two; a node more where it has others. Two only of a flat shape.
std::string map_input(const OnnxLayer& layer, std::size_t idx, OnnxNodes& nodes);
std::string flat_input(const OnnxLayer& layer, std::size_t idx, OnnxNodes& nodes);
/// Attributes of convolutions and pools alike.
void set_window(onnx::NodeProto& node, const Window& window);

}  // namespace penstock::train
