// Models written as a TOML list of layers, in the words of a Keras Sequential.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "train/graph/model_graph.h"

namespace penstock::train {

/// Builds a model from TOML text: `[[layer]]` tables with `type` and that type's keys, branches by `from`,
/// and `[[block.NAME]]` lists that layers of that type stand for. README.md has all keys.
///
/// `where` names the text in errors. A dense layer with `units = "num_classes"` takes the number of
/// classes; the last layer must have that many outputs.
/// Limits  10,000 nodes, 16 blocks inside one another
/// Errors  InvalidArgument naming the layer and the key; unknown names come with the nearest known
///         one as the hint
ModelGraph parse_model(std::string_view toml_text, const std::string& where,
                       const TensorShape& input, std::uint32_t num_classes);

/// Reads a file and parses it. The model's name is the file's stem.
ModelGraph read_model_file(const std::filesystem::path& path, const TensorShape& input,
                           std::uint32_t num_classes);

}  // namespace penstock::train
