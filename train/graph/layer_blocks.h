// Blocks of a model file: lists of layers that are written once and used several times with values.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "train/graph/toml_table.h"

namespace penstock::train {

/// A block as it is written.
struct LayerBlock {
  const TomlList* layers = nullptr;  // of the file's table; tables, at least one
  /// What a use gives: names that stand as "$name" for a value of the block's layers.
  std::set<std::string> value_names;
};

using LayerBlocks = std::map<std::string, LayerBlock, std::less<>>;
/// The values of one use.
using BlockValues = std::map<std::string, const TomlValue*, std::less<>>;

/// Reads `[[block.NAME]]` of a file; `file` lives as long as what is returned.
///
/// `where` begins errors: "model: mine.toml".
/// Errors  InvalidArgument for anything else under `block`, for the name of a layer type, and for values with
///         the name of a key that every use has
LayerBlocks read_blocks(const TomlTable& file, const std::string& where);

/// Returns a layer of a block with its "$name" replaced.
TomlTable with_values(const TomlTable& layer, const BlockValues& values);

}  // namespace penstock::train
