// Max-pool of any window by oneDNN, with its workspace.
#include <variant>

#include "train/backend/onednn/layer.h"

namespace penstock::train::onednn {
namespace {

class MaxPoolLayer final : public Layer {
 public:
  MaxPoolLayer(const ModelGraph& graph, NodeId id)
      : name_(graph.node(id).name),
        sizes_{.input = graph.node(graph.node(id).inputs.front()).shape,
               .output = graph.node(id).shape,
               .window = std::get<MaxPoolOp>(graph.node(id).op).window} {}

  BufferId forward(LoweringContext& context, BufferId x) override {
    x_ = x;
    sizes_.batch = context.lowering.batch;
    PreparedOp op = context.library.max_pool_forward(sizes_, context.is_training());
    explanation_ = "forward " + op.implementation();
    const BufferId y = context.add_value(name_, context.value_bytes(sizes_.output));
    if (context.is_training()) {
      places_ = context.add_value(name_ + ".places", op.workspace_bytes());
      context.emit_primitive(name_, std::move(op),
                             {{Arg::kSrc, x}, {Arg::kDst, y}, {Arg::kWorkspace, places_}});
    } else {
      context.emit_primitive(name_, std::move(op), {{Arg::kSrc, x}, {Arg::kDst, y}});
    }
    return y;
  }

  BufferId backward(LoweringContext& context, BufferId dy, bool needs_dx) override {
    if (!needs_dx) return kNoBuffer;
    PreparedOp op = context.library.max_pool_backward(sizes_);
    explanation_ += ", backward " + op.implementation();
    const BufferId dx =
        context.place_for_gradient(name_ + ".input", x_, context.value_bytes(sizes_.input));
    context.emit_primitive(name_ + ".backward", std::move(op),
                           {{Arg::kDiffDst, dy}, {Arg::kDiffSrc, dx}, {Arg::kWorkspace, places_}});
    return dx;
  }

  std::string explain() const override { return explanation_; }

 private:
  std::string name_;
  PoolingSizes sizes_;
  BufferId x_ = kNoBuffer;
  BufferId places_ = kNoBuffer;  // of the maxima, as the library keeps them
  std::string explanation_;
};

}  // namespace

std::unique_ptr<Layer> make_max_pool_layer(const ModelGraph& graph, NodeId node) {
  return std::make_unique<MaxPoolLayer>(graph, node);
}

}  // namespace penstock::train::onednn
