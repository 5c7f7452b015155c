// Layers without weights: activations, pools, dropout, layouts, and those that join branches.
#include <set>
#include <string_view>
#include <utility>

#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"
#include "train/graph/custom_operation.h"
#include "train/graph/element_check.h"
#include "train/graph/graph_errors.h"
#include "train/graph/model_graph.h"
#include "train/graph/train_draws.h"
#include "train/graph/window_shape.h"

namespace penstock::train {
namespace {

void check_joined(const std::string& layer, std::span<const TensorShape> shapes) {
  if (shapes.size() >= 2) return;
  refuse_layer(layer, "two inputs or more", std::to_string(shapes.size()),
               "from = [\"conv1\", \"conv2\"]");
}

/// Programs share memory by the names of parameters.
void check_parameters(const std::string& layer, std::span<const CustomParameter> params) {
  std::set<std::string_view> names;
  for (const CustomParameter& param : params) {
    if (param.name.empty() || param.name.find_first_not_of(kPlainNameChars) != std::string::npos) {
      refuse_layer(layer, "a parameter's name of letters, digits, _ and -", "'" + param.name + "'");
    }
    if (!names.insert(param.name).second) {
      refuse_layer(layer, "parameters of different names", "two called '" + param.name + "'");
    }
    check_elements(layer, "." + param.name, param.shape);
  }
}

}  // namespace

NodeId ModelGraph::activation(std::string name, NodeId from, ActivationKind kind, double slope) {
  name = unique_name(std::move(name), activation_name(kind));
  if (kind == ActivationKind::kLeakyRelu && !(slope >= 0 && slope < 1)) {
    refuse_layer(name, "a slope from 0 to below 1", number_text(slope), "slope = 0.01");
  }
  const TensorShape shape = shape_of(name, from);
  return push(std::move(name), ActivationOp{kind, slope}, {from}, shape);
}

NodeId ModelGraph::softmax(std::string name, NodeId from) {
  name = unique_name(std::move(name), "softmax");
  const TensorShape shape = shape_of(name, from);
  return push(std::move(name), SoftmaxOp{}, {from}, shape);
}

NodeId ModelGraph::push_pool(std::string name, NodeId from, PoolKind kind,
                             const PoolOptions& options) {
  const TensorShape input = shape_of(name, from);
  const Extent stride = options.stride == Extent{0, 0} ? options.window : options.stride;
  const PlacedWindow placed = place_window(
      name, input, {"window", options.window, stride, options.padding, options.pad, {1, 1}});
  const bool counts_padding =
      options.counts_padding.value_or(options.padding != PaddingRule::kSame);
  return push(std::move(name),
              PoolOp{kind, placed.window, kind == PoolKind::kAverage && counts_padding}, {from},
              {input.channels, placed.output.rows, placed.output.cols});
}

NodeId ModelGraph::max_pool(std::string name, NodeId from, const PoolOptions& options) {
  return push_pool(unique_name(std::move(name), "max_pool"), from, PoolKind::kMax, options);
}

NodeId ModelGraph::avg_pool(std::string name, NodeId from, const PoolOptions& options) {
  return push_pool(unique_name(std::move(name), "avg_pool"), from, PoolKind::kAverage, options);
}

NodeId ModelGraph::adaptive_pool(std::string name, NodeId from, PoolKind kind, Extent output) {
  const AdaptivePoolOp op{kind, output};
  name = unique_name(std::move(name), operation_name(op));
  const TensorShape input = shape_of(name, from);
  for (const std::uint32_t side : {output.rows, output.cols}) {
    check_range({"model: " + name, "output", side, 1, kMaxWindow, "output = 1"});
  }
  return push(std::move(name), op, {from}, {input.channels, output.rows, output.cols});
}

NodeId ModelGraph::flatten(std::string name, NodeId from) {
  name = unique_name(std::move(name), "flatten");
  const TensorShape shape = shape_of(name, from);
  if (shape.num_elements() > UINT32_MAX) {
    refuse_layer(name, "at most 4294967295 values", shape.text(), "put a pooling layer before it");
  }
  return push(std::move(name), FlattenOp{}, {from},
              {static_cast<std::uint32_t>(shape.num_elements()), 1, 1});
}

NodeId ModelGraph::push_dropout(std::string name, NodeId from, double rate, bool drops_samples) {
  const TensorShape shape = shape_of(name, from);
  if (!(rate >= 0 && rate < 1)) {
    refuse_layer(name, "a rate from 0 to below 1", number_text(rate), "rate = 0.2");
  }
  if (!drops_samples && shape.num_elements() > kMaxDropoutElements) {
    refuse_layer(name, "at most " + std::to_string(kMaxDropoutElements) + " values", shape.text(),
                 "put a pooling layer before it");
  }
  return push(std::move(name), DropoutOp{rate, drops_samples}, {from}, shape);
}

NodeId ModelGraph::dropout(std::string name, NodeId from, double rate) {
  return push_dropout(unique_name(std::move(name), "dropout"), from, rate, false);
}

NodeId ModelGraph::drop_samples(std::string name, NodeId from, double rate) {
  return push_dropout(unique_name(std::move(name), "drop_samples"), from, rate, true);
}

NodeId ModelGraph::add(std::string name, std::span<const NodeId> from) {
  name = unique_name(std::move(name), "add");
  const std::vector<TensorShape> shapes = shapes_of(name, from);
  check_joined(name, shapes);
  for (const TensorShape& shape : shapes) {
    if (shape == shapes.front()) continue;
    refuse_layer(name, "inputs of one shape", shapes.front().text() + " and " + shape.text(),
                 "a 1 x 1 convolution brings a branch to the other's shape");
  }
  return push(std::move(name), AddOp{}, {from.begin(), from.end()}, shapes.front());
}

NodeId ModelGraph::multiply(std::string name, NodeId tensor, NodeId factor) {
  name = unique_name(std::move(name), "multiply");
  const TensorShape shape = shape_of(name, tensor);
  const TensorShape by = shape_of(name, factor);
  const bool is_per_channel = by.is_flat() && by.channels == shape.channels;
  if (by != shape && !is_per_channel) {
    refuse_layer(name,
                 "a second input " + shape.text() + " or [" + std::to_string(shape.channels) + "]",
                 by.text(), "the tensor comes first, its factors second");
  }
  return push(std::move(name), MultiplyOp{}, {tensor, factor}, shape);
}

NodeId ModelGraph::concat(std::string name, std::span<const NodeId> from) {
  name = unique_name(std::move(name), "concat");
  const std::vector<TensorShape> shapes = shapes_of(name, from);
  check_joined(name, shapes);
  std::uint64_t channels = 0;
  for (const TensorShape& shape : shapes) {
    channels += shape.channels;
    if (shape.height == shapes.front().height && shape.width == shapes.front().width) continue;
    refuse_layer(name, "inputs of one height and width",
                 shapes.front().text() + " and " + shape.text(),
                 "pool the larger one, or give both the same stride");
  }
  if (channels > UINT32_MAX) refuse_layer(name, "at most 4294967295 channels", "more");
  return push(std::move(name), ConcatOp{}, {from.begin(), from.end()},
              {static_cast<std::uint32_t>(channels), shapes.front().height, shapes.front().width});
}

NodeId ModelGraph::custom(std::string name, std::span<const NodeId> from,
                          std::shared_ptr<const CustomOperation> operation) {
  check_internal(operation != nullptr, "custom layer: an operation");
  name = unique_name(std::move(name), operation->name());
  const std::vector<TensorShape> shapes = shapes_of(name, from);
  if (shapes.empty()) refuse_layer(name, "an input or more", "none");
  const TensorShape output = operation->output_shape(shapes);
  const std::vector<CustomParameter> params = operation->parameters(shapes);
  check_parameters(name, params);
  const NodeId id =
      push(std::move(name), CustomOp{std::move(operation)}, {from.begin(), from.end()}, output);
  for (const CustomParameter& param : params) {
    push_parameter(id, param.name, ParamKind::kCustom, param.shape, param.initial);
    parameters_.back().decays = param.decays;
  }
  return id;
}

}  // namespace penstock::train
