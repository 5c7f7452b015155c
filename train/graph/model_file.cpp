#include "train/graph/model_file.h"

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/nearest_name.h"

namespace penstock::train {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1u << 20;

std::string_view toml_type_name(toml::node_type type) {
  switch (type) {
    case toml::node_type::string:
      return "string";
    case toml::node_type::integer:
      return "integer";
    case toml::node_type::floating_point:
      return "number";
    case toml::node_type::boolean:
      return "boolean";
    case toml::node_type::array:
      return "array";
    case toml::node_type::table:
      return "table";
    default:
      return "date or time";
  }
}

/// Reads the keys of one table and remembers which were asked for.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string where)
      : table_(table), where_(std::move(where)) {}

  void rename(std::string where) { where_ = std::move(where); }
  const std::string& where() const { return where_; }

  [[noreturn]] void refuse(std::string_view key, const std::string& expected,
                           const std::string& found, std::string hint = {}) const {
    throw Error(ErrorCode::kInvalidArgument,
                where_ + ": " + std::string(key) + ": expected " + expected + ", found " + found,
                std::move(hint));
  }

  const toml::node* find(std::string_view key) {
    asked_.push_back(key);
    return table_.get(key);
  }

  std::optional<std::string> string(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    if (!node->is_string()) refuse_type(key, "string", *node);
    return **node->as_string();
  }

  bool boolean(std::string_view key, bool otherwise) {
    const toml::node* node = find(key);
    if (node == nullptr) return otherwise;
    if (!node->is_boolean()) refuse_type(key, "boolean", *node);
    return **node->as_boolean();
  }

  double number(std::string_view key, double otherwise) {
    const toml::node* node = find(key);
    if (node == nullptr) return otherwise;
    if (!node->is_number()) refuse_type(key, "number", *node);
    return *node->value<double>();
  }

  std::optional<std::uint32_t> count(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    return count_of(key, *node, "integer");
  }

  /// An integer for both sides, or [rows, columns].
  Extent extent(std::string_view key, Extent otherwise) {
    const toml::node* node = find(key);
    return node == nullptr ? otherwise : extent_of(key, *node, "integer or [rows, columns]");
  }

  void padding(PaddingRule& rule, Extent& pad) {
    constexpr std::string_view kKey = "padding";
    const toml::node* node = find(kKey);
    if (node == nullptr) return;
    if (!node->is_string()) {
      rule = PaddingRule::kExplicit;
      pad = extent_of(kKey, *node, "\"same\", \"valid\", integer or [rows, columns]");
      return;
    }
    const std::string& name = **node->as_string();
    if (name == "same") {
      rule = PaddingRule::kSame;
    } else if (name == "valid") {
      rule = PaddingRule::kValid;
    } else {
      refuse(kKey, "\"same\", \"valid\" or a number of pixels", "\"" + name + "\"");
    }
  }

  /// Throws for the first key of the table that was never asked for.
  void finish() const {
    for (const auto& [key, node] : table_) {
      const std::string_view name = key.str();
      if (std::ranges::find(asked_, name) != asked_.end()) continue;
      throw Error(ErrorCode::kInvalidArgument,
                  where_ + ": expected a known key, found '" + std::string(name) + "'",
                  nearest_name_hint(name, asked_));
    }
  }

 private:
  [[noreturn]] void refuse_type(std::string_view key, const std::string& expected,
                                const toml::node& node) const {
    refuse(key, expected, std::string(toml_type_name(node.type())));
  }

  std::uint32_t count_of(std::string_view key, const toml::node& node,
                         const std::string& expected) const {
    if (!node.is_integer()) refuse_type(key, expected, node);
    const std::int64_t value = **node.as_integer();
    if (value < 0 || value > INT32_MAX) {
      refuse(key, "an integer from 0 to 2147483647", std::to_string(value));
    }
    return static_cast<std::uint32_t>(value);
  }

  Extent extent_of(std::string_view key, const toml::node& node,
                   const std::string& expected) const {
    const toml::array* pair = node.as_array();
    if (pair == nullptr) {
      const std::uint32_t side = count_of(key, node, expected);
      return {side, side};
    }
    if (pair->size() != 2) {
      refuse(key, "[rows, columns]", "array of " + std::to_string(pair->size()));
    }
    return {count_of(key, *pair->get(0), expected), count_of(key, *pair->get(1), expected)};
  }

  const toml::table& table_;
  std::string where_;
  std::vector<std::string_view> asked_;
};

struct Builder {
  ModelGraph& graph;
  std::uint32_t num_classes;
  NodeId last = 0;
};

std::uint32_t required_count(TableReader& reader, std::string_view key) {
  if (const auto value = reader.count(key)) return *value;
  reader.refuse(key, "integer", "nothing");
}

void add_conv2d(Builder& to, TableReader& reader, const std::string& name) {
  Conv2dOptions options;
  options.filters = required_count(reader, "filters");
  options.kernel = reader.extent("kernel", options.kernel);
  options.stride = reader.extent("stride", options.stride);
  reader.padding(options.padding, options.pad);
  options.has_bias = reader.boolean("bias", options.has_bias);
  if (const auto groups = reader.count("groups"); groups && *groups != 1) {
    throw Error(ErrorCode::kUnsupported,
                reader.where() + ": groups: expected 1, found " + std::to_string(*groups));
  }
  to.last = to.graph.conv2d(name, to.last, options);
}

void add_batch_norm(Builder& to, TableReader& reader, const std::string& name) {
  BatchNormOptions options;
  options.epsilon = reader.number("epsilon", options.epsilon);
  options.momentum = reader.number("momentum", options.momentum);
  to.last = to.graph.batch_norm(name, to.last, options);
}

