// The order in which the layers of a graph are lowered: forward, and back with what was dropped computed again.
// Loss, update and copies are the backend's own.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "train/backend/lowered_layer.h"
#include "train/backend/value_flow.h"

namespace penstock::train {

/// Lowers the layers of one program. Context is the backend's ValueFlow.
template <class Context>
class LoweringPasses {
 public:
  LoweringPasses(Context& context, const std::vector<BasicLoweredLayer<Context>>& layers)
      : context_(context), layers_(layers) {}

  void forward() {
    for (const auto& layer : layers_) {
      context_.start_pass(layer.nodes.front(), LayerPass::kForward);
      forward_of(layer);
      back_reads_.push_back(context_.take_back_reads());
      for (const NodeId from : inputs_of(context_.graph, layer.nodes)) context_.has_read(from);
    }
  }

  /// After the loss has given the gradient of the output.
  void backward() {
    for (std::size_t i = layers_.size(); i-- > 0;) {
      const NodeId last = layers_[i].nodes.back();
      if (!context_.needs_gradient(last)) continue;
      context_.start_pass(layers_[i].nodes.front(), LayerPass::kBackward);
      for (const NodeId id : back_reads_[i]) compute_again(id);
      if (context_.is_dropped(last)) give_up(layers_[i]);
      layers_[i].layer->backward(context_);
      context_.finish_gradient(last);
    }
  }

  /// "conv1: <what it is>" by node, a line each; `head` stands before what a layer says.
  std::string explanation(const std::string& head) const {
    std::string text;
    for (const auto& layer : layers_) {
      const NodeId first = layer.nodes.front();
      const std::string what =
          head + layer.layer->explain() + (layer.choice.empty() ? "" : ", " + layer.choice);
      for (const NodeId id : layer.nodes) {
        const bool is_again = id == layer.nodes.back() && context_.lowering.is_recomputed(id);
        text += context_.graph.node(id).name + ": " +
                (id == first ? what : "with " + context_.graph.node(first).name) +
                (is_again ? ", dropped and computed again going back\n" : "\n");
      }
    }
    return text;
  }

 private:
  /// The inputs of a layer that will be computed again are kept until then.
  void forward_of(const BasicLoweredLayer<Context>& layer) {
    if (context_.lowering.is_recomputed(layer.nodes.back())) {
      for (const NodeId from : inputs_of(context_.graph, layer.nodes)) {
        context_.will_read_back(from);
      }
      context_.take_back_reads();
    }
    layer.layer->forward(context_);
  }

  /// Computes the values of a node again if they were dropped, and before these all dropped ones that lead to
  /// them.
  void compute_again(NodeId id) {
    if (!context_.is_dropped(id)) return;
    const auto layer =
        std::ranges::find(layers_, id, [](const auto& lowered) { return lowered.nodes.back(); });
    for (const NodeId from : inputs_of(context_.graph, layer->nodes)) compute_again(from);
    context_.begin_again();
    layer->layer->forward_again(context_);
    context_.end_again();
    for (const NodeId from : inputs_of(context_.graph, layer->nodes)) context_.has_read_back(from);
  }

  /// Nobody has asked for the values of a layer, and nobody will.
  void give_up(const BasicLoweredLayer<Context>& layer) {
    for (const NodeId from : inputs_of(context_.graph, layer.nodes)) {
      context_.will_not_read_back(from);
    }
  }

  Context& context_;
  const std::vector<BasicLoweredLayer<Context>>& layers_;
  std::vector<std::vector<NodeId>> back_reads_;  // by layer
};

}  // namespace penstock::train
