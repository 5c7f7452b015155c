#include "train/graph/model_file.h"

#include "streamer/core/error.h"
#include "train/graph/layer_list.h"

namespace penstock::train {

ModelGraph parse_model(std::string_view toml_text, const std::string& where,
                       const TensorShape& input, std::uint32_t num_classes) {
  const std::string place = "model: " + where;
  const TomlTable root = parse_toml(toml_text, place, "a layer starts with [[layer]] and a type");
  LayerReader reader(root, place);
  ModelGraph graph(reader.text("name").value_or(std::filesystem::path(where).stem().string()),
                   input);
  const TomlList* layers = reader.tables("layer");
  reader.table("block");
  reader.finish();
  if (layers == nullptr) reader.refuse("layer", "[[layer]] tables", "nothing");
  const LayerBlocks blocks = read_blocks(root, place);
  LayerListBuilder builder(graph, blocks, num_classes);
  const NodeId last = builder.add_file(*layers);
  builder.check_all_blocks_used(place);
  graph.set_output(last);
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