void add_relu(Builder& to, TableReader&, const std::string& name) {
  to.last = to.graph.relu(name, to.last);
}

void add_max_pool(Builder& to, TableReader& reader, const std::string& name) {
  MaxPoolOptions options;
  options.window = reader.extent("window", options.window);
  options.stride = reader.extent("stride", options.stride);
  reader.padding(options.padding, options.pad);
  to.last = to.graph.max_pool(name, to.last, options);
}

void add_global_avg_pool(Builder& to, TableReader&, const std::string& name) {
  to.last = to.graph.global_avg_pool(name, to.last);
}

void add_flatten(Builder& to, TableReader&, const std::string& name) {
  to.last = to.graph.flatten(name, to.last);
}

void add_dense(Builder& to, TableReader& reader, const std::string& name) {
  DenseOptions options;
  constexpr std::string_view kUnits = "units";
  const toml::node* units = reader.find(kUnits);
  if (units != nullptr && units->is_string()) {
    if (**units->as_string() != "num_classes") {
      reader.refuse(kUnits, "integer or \"num_classes\"", "\"" + **units->as_string() + "\"");
    }
    options.units = to.num_classes;
  } else {
    options.units = required_count(reader, kUnits);
  }
  options.has_bias = reader.boolean("bias", options.has_bias);
  to.last = to.graph.dense(name, to.last, options);
}

void add_dropout(Builder& to, TableReader& reader, const std::string& name) {
  constexpr double kNone = -1;
  const double rate = reader.number("rate", kNone);
  if (rate == kNone) reader.refuse("rate", "number", "nothing");
  to.last = to.graph.dropout(name, to.last, rate);
}

struct LayerType {
  std::string_view name;
  void (*add)(Builder&, TableReader&, const std::string&);
};

constexpr std::array kLayerTypes{
    LayerType{"conv2d", add_conv2d},   LayerType{"batch_norm", add_batch_norm},
    LayerType{"relu", add_relu},       LayerType{"max_pool", add_max_pool},
    LayerType{"flatten", add_flatten}, LayerType{"global_avg_pool", add_global_avg_pool},
    LayerType{"dense", add_dense},     LayerType{"dropout", add_dropout}};

const LayerType& layer_type(const TableReader& reader, const std::string& name) {
  const auto found = std::ranges::find(kLayerTypes, name, &LayerType::name);
  if (found != kLayerTypes.end()) return *found;
  std::vector<std::string_view> known;
  for (const LayerType& type : kLayerTypes) known.push_back(type.name);
  throw Error(ErrorCode::kInvalidArgument,
              reader.where() + ": type: expected a known layer type, found '" + name + "'",
              nearest_name_hint(name, known));
}

void add_activation(Builder& to, TableReader& reader) {
  const auto activation = reader.string("activation");
  if (!activation || *activation == "linear") return;
  if (*activation == "softmax") {
    reader.refuse("activation", "\"relu\" or \"linear\"", "\"softmax\"",
                  "leave it out: the loss applies softmax to the last layer");
  }
  constexpr std::array<std::string_view, 2> kActivations{"relu", "linear"};
  if (*activation != "relu") {
    reader.refuse("activation", "\"relu\" or \"linear\"", "\"" + *activation + "\"",
                  nearest_name_hint(*activation, kActivations));
  }
  to.last = to.graph.relu(to.graph.node(to.last).name + "_relu", to.last);
}

void add_layer(Builder& to, const toml::node& node, std::size_t number) {
  const std::string place = "model: layer " + std::to_string(number);
  if (!node.is_table()) {
    throw Error(ErrorCode::kInvalidArgument,
                place + ": expected table, found " + std::string(toml_type_name(node.type())),
                "start each layer with [[layer]]");
  }
  TableReader reader(*node.as_table(), place);
  const auto type = reader.string("type");
  if (!type) reader.refuse("type", "string", "nothing", "a line such as type = \"conv2d\"");
  const std::string name = reader.string("name").value_or("");
  reader.rename(name.empty() ? place + " (" + *type + ")" : "model: " + name);
  layer_type(reader, *type).add(to, reader, name);
  add_activation(to, reader);
  reader.finish();
}

toml::table parse_toml(std::string_view text, const std::string& where) {
  try {
    return toml::parse(text, where);
  } catch (const toml::parse_error& error) {
    std::ostringstream place;
    place << "line " << error.source().begin.line << ", column " << error.source().begin.column;
    throw Error(ErrorCode::kInvalidArgument,
                "model: " + where + ": " + place.str() +
                    ": expected TOML, found: " + std::string(error.description()));
  }
}

}  // namespace

ModelGraph parse_model(std::string_view toml_text, const std::string& where,
                       const TensorShape& input, std::uint32_t num_classes) {
  const toml::table root = parse_toml(toml_text, where);
  TableReader reader(root, "model: " + where);
  ModelGraph graph(reader.string("name").value_or(std::filesystem::path(where).stem().string()),
                   input);
  const toml::node* layers = reader.find("layer");
  reader.finish();
  if (layers == nullptr || !layers->is_array() || layers->as_array()->empty()) {
    reader.refuse("layer", "a list of [[layer]] tables",
                  layers == nullptr ? "nothing" : std::string(toml_type_name(layers->type())));
  }
  Builder builder{graph, num_classes};
  std::size_t number = 0;
  for (const toml::node& layer : *layers->as_array()) add_layer(builder, layer, ++number);
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
  return parse_model(read_text_file(path, kMaxFileBytes), path.string(), input, num_classes);
}

}  // namespace penstock::train
