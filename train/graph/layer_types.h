// The types that a layer of a model file can have, and how each joins the graph.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "train/graph/layer_reader.h"
#include "train/graph/model_graph.h"

namespace penstock::train {

/// A layer on its way into the graph.
struct NewLayer {
  ModelGraph& graph;
  LayerReader& reader;
  std::string name;  // empty: the graph finds one
  std::span<const NodeId> from;
  std::uint32_t num_classes = 0;
};

using AddLayer = NodeId (*)(const NewLayer&);

std::span<const std::string_view> layer_type_names();
/// Null for a name that is not among them.
AddLayer find_layer_type(std::string_view name) noexcept;

/// Adds the activation that a layer has inside, `activation = "relu"`, or returns `last`.
NodeId add_inner_activation(ModelGraph& graph, LayerReader& reader, NodeId last);

}  // namespace penstock::train
