// Pools over windows by oneDNN; a maximum's places in its workspace.
#include <variant>

#include "train/backend/onednn/layer.h"

namespace penstock::train::onednn {
namespace {

class WindowPoolLayer final : public Layer {
 public:
  WindowPoolLayer(const TypedGraph& model, NodeId id)
      : id_(id), from_(model.graph.node(id).inputs.front()), name_(model.graph.node(id).name) {
    const ModelGraph& graph = model.graph;
    const auto& op = std::get<PoolOp>(graph.node(id).op);
    sizes_ = {.input = graph.node(from_).shape,
              .output = graph.node(id).shape,
              .window = op.window,
              .kind = op.kind,
              .counts_padding = op.counts_padding,
              .compute = model.compute};
  }

  void forward(LoweringContext& context) override {
    const BufferId x = context.value(from_);
    sizes_.batch = context.lowering.batch;
    PreparedOp op = context.library.pool_forward(sizes_, context.is_training());
    explanation_ = "forward " + op.implementation();
    const BufferId y = context.add_output(id_, name_);
    if (op.workspace_bytes() > 0) {
      places_ = context.add_value(name_ + ".places", op.workspace_bytes());
      context.emit_primitive(name_, std::move(op),
                             {{Arg::kSrc, x}, {Arg::kDst, y}, {Arg::kWorkspace, places_}});
    } else {
      context.emit_primitive(name_, std::move(op), {{Arg::kSrc, x}, {Arg::kDst, y}});
    }
    context.set_value(id_, y);
  }

  void backward(LoweringContext& context) override {
    if (!context.needs_gradient(from_)) return;
    PreparedOp op = context.library.pool_backward(sizes_);
    explanation_ += ", backward " + op.implementation();
    const BufferId dy = context.gradient(id_);
    const BufferId dx = context.place_for_gradient(from_, name_ + ".input");
    if (places_ != kNoBuffer) {
      context.emit_primitive(
          name_ + ".backward", std::move(op),
          {{Arg::kDiffDst, dy}, {Arg::kDiffSrc, dx}, {Arg::kWorkspace, places_}});
    } else {
      context.emit_primitive(name_ + ".backward", std::move(op),
                             {{Arg::kDiffDst, dy}, {Arg::kDiffSrc, dx}});
    }
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return explanation_; }

 private:
  NodeId id_;
  NodeId from_;
  std::string name_;
  PoolingSizes sizes_;
  BufferId places_ = kNoBuffer;  // of the maxima, as the library keeps them
  std::string explanation_;
};

}  // namespace

std::unique_ptr<Layer> make_window_pool_layer(const TypedGraph& model, NodeId node) {
  return std::make_unique<WindowPoolLayer>(model, node);
}

}  // namespace penstock::train::onednn
