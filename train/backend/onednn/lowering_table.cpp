// Which nodes become which layer: the table of fusions, and the single nodes.
#include <array>
#include <variant>

#include "streamer/core/error.h"
#include "train/backend/onednn/layer.h"

namespace penstock::train::onednn {
namespace {

template <class Op>
bool is(const ModelGraph& graph, NodeId id) {
  return id < graph.nodes().size() && std::holds_alternative<Op>(graph.node(id).op);
}

bool is_batch_norm_relu(const ModelGraph& graph, NodeId id) {
  return is<BatchNormOp>(graph, id) && is<ReluOp>(graph, id + 1);
}

bool is_batch_norm_relu_pool(const ModelGraph& graph, NodeId id) {
  return is_batch_norm_relu(graph, id) && is<MaxPoolOp>(graph, id + 2);
}

bool always(const ModelGraph&, NodeId) {
  return true;
}

/// The pooled kernels know windows of 2 x 2 at step 2 without padding.
bool has_simple_pool(const ModelGraph& graph, NodeId id) {
  const Window& window = std::get<MaxPoolOp>(graph.node(id + 2).op).window;
  return window.kernel == Extent{2, 2} && window.stride == Extent{2, 2} && window.pad_top == 0 &&
         window.pad_left == 0 && window.pad_bottom == 0 && window.pad_right == 0;
}

struct Fusion {
  const char* name;
  NodeId count;
  bool (*matches)(const ModelGraph&, NodeId);
  bool (*is_supported)(const ModelGraph&, NodeId);
  const char* requirement;  // said when it matches but is not supported
  std::unique_ptr<Layer> (*make)(const ModelGraph&, NodeRun);
};

// The longest first. A graph is a chain of nodes in order, so neighbours in number are neighbours.
constexpr std::array kFusions{
    Fusion{"batch_norm + relu + max_pool", 3, is_batch_norm_relu_pool, has_simple_pool,
           "fusing max_pool takes a 2 x 2 window at step 2 without padding", make_batch_norm_layer},
    Fusion{"batch_norm + relu", 2, is_batch_norm_relu, always, "", make_batch_norm_layer},
};

std::unique_ptr<Layer> make_single(const ModelGraph& graph, NodeId id) {
  if (is<Conv2dOp>(graph, id) || is<DenseOp>(graph, id)) return make_weighted_layer(graph, id);
  if (is<BatchNormOp>(graph, id)) return make_batch_norm_layer(graph, {id, 1});
  if (is<ReluOp>(graph, id)) return make_relu_layer(graph, id);
  if (is<MaxPoolOp>(graph, id)) return make_max_pool_layer(graph, id);
  if (is<GlobalAvgPoolOp>(graph, id)) return make_global_avg_pool_layer(graph, id);
  if (is<FlattenOp>(graph, id)) return make_flatten_layer(graph, id);
  if (is<DropoutOp>(graph, id)) return make_dropout_layer(graph, id);
  throw Error(ErrorCode::kUnsupported, "onednn: " + graph.node(id).name +
                                           ": expected an operation of this backend, found " +
                                           std::string(operation_name(graph.node(id).op)));
}

}  // namespace

std::vector<LoweredLayer> make_layers(const ModelGraph& graph, const Lowering& lowering) {
  std::vector<LoweredLayer> layers;
  for (NodeId id = 1; id < graph.nodes().size();) {
    std::string refusals;
    LoweredLayer layer{{id, 1}, nullptr, {}};
    for (const Fusion& fusion : kFusions) {
      if (!lowering.fuse || !fusion.matches(graph, id)) continue;
      if (!fusion.is_supported(graph, id)) {
        refusals += std::string(refusals.empty() ? "" : "; ") + fusion.requirement;
        continue;
      }
      layer.nodes.count = fusion.count;
      layer.layer = fusion.make(graph, layer.nodes);
      layer.choice = std::string("fused ") + fusion.name;
      break;
    }
    if (layer.layer == nullptr) layer.layer = make_single(graph, id);
    if (!refusals.empty()) layer.choice += (layer.choice.empty() ? "" : "; ") + refusals;
    id += layer.nodes.count;
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace penstock::train::onednn
