#include "train/graph/model_file.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"
#include "train/graph/toml_reader.h"

namespace penstock::train {
namespace {

constexpr std::uint64_t kMaxCount = INT32_MAX;

/// A line of a layer that is right.
std::string example_line(const std::string& key) {
  static const std::map<std::string_view, const char*> kExamples = {
      {"activation", "activation = \"relu\""},
      {"bias", "bias = false"},
      {"epsilon", "epsilon = 1e-5"},
      {"filters", "filters = 32"},
      {"groups", "groups = 1"},
      {"kernel", "kernel = 3"},
      {"layer", "start each layer with [[layer]]"},
      {"momentum", "momentum = 0.1"},
      {"name", "name = \"conv1\""},
      {"padding", "padding = \"same\""},
      {"rate", "rate = 0.2"},
      {"stride", "stride = 1"},
      {"type", "type = \"conv2d\""},
      {"units", "units = \"num_classes\""},
      {"window", "window = 2"}};
  const auto found = kExamples.find(key);
  return found == kExamples.end() ? "" : found->second;
}

/// Reads one layer: TOML's types, and those that only layers have.
class LayerReader : public TomlReader {
 public:
  LayerReader(const TomlTable& table, const std::string& where)
      : TomlReader(table, {.where = where, .example = example_line}) {}

  std::optional<std::uint32_t> count(std::string_view key) {
    const auto value = whole(key, kMaxCount);
    return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
  }
  std::uint32_t required_count(std::string_view key) {
    if (const auto value = count(key)) return *value;
    refuse(key, "a whole number", "nothing");
  }

  /// An integer for both sides, or [rows, columns].
  Extent extent(std::string_view key, Extent otherwise) {
    const TomlValue* value = find(key);
    return value == nullptr ? otherwise
                            : extent_of(key, *value, "a whole number or [rows, columns]");
  }

  void padding(PaddingRule& rule, Extent& pad) {
    constexpr std::string_view kKey = "padding";
    constexpr const char* kExpected = "\"same\", \"valid\", a whole number or [rows, columns]";
    const TomlValue* value = find(kKey);
    if (value == nullptr) return;
    const auto* name = value->as<std::string>();
    if (name == nullptr) {
      rule = PaddingRule::kExplicit;
      pad = extent_of(kKey, *value, kExpected);
    } else if (*name == "same") {
      rule = PaddingRule::kSame;
    } else if (*name == "valid") {
      rule = PaddingRule::kValid;
    } else {
      refuse(kKey, kExpected, *value);
    }
  }

