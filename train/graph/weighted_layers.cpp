// Layers with weights of their own: convolutions, dense layers, norms, channel scales.
#include <cmath>
#include <utility>

#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"
#include "train/graph/element_check.h"
#include "train/graph/graph_errors.h"
#include "train/graph/model_graph.h"
#include "train/graph/window_shape.h"

namespace penstock::train {
namespace {

void check_epsilon(const std::string& layer, double epsilon) {
  if (epsilon > 0 && epsilon <= 1) return;
  refuse_layer(layer, "epsilon above 0 and at most 1", number_text(epsilon), "epsilon = 1e-5");
}

void check_scale(const std::string& layer, const char* key, double scale) {
  if (std::abs(scale) <= 1e3) return;
  refuse_layer(layer, std::string(key) + " from -1000 to 1000", number_text(scale),
               std::string(key) + " = 1.0");
}

void check_init(const std::string& layer, const WeightInit& init) {
  if (init.deviation > 0 && init.deviation <= 1e3) return;
  refuse_layer(layer, "a deviation above 0 and at most 1000", number_text(init.deviation),
               "init_deviation = 0.02");
}

constexpr Initializer constant(double value) {
  return {DrawShape::kConstant, value};
}

}  // namespace

NodeId ModelGraph::conv2d(std::string name, NodeId from, const Conv2dOptions& options) {
  name = unique_name(std::move(name), "conv2d");
  const TensorShape input = shape_of(name, from);
  const std::uint32_t groups = options.groups;
  check_range({"model: " + name, "filters", options.filters, 1, kMaxChannels, "filters = 32"});
  if (groups == 0 || input.channels % groups != 0 || options.filters % groups != 0) {
    refuse_layer(name,
                 "groups that divide " + std::to_string(input.channels) + " channels and " +
                     std::to_string(options.filters) + " filters",
                 std::to_string(groups), "groups = 1");
  }
  check_init(name, options.init);
  const PlacedWindow placed = place_window(
      name, input,
      {"kernel", options.kernel, options.stride, options.padding, options.pad, options.dilation});
  const std::vector<std::uint32_t> weight{options.filters, input.channels / groups,
                                          options.kernel.rows, options.kernel.cols};
  check_elements(name, ".weight", weight);
  const double area = static_cast<double>(options.kernel.rows) * options.kernel.cols;
  const NodeId id =
      push(std::move(name), Conv2dOp{placed.window, options.filters, groups, options.has_bias},
           {from}, {options.filters, placed.output.rows, placed.output.cols});
  // PyTorch's fans: those of the tensor's shape, whatever the groups (torch.nn.init).
  push_parameter(id, "weight", ParamKind::kConvWeight, weight,
                 resolve_init(options.init, {weight[1] * area, weight[0] * area}));
  if (options.has_bias) push_parameter(id, "bias", ParamKind::kBias, {options.filters});
  return id;
}

NodeId ModelGraph::dense(std::string name, NodeId from, const DenseOptions& options) {
  name = unique_name(std::move(name), "dense");
  const TensorShape shape = shape_of(name, from);
  check_range({"model: " + name, "units", options.units, 1, kMaxChannels,
               "units = \"num_classes\" in the last layer"});
  if (!shape.is_flat()) {
    refuse_layer(name, "a flat input such as [" + std::to_string(shape.num_elements()) + "]",
                 shape.text(), "put a flatten or global_avg_pool layer before it");
  }
  check_init(name, options.init);
  check_elements(name, ".weight", {options.units, shape.channels});
  const NodeId id = push(std::move(name), DenseOp{options.units, options.has_bias}, {from},
                         {options.units, 1, 1});
  push_parameter(id, "weight", ParamKind::kDenseWeight, {options.units, shape.channels},
                 resolve_init(options.init, {static_cast<double>(shape.channels),
                                             static_cast<double>(options.units)}));
  if (options.has_bias) push_parameter(id, "bias", ParamKind::kBias, {options.units});
  return id;
}

NodeId ModelGraph::push_norm(std::string name, Operation op, NodeId from, double initial_scale) {
  const TensorShape shape = shape_of(name, from);
  const NodeId id = push(std::move(name), std::move(op), {from}, shape);
  push_parameter(id, "weight", ParamKind::kScale, {shape.channels}, constant(initial_scale));
  push_parameter(id, "bias", ParamKind::kShift, {shape.channels});
  return id;
}

NodeId ModelGraph::batch_norm(std::string name, NodeId from, const BatchNormOptions& options) {
  name = unique_name(std::move(name), "batch_norm");
  check_epsilon(name, options.epsilon);
  if (!(options.momentum >= 0 && options.momentum <= 1)) {
    refuse_layer(name, "momentum from 0 to 1", number_text(options.momentum), "momentum = 0.1");
  }
  check_scale(name, "initial_scale", options.initial_scale);
  const NodeId id = push_norm(std::move(name), BatchNormOp{options.epsilon, options.momentum}, from,
                              options.initial_scale);
  const std::uint32_t channels = node(id).shape.channels;
  push_parameter(id, "running_mean", ParamKind::kRunningMean, {channels});
  push_parameter(id, "running_var", ParamKind::kRunningVar, {channels}, constant(1));
  return id;
}

NodeId ModelGraph::group_norm(std::string name, NodeId from, const GroupNormOptions& options) {
  name = unique_name(std::move(name), "group_norm");
  check_epsilon(name, options.epsilon);
  const std::uint32_t channels = shape_of(name, from).channels;
  if (options.groups == 0 || channels % options.groups != 0) {
    refuse_layer(name, "groups that divide " + std::to_string(channels) + " channels",
                 std::to_string(options.groups), "groups = 1");
  }
  return push_norm(std::move(name), GroupNormOp{options.groups, options.epsilon}, from, 1.0);
}

NodeId ModelGraph::layer_norm(std::string name, NodeId from, const LayerNormOptions& options) {
  name = unique_name(std::move(name), "layer_norm");
  check_epsilon(name, options.epsilon);
  return push_norm(std::move(name), LayerNormOp{options.epsilon}, from, 1.0);
}

NodeId ModelGraph::channel_scale(std::string name, NodeId from, double initial) {
  name = unique_name(std::move(name), "channel_scale");
  check_scale(name, "initial", initial);
  const TensorShape shape = shape_of(name, from);
  const NodeId id = push(std::move(name), ChannelScaleOp{}, {from}, shape);
  // torchvision names the tensor so, in the block that the layer stands in.
  push_parameter(id, "layer_scale", ParamKind::kChannelScale, {shape.channels}, constant(initial));
  return id;
}

}  // namespace penstock::train
