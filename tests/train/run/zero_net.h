// A stored model whose scores are known without computing them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "train/run/network/run_model.h"
#include "train/run/settings/run_config.h"
#include "train/store/model_record.h"

namespace penstock::train::tests {

/// Stores a network of one dense layer for pictures of 2 x 2 pixels, one a batch; all weights are 0, and so is
/// every score.
inline void store_zero_net(const std::filesystem::path& run, std::uint32_t num_classes) {
  RunConfig config;
  config.model = "net";
  config.model_layers =
      "[[layer]]\ntype = \"global_avg_pool\"\n[[layer]]\ntype = \"dense\"\nunits = "
      "\"num_classes\"\n";
  config.image_height_px = config.image_width_px = 2;
  const ModelGraph graph = build_run_model(config, 3, num_classes);
  ModelRecord record;
  record.model_name = config.model;
  record.model_layers = config.model_layers;
  record.graph_identity = graph.identity();
  record.height_px = record.width_px = 2;
  record.batch_size = 1;
  record.mean = {0, 0, 0};
  record.std = {1, 1, 1};
  for (std::uint32_t i = 0; i < num_classes; ++i) record.class_names.push_back(std::to_string(i));
  TensorFile weights;
  for (const Parameter& parameter : graph.parameters()) {
    weights.tensors.push_back({parameter.name,
                               {parameter.shape.begin(), parameter.shape.end()},
                               std::vector<float>(parameter.num_elements())});
  }
  save_model(run, record, weights);
}

}  // namespace penstock::train::tests
