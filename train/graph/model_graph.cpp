#include "train/graph/model_graph.h"

#include <algorithm>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/range_check.h"
#include "train/graph/element_check.h"
#include "train/graph/graph_errors.h"
#include "train/graph/train_draws.h"

namespace penstock::train {

std::size_t Parameter::num_elements() const noexcept {
  std::size_t n = 1;
  for (const std::uint32_t side : shape) n *= side;
  return n;
}

ModelGraph::ModelGraph(std::string name, TensorShape input) : name_(std::move(name)) {
  constexpr std::uint32_t kMaxInputSide = 1u << 16;
  check_range({"model: input", "channels", input.channels, 1, kMaxChannels, "channels = 3"});
  check_range({"model: input", "height", input.height, 1, kMaxInputSide, "--image-size 96"});
  check_range({"model: input", "width", input.width, 1, kMaxInputSide, "--image-size 96"});
  check_elements("input", "", {input.channels, input.height, input.width});
  names_.insert("input");
  nodes_.push_back({"input", InputOp{}, {}, input});
  params_of_.emplace_back();
  readers_of_.emplace_back();
}

void ModelGraph::set_output(NodeId logits) {
  const Node& last = nodes_.at(logits);
  if (!last.shape.is_flat()) {
    refuse_layer(last.name, "a flat output, one value per class", last.shape.text(),
                 "end the model with a dense layer");
  }
  std::vector<bool> is_used(nodes_.size(), false);
  is_used[logits] = true;
  for (NodeId id = logits; id > 0; --id) {
    if (!is_used[id]) continue;
    for (const NodeId from : nodes_[id].inputs) is_used[from] = true;
  }
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (!is_used[id]) {
      refuse_layer(nodes_[id].name, "a layer that leads to the output " + last.name,
                   "one that nothing uses", "leave it out, or let a later layer use it");
    }
  }
  output_ = logits;
}

NodeId ModelGraph::output() const {
  if (output_ == 0) {
    throw Error(ErrorCode::kInvalidArgument, "model: " + name_ + ": expected an output, found none",
                "call set_output() with the last layer");
  }
  return output_;
}

NodeId ModelGraph::push(std::string name, Operation op, std::vector<NodeId> from,
                        const TensorShape& shape) {
  check_internal(nodes_.size() < kMaxNodes, "model graph: too many nodes");
  check_elements(name, "", {shape.channels, shape.height, shape.width});
  const auto id = static_cast<NodeId>(nodes_.size());
  for (const NodeId input : from) readers_of_[input].push_back(id);
  names_.insert(name);
  nodes_.push_back({std::move(name), std::move(op), std::move(from), shape});
  params_of_.emplace_back();
  readers_of_.emplace_back();
  return id;
}

void ModelGraph::push_parameter(NodeId node, std::string_view suffix, ParamKind kind,
                                std::vector<std::uint32_t> shape, const Initializer& initial) {
  const bool is_statistic = kind == ParamKind::kRunningMean || kind == ParamKind::kRunningVar;
  const bool decays = kind == ParamKind::kConvWeight || kind == ParamKind::kDenseWeight;
  params_of_[node].push_back(static_cast<std::uint32_t>(parameters_.size()));
  parameters_.push_back({nodes_[node].name + "." + std::string(suffix), node, kind,
                         std::move(shape), !is_statistic, decays, initial});
}

const TensorShape& ModelGraph::shape_of(const std::string& layer, NodeId from) const {
  if (from >= nodes_.size()) {
    refuse_layer(layer, "an input among " + std::to_string(nodes_.size()) + " nodes",
                 "node " + std::to_string(from), "take what an earlier layer returned");
  }
  return nodes_[from].shape;
}

std::vector<TensorShape> ModelGraph::shapes_of(const std::string& layer,
                                               std::span<const NodeId> from) const {
  std::vector<TensorShape> shapes;
  for (const NodeId id : from) shapes.push_back(shape_of(layer, id));
  return shapes;
}

std::string ModelGraph::unique_name(std::string name, std::string_view kind) {
  const auto check_characters = [](const std::string& text, const char* hint) {
    const auto is_allowed = [](char c) {
      return c == '.' || kPlainNameChars.find(c) != std::string_view::npos;
    };
    if (std::ranges::all_of(text, is_allowed)) return;
    refuse_layer(text, "a name of letters, digits, _, - and dots", "'" + text + "'", hint);
  };
  if (name.empty()) {
    check_characters(std::string(kind), "");  // an operation's own name, for one
    std::size_t& number = last_numbers_[std::string(kind)];
    do {
      name = std::string(kind) + "_" + std::to_string(++number);
    } while (names_.contains(name));
    return name;
  }
  check_characters(name, "name = \"conv1\"");
  if (names_.contains(name)) {
    refuse_layer(name, "a name not used yet", "a second layer of that name",
                 "another name, or none: then one is found");
  }
  return name;
}

}  // namespace penstock::train
