#include "train/graph/layer_list.h"

#include <optional>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"
#include "train/graph/graph_errors.h"
#include "train/graph/layer_types.h"

namespace penstock::train {
namespace {

constexpr const char* kFileInput = "input";
constexpr const char* kBlockInput = "in";

/// A layer of a block is named by the block's use and itself, so that no two uses share a name. In the file
/// the graph finds the names.
std::string numbered_name(const std::string& type, std::size_t number) {
  return type + "_" + std::to_string(number);
}

}  // namespace

NodeId LayerListBuilder::add_file(const TomlList& layers) {
  Scope file{.outputs = {{kFileInput, graph_.input()}}};
  add_list(file, layers);
  return file.last;
}

void LayerListBuilder::check_all_blocks_used(const std::string& where) const {
  for (const auto& [name, block] : blocks_) {
    if (used_blocks_.contains(name)) continue;
    throw Error(ErrorCode::kInvalidArgument,
                where + ": block." + name + ": expected a layer of that type, found none",
                "type = \"" + name + "\", or leave the block out");
  }
}

void LayerListBuilder::add_list(Scope& scope, const TomlList& layers) {
  std::size_t number = 0;
  for (const TomlValue& layer : layers) {
    const TomlTable& table = *layer.as<TomlTable>();
    ++number;
    if (scope.depth == 0) {
      add_layer(scope, table, number);
    } else {
      add_layer(scope, with_values(table, scope.values), number);
    }
  }
}

void LayerListBuilder::add_layer(Scope& scope, const TomlTable& table, std::size_t number) {
  const bool is_in_file = scope.depth == 0;
  const std::string place =
      "model: " + scope.prefix + (is_in_file ? "layer " : "layer_") + std::to_string(number);
  LayerReader reader(table, place);
  const std::string type = reader.required_text("type");
  const std::optional<std::string> given = reader.text("name");
  const bool is_block = blocks_.contains(type);
  std::string name = given.value_or("");
  if (name.empty() && (!is_in_file || is_block)) name = numbered_name(type, ++scope.counts[type]);
  const bool has_place_only = name.empty() || (is_in_file && !given);
  reader.rename(has_place_only ? place + " (" + type + ")" : "model: " + scope.prefix + name);
  check_type(reader, type);
  check_size(reader);
  if (scope.outputs.contains(name)) {
    reader.refuse("name", "a name not used yet", "'" + name + "' once more");
  }
  const std::vector<NodeId> from = read_from(scope, reader);
  if (is_block) {
    if (from.size() != 1) {
      reader.refuse("from", "one layer", "a list of " + std::to_string(from.size()));
    }
    scope.last = use_block(scope, reader, {type, name, from.front()});
  } else {
    const std::string full = name.empty() ? "" : scope.prefix + name;
    const NodeId node = find_layer_type(type)({graph_, reader, full, from, num_classes_});
    if (name.empty()) name = graph_.node(node).name;
    scope.last = add_inner_activation(graph_, reader, node);
  }
  reader.finish();
  scope.outputs.insert_or_assign(std::move(name), scope.last);
}

NodeId LayerListBuilder::use_block(const Scope& scope, LayerReader& reader, const Use& use) {
  const auto& [block_name, block] = *blocks_.find(use.type);
  used_blocks_.insert(block_name);
  if (scope.depth == kMaxBlockDepth) {
    reader.refuse("type", "blocks at most " + std::to_string(kMaxBlockDepth) + " deep",
                  "'" + use.type + "' inside them");
  }
  const auto repeat = reader.whole("repeat", kMaxRepeat);
  if (repeat && *repeat == 0) reader.refuse("repeat", "1 to 1000", "0");
  BlockValues values;
  for (const std::string& key : block.value_names) {
    const TomlValue* value = reader.find(key);
    if (value == nullptr) {
      reader.refuse(key, "a value for $" + key + " of block " + use.type, "nothing");
    }
    values.emplace(key, value);
  }
  reader.finish();
  NodeId last = use.from;
  for (std::uint64_t i = 0; i < repeat.value_or(1); ++i) {
    Scope inner{.prefix = scope.prefix + use.name + ".",
                .values = values,
                .last = last,
                .outputs = {{kBlockInput, last}},
                .depth = scope.depth + 1};
    if (repeat) inner.prefix += std::to_string(i) + ".";
    add_list(inner, *block.layers);
    last = inner.last;
  }
  return last;
}

std::vector<NodeId> LayerListBuilder::read_from(const Scope& scope, LayerReader& reader) const {
  constexpr std::string_view kKey = "from";
  const TomlValue* value = reader.find(kKey);
  if (value == nullptr) return {scope.last};
  if (const auto* name = value->as<std::string>()) return {find_output(scope, reader, *name)};
  const auto* list = value->as<TomlList>();
  if (list == nullptr) reader.refuse(kKey, "a name or a list of names", *value);
  if (list->empty() || list->size() > kMaxFromNames) {
    reader.refuse(kKey, "1 to " + std::to_string(kMaxFromNames) + " names",
                  "a list of " + std::to_string(list->size()));
  }
  std::vector<NodeId> nodes;
  for (const TomlValue& element : *list) {
    const auto* name = element.as<std::string>();
    if (name == nullptr) {
      reader.refuse(kKey, "a name or a list of names", "a list with " + describe_toml(element));
    }
    nodes.push_back(find_output(scope, reader, *name));
  }
  return nodes;
}

NodeId LayerListBuilder::find_output(const Scope& scope, const LayerReader& reader,
                                     const std::string& name) const {
  const auto found = scope.outputs.find(name);
  if (found != scope.outputs.end()) return found->second;
  std::vector<std::string_view> known;
  for (const auto& [output, node] : scope.outputs) known.push_back(output);
  throw Error(
      ErrorCode::kInvalidArgument,
      reader.where() + ": from: expected the name of a layer before it, found '" + name + "'",
      nearest_name_hint(name, known));
}

void LayerListBuilder::check_type(const LayerReader& reader, const std::string& type) const {
  if (find_layer_type(type) != nullptr || blocks_.contains(type)) return;
  std::vector<std::string_view> known(layer_type_names().begin(), layer_type_names().end());
  for (const auto& [name, block] : blocks_) known.push_back(name);
  throw Error(ErrorCode::kInvalidArgument,
              reader.where() + ": type: expected a known layer type, found '" + type + "'",
              nearest_name_hint(type, known));
}

void LayerListBuilder::check_size(const LayerReader& reader) const {
  if (graph_.nodes().size() < kMaxFileNodes) return;
  throw Error(ErrorCode::kInvalidArgument,
              reader.where() + ": expected at most " + std::to_string(kMaxFileNodes) +
                  " layers, found more",
              "a smaller repeat");
}

}  // namespace penstock::train
