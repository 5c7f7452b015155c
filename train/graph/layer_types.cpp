#include "train/graph/layer_types.h"

#include <algorithm>
#include <array>
#include <vector>

namespace penstock::train {
namespace {

NodeId only_input(const NewLayer& layer) {
  if (layer.from.size() != 1) {
    layer.reader.refuse("from", "one layer", "a list of " + std::to_string(layer.from.size()));
  }
  return layer.from.front();
}

/// The keys that both kinds of convolution have.
void read_window(LayerReader& reader, Conv2dOptions& options) {
  options.kernel = reader.extent("kernel").value_or(options.kernel);
  options.stride = reader.extent("stride").value_or(options.stride);
  options.dilation = reader.extent("dilation").value_or(options.dilation);
  if (const auto padding = reader.padding()) {
    options.padding = padding->rule;
    options.pad = padding->pad;
  }
  options.has_bias = reader.truth("bias").value_or(options.has_bias);
  options.init = reader.weight_init(options.init);
}

NodeId add_conv2d(const NewLayer& layer) {
  Conv2dOptions options;
  options.filters = layer.reader.outputs("filters", layer.num_classes);
  read_window(layer.reader, options);
  options.groups = layer.reader.count("groups").value_or(options.groups);
  return layer.graph.conv2d(layer.name, only_input(layer), options);
}

NodeId add_depthwise_conv2d(const NewLayer& layer) {
  const NodeId from = only_input(layer);
  const std::uint32_t channels = layer.graph.node(from).shape.channels;
  const std::uint32_t multiplier = layer.reader.count("multiplier").value_or(1);
  Conv2dOptions options{.groups = channels};
  read_window(layer.reader, options);
  if (__builtin_mul_overflow(channels, multiplier, &options.filters)) {
    layer.reader.refuse("multiplier", "one that " + std::to_string(channels) + " channels bear",
                        std::to_string(multiplier));
  }
  return layer.graph.conv2d(layer.name, from, options);
}

NodeId add_dense(const NewLayer& layer) {
  DenseOptions options;
  options.units = layer.reader.outputs("units", layer.num_classes);
  options.has_bias = layer.reader.truth("bias").value_or(options.has_bias);
  options.init = layer.reader.weight_init(options.init);
  return layer.graph.dense(layer.name, only_input(layer), options);
}

NodeId add_batch_norm(const NewLayer& layer) {
  BatchNormOptions options;
  options.epsilon = layer.reader.number("epsilon").value_or(options.epsilon);
  options.momentum = layer.reader.number("momentum").value_or(options.momentum);
  options.initial_scale = layer.reader.number("initial_scale").value_or(options.initial_scale);
  return layer.graph.batch_norm(layer.name, only_input(layer), options);
}

NodeId add_group_norm(const NewLayer& layer) {
  GroupNormOptions options;
  options.groups = layer.reader.count("groups").value_or(options.groups);
  options.epsilon = layer.reader.number("epsilon").value_or(options.epsilon);
  return layer.graph.group_norm(layer.name, only_input(layer), options);
}

NodeId add_layer_norm(const NewLayer& layer) {
  LayerNormOptions options;
  options.epsilon = layer.reader.number("epsilon").value_or(options.epsilon);
  return layer.graph.layer_norm(layer.name, only_input(layer), options);
}

template <ActivationKind kKind>
NodeId add_activation(const NewLayer& layer) {
  if constexpr (kKind == ActivationKind::kLeakyRelu) {
    if (const auto slope = layer.reader.number("slope")) {
      return layer.graph.activation(layer.name, only_input(layer), kKind, *slope);
    }
  }
  return layer.graph.activation(layer.name, only_input(layer), kKind);
}

NodeId add_softmax(const NewLayer& layer) {
  return layer.graph.softmax(layer.name, only_input(layer));
}

PoolOptions pool_options(LayerReader& reader) {
  PoolOptions options;
  options.window = reader.extent("window").value_or(options.window);
  options.stride = reader.extent("stride").value_or(options.stride);
  if (const auto padding = reader.padding()) {
    options.padding = padding->rule;
    options.pad = padding->pad;
  }
  return options;
}

NodeId add_max_pool(const NewLayer& layer) {
  return layer.graph.max_pool(layer.name, only_input(layer), pool_options(layer.reader));
}

NodeId add_avg_pool(const NewLayer& layer) {
  PoolOptions options = pool_options(layer.reader);
  options.counts_padding = layer.reader.truth("counts_padding");
  return layer.graph.avg_pool(layer.name, only_input(layer), options);
}

template <PoolKind kKind>
NodeId add_adaptive_pool(const NewLayer& layer) {
  const auto output = layer.reader.extent("output");
  if (!output) layer.reader.refuse("output", "a whole number or [rows, columns]", "nothing");
  return layer.graph.adaptive_pool(layer.name, only_input(layer), kKind, *output);
}

template <PoolKind kKind>
NodeId add_global_pool(const NewLayer& layer) {
  return layer.graph.adaptive_pool(layer.name, only_input(layer), kKind, {1, 1});
}

NodeId add_flatten(const NewLayer& layer) {
  return layer.graph.flatten(layer.name, only_input(layer));
}

NodeId add_dropout(const NewLayer& layer) {
  const double rate = layer.reader.required_number("rate");
  return layer.graph.dropout(layer.name, only_input(layer), rate);
}

NodeId add_drop_samples(const NewLayer& layer) {
  const double rate = layer.reader.required_number("rate");
  return layer.graph.drop_samples(layer.name, only_input(layer), rate);
}

NodeId add_channel_scale(const NewLayer& layer) {
  const double initial = layer.reader.number("initial").value_or(1.0);
  return layer.graph.channel_scale(layer.name, only_input(layer), initial);
}

NodeId add_sum(const NewLayer& layer) {
  return layer.graph.add(layer.name, layer.from);
}

NodeId add_multiply(const NewLayer& layer) {
  if (layer.from.size() != 2) {
    layer.reader.refuse("from", "two layers, the tensor and its factors",
                        std::to_string(layer.from.size()));
  }
  return layer.graph.multiply(layer.name, layer.from.front(), layer.from.back());
}

NodeId add_concat(const NewLayer& layer) {
  return layer.graph.concat(layer.name, layer.from);
}

struct LayerType {
  std::string_view name;
  AddLayer add;
};

constexpr std::array kLayerTypes{
    LayerType{"conv2d", add_conv2d},
    LayerType{"depthwise_conv2d", add_depthwise_conv2d},
    LayerType{"dense", add_dense},
    LayerType{"batch_norm", add_batch_norm},
    LayerType{"group_norm", add_group_norm},
    LayerType{"layer_norm", add_layer_norm},
    LayerType{"relu", add_activation<ActivationKind::kRelu>},
    LayerType{"relu6", add_activation<ActivationKind::kRelu6>},
    LayerType{"leaky_relu", add_activation<ActivationKind::kLeakyRelu>},
    LayerType{"silu", add_activation<ActivationKind::kSilu>},
    LayerType{"hard_swish", add_activation<ActivationKind::kHardSwish>},
    LayerType{"hard_sigmoid", add_activation<ActivationKind::kHardSigmoid>},
    LayerType{"sigmoid", add_activation<ActivationKind::kSigmoid>},
    LayerType{"gelu", add_activation<ActivationKind::kGelu>},
    LayerType{"softmax", add_softmax},
    LayerType{"max_pool", add_max_pool},
    LayerType{"avg_pool", add_avg_pool},
    LayerType{"adaptive_max_pool", add_adaptive_pool<PoolKind::kMax>},
    LayerType{"adaptive_avg_pool", add_adaptive_pool<PoolKind::kAverage>},
    LayerType{"global_max_pool", add_global_pool<PoolKind::kMax>},
    LayerType{"global_avg_pool", add_global_pool<PoolKind::kAverage>},
    LayerType{"flatten", add_flatten},
    LayerType{"dropout", add_dropout},
    LayerType{"drop_samples", add_drop_samples},
    LayerType{"channel_scale", add_channel_scale},
    LayerType{"add", add_sum},
    LayerType{"multiply", add_multiply},
    LayerType{"concat", add_concat}};

constexpr auto kTypeNames = [] {
  std::array<std::string_view, kLayerTypes.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kLayerTypes[i].name;
  return names;
}();

}  // namespace

std::span<const std::string_view> layer_type_names() {
  return kTypeNames;
}

AddLayer find_layer_type(std::string_view name) noexcept {
  const auto found = std::ranges::find(kLayerTypes, name, &LayerType::name);
  return found == kLayerTypes.end() ? nullptr : found->add;
}

NodeId add_inner_activation(ModelGraph& graph, LayerReader& reader, NodeId last) {
  constexpr std::string_view kKey = "activation";
  std::vector<std::string_view> names{"linear"};
  names.insert(names.end(), activation_names().begin(), activation_names().end());
  const TomlValue* value = reader.find(kKey);
  const auto* text = value == nullptr ? nullptr : value->as<std::string>();
  const bool is_softmax = text != nullptr && *text == "softmax";
  const auto choice = reader.choice(
      kKey, names,
      is_softmax
          ? "leave it out of the last layer: the loss applies softmax; elsewhere, a layer of "
            "type = \"softmax\" after this one"
          : "");
  if (choice.value_or(0) == 0) return last;
  const auto kind = static_cast<ActivationKind>(*choice - 1);
  const std::string name = graph.node(last).name + "_" + std::string(activation_name(kind));
  if (kind == ActivationKind::kLeakyRelu) {
    if (const auto slope = reader.number("slope"))
      return graph.activation(name, last, kind, *slope);
  }
  return graph.activation(name, last, kind);
}

}  // namespace penstock::train
