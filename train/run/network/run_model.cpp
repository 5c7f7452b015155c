#include "train/run/network/run_model.h"

#include <system_error>

#include "streamer/core/error.h"
#include "train/graph/model_file.h"
#include "train/graph/model_zoo.h"
#include "train/graph/toml_table.h"
#include "train/run/network/run_loss.h"
#include "train/run/settings/run_file.h"

namespace penstock::train {
namespace {

struct ModelSource {
  const std::string& name;
  const std::string& layers;
  TensorShape input;
  std::uint32_t num_classes = 0;
};

ModelGraph build(const ModelSource& source) {
  if (source.layers.empty()) return build_model(source.name, source.input, source.num_classes);
  return parse_model(source.layers, source.name, source.input, source.num_classes);
}

}  // namespace

void inline_model_file(RunConfig& config) {
  const std::filesystem::path file = config.model;
  if (!config.model_layers.empty() || file.extension() != ".toml") return;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    throw Error(ErrorCode::kNotFound,
                "model: " + file.native() + ": expected a file of layers, found none",
                "check the path, or take a known model: --model small_cnn");
  }
  config.model_layers = read_toml_text(file, "model");
  if (config.model_layers.empty()) {  // would stand for a model by name
    throw Error(ErrorCode::kInvalidArgument,
                "model: " + file.native() + ": expected [[layer]] tables, found an empty file",
                "a layer starts with [[layer]] and a type");
  }
  config.model = name_of_layers(file);
}

ModelGraph build_run_model(const RunConfig& config, std::uint32_t channels,
                           std::uint32_t num_classes) {
  ModelGraph graph = build({.name = config.model,
                            .layers = config.model_layers,
                            .input = {channels, config.image_height_px, config.image_width_px},
                            .num_classes = num_classes});
  check_output(graph, config.loss);
  return graph;
}

ModelGraph rebuild_model(const ModelRecord& record, const std::filesystem::path& folder) {
  ModelGraph graph = build({.name = record.model_name,
                            .layers = record.model_layers,
                            .input = {record.channels, record.height_px, record.width_px},
                            .num_classes = static_cast<std::uint32_t>(record.class_names.size())});
  if (graph.identity() != record.graph_identity) {
    throw Error(ErrorCode::kCorruptData,
                "model: " + folder.native() + ": expected the graph of " + record.model_name +
                    " as it was trained, found another",
                "use the penstock that trained it");
  }
  return graph;
}

}  // namespace penstock::train
