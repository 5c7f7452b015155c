// What a model costs, layer by layer, before any data is touched.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/graph/model_graph.h"

namespace penstock::train {

struct LayerSummary {
  std::string name;
  std::string operation;
  TensorShape output;
  std::uint64_t num_params = 0;        // trainable
  std::uint64_t num_statistics = 0;    // running means and variances
  std::uint64_t activation_bytes = 0;  // of the output, float32, one sample
  std::uint64_t forward_flops = 0;     // one sample; a multiply-add counts as 2
};

struct ModelSummary {
  std::string model;
  std::vector<LayerSummary> layers;
  LayerSummary total;  // sums; output is the model's
};

ModelSummary summarize(const ModelGraph& graph);

/// Of the trainable parameters in float32: as much are their gradients, sgd's momentum, and each of adam's
/// two moments. Backends may pad.
std::uint64_t parameter_bytes(const ModelSummary& summary);

/// Formats a table of lines ending in newline.
std::string to_text(const ModelSummary& summary);

}  // namespace penstock::train