 private:
  Extent extent_of(std::string_view key, const TomlValue& value, const std::string& expected) {
    if (const auto side = side_of(value)) return {*side, *side};
    const auto* pair = value.as<TomlList>();
    if (pair == nullptr) refuse(key, expected, value);
    if (pair->size() != 2) {
      refuse(key, expected, "a list of " + std::to_string(pair->size()));
    }
    const auto rows = side_of(pair->front());
    const auto cols = side_of(pair->back());
    if (!rows || !cols) {
      refuse(key, expected, "a list with " + describe_toml(rows ? pair->back() : pair->front()));
    }
    return {*rows, *cols};
  }
  static std::optional<std::uint32_t> side_of(const TomlValue& value) {
    const auto side = as_whole(value, kMaxCount);
    return side ? std::optional(static_cast<std::uint32_t>(*side)) : std::nullopt;
  }
};

struct Builder {
  ModelGraph& graph;
  std::uint32_t num_classes;
  NodeId last = 0;
};

void add_conv2d(Builder& to, LayerReader& reader, const std::string& name) {
  Conv2dOptions options;
  options.filters = reader.required_count("filters");
  options.kernel = reader.extent("kernel", options.kernel);
  options.stride = reader.extent("stride", options.stride);
  reader.padding(options.padding, options.pad);
  options.has_bias = reader.truth("bias").value_or(options.has_bias);
  options.groups = reader.count("groups").value_or(options.groups);
  to.last = to.graph.conv2d(name, to.last, options);
}

void add_batch_norm(Builder& to, LayerReader& reader, const std::string& name) {
  BatchNormOptions options;
  options.epsilon = reader.number("epsilon").value_or(options.epsilon);
  options.momentum = reader.number("momentum").value_or(options.momentum);
  to.last = to.graph.batch_norm(name, to.last, options);
}

void add_relu(Builder& to, LayerReader&, const std::string& name) {
  to.last = to.graph.relu(name, to.last);
}

void add_max_pool(Builder& to, LayerReader& reader, const std::string& name) {
  PoolOptions options;
  options.window = reader.extent("window", options.window);
  options.stride = reader.extent("stride", options.stride);
  reader.padding(options.padding, options.pad);
  to.last = to.graph.max_pool(name, to.last, options);
}

void add_global_avg_pool(Builder& to, LayerReader&, const std::string& name) {
  to.last = to.graph.global_avg_pool(name, to.last);
}

void add_flatten(Builder& to, LayerReader&, const std::string& name) {
  to.last = to.graph.flatten(name, to.last);
}

void add_dense(Builder& to, LayerReader& reader, const std::string& name) {
  DenseOptions options;
  constexpr std::string_view kUnits = "units";
  const TomlValue* units = reader.find(kUnits);
  if (units != nullptr && units->as<std::string>() != nullptr) {
    if (*units->as<std::string>() != "num_classes") {
      reader.refuse(kUnits, "a whole number or \"num_classes\"", *units);
    }
    options.units = to.num_classes;
  } else {
    options.units = reader.required_count(kUnits);
  }
  options.has_bias = reader.truth("bias").value_or(options.has_bias);
  to.last = to.graph.dense(name, to.last, options);
}

void add_dropout(Builder& to, LayerReader& reader, const std::string& name) {
  const auto rate = reader.number("rate");
  if (!rate) reader.refuse("rate", "a number", "nothing");
  to.last = to.graph.dropout(name, to.last, *rate);
}

struct LayerType {
  std::string_view name;
  void (*add)(Builder&, LayerReader&, const std::string&);
};

constexpr std::array kLayerTypes{
    LayerType{"conv2d", add_conv2d},   LayerType{"batch_norm", add_batch_norm},
    LayerType{"relu", add_relu},       LayerType{"max_pool", add_max_pool},
    LayerType{"flatten", add_flatten}, LayerType{"global_avg_pool", add_global_avg_pool},
    LayerType{"dense", add_dense},     LayerType{"dropout", add_dropout}};

const LayerType& layer_type(const TomlReader& reader, const std::string& name) {
  const auto found = std::ranges::find(kLayerTypes, name, &LayerType::name);
  if (found != kLayerTypes.end()) return *found;
  std::vector<std::string_view> known;
  for (const LayerType& type : kLayerTypes) known.push_back(type.name);
  throw Error(ErrorCode::kInvalidArgument,
              reader.where() + ": type: expected a known layer type, found '" + name + "'",
              nearest_name_hint(name, known));
}

void add_activation(Builder& to, LayerReader& reader) {
  constexpr std::array<std::string_view, 2> kActivations{"relu", "linear"};
  const auto activation = reader.text("activation");
  if (!activation || *activation == "linear") return;
  if (*activation != "relu") {
    const bool is_softmax = *activation == "softmax";
    throw Error(ErrorCode::kInvalidArgument,
                reader.where() + ": activation: expected \"relu\" or \"linear\", found \"" +
                    *activation + "\"",
                is_softmax ? "leave it out: the loss applies softmax to the last layer"
                           : nearest_name_hint(*activation, kActivations));
  }
  to.last = to.graph.relu(to.graph.node(to.last).name + "_relu", to.last);
}

void add_layer(Builder& to, const TomlTable& table, std::size_t number) {
  const std::string place = "model: layer " + std::to_string(number);
  LayerReader reader(table, place);
  const auto type = reader.text("type");
  if (!type) reader.refuse("type", "a text", "nothing");
  const std::string name = reader.text("name").value_or("");
  reader.rename(name.empty() ? place + " (" + *type + ")" : "model: " + name);
  layer_type(reader, *type).add(to, reader, name);
  add_activation(to, reader);
  reader.finish();
}

}  // namespace

ModelGraph parse_model(std::string_view toml_text, const std::string& where,
                       const TensorShape& input, std::uint32_t num_classes) {
  const TomlTable root =
      parse_toml(toml_text, "model: " + where, "a layer starts with [[layer]] and a type");
  TomlReader reader(root, {.where = "model: " + where, .example = example_line});
  ModelGraph graph(reader.text("name").value_or(std::filesystem::path(where).stem().string()),
                   input);
  const TomlList* layers = reader.tables("layer");
  reader.finish();
  if (layers == nullptr) reader.refuse("layer", "[[layer]] tables", "nothing");
  Builder builder{graph, num_classes};
  std::size_t number = 0;
  for (const TomlValue& layer : *layers) add_layer(builder, *layer.as<TomlTable>(), ++number);
  graph.set_output(builder.last);
  if (graph.num_classes() != num_classes) {
    throw Error(ErrorCode::kInvalidArgument,
                "model: " + graph.node(graph.output()).name + ": expected " +
                    std::to_string(num_classes) + " outputs, one per class, found " +
                    std::to_string(graph.num_classes()),
                "units = \"num_classes\" in the last layer follows the dataset");
  }
  return graph;
}

ModelGraph read_model_file(const std::filesystem::path& path, const TensorShape& input,
                           std::uint32_t num_classes) {
  return parse_model(read_toml_text(path, "model"), path.string(), input, num_classes);
}

}  // namespace penstock::train
