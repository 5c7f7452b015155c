#include "train/graph/layer_blocks.h"

#include <algorithm>
#include <array>

#include "train/graph/layer_reader.h"
#include "train/graph/layer_types.h"

namespace penstock::train {
namespace {

// What a use of a block says besides its values.
constexpr std::array<std::string_view, 4> kKeysOfUse{"type", "name", "from", "repeat"};

/// The NAME of "$NAME"; nothing for other values.
const std::string* placeholder_of(const TomlValue& value) {
  const auto* text = value.as<std::string>();
  return text != nullptr && text->starts_with('$') ? text : nullptr;
}

/// Values stand by themselves or in a list; no key of a layer takes deeper ones.
void collect_names(const TomlValue& value, std::set<std::string>& names) {
  if (const auto* text = placeholder_of(value)) names.insert(text->substr(1));
  if (const auto* list = value.as<TomlList>()) {
    for (const TomlValue& element : *list) {
      if (const auto* text = placeholder_of(element)) names.insert(text->substr(1));
    }
  }
}

TomlValue replaced(const TomlValue& value, const BlockValues& values) {
  const auto* text = placeholder_of(value);
  return text == nullptr ? value : *values.at(text->substr(1));
}

LayerBlock read_block(const std::string& name, const TomlList& layers, const TomlReader& reader) {
  if (find_layer_type(name) != nullptr) {
    reader.refuse(name, "a name that no type of layer has", "a block of that name");
  }
  LayerBlock block{&layers, {}};
  for (const TomlValue& layer : layers) {
    for (const TomlEntry& entry : *layer.as<TomlTable>()) {
      collect_names(entry.value, block.value_names);
    }
  }
  for (const std::string_view key : kKeysOfUse) {
    if (block.value_names.contains(std::string(key))) {
      reader.refuse(name, "values with other names than type, name, from and repeat",
                    "\"$" + std::string(key) + "\"");
    }
  }
  return block;
}

}  // namespace

LayerBlocks read_blocks(const TomlTable& file, const std::string& where) {
  LayerReader root(file, where);
  LayerBlocks blocks;
  const TomlTable* table = root.table("block");
  if (table == nullptr) return blocks;
  TomlReader reader(*table, {.where = where, .prefix = "block.", .example = [](const std::string&) {
                               return layer_example("block");
                             }});
  for (const TomlEntry& entry : *table) {
    blocks.emplace(entry.key, read_block(entry.key, *reader.tables(entry.key), reader));
  }
  return blocks;
}

TomlTable with_values(const TomlTable& layer, const BlockValues& values) {
  TomlTable filled;
  for (const TomlEntry& entry : layer) {
    TomlEntry copy{entry.key, replaced(entry.value, values)};
    if (const auto* list = entry.value.as<TomlList>()) {
      TomlList elements;
      for (const TomlValue& element : *list) elements.push_back(replaced(element, values));
      copy.value.held = std::move(elements);
    }
    filled.push_back(std::move(copy));
  }
  return filled;
}

}  // namespace penstock::train
