// Batch norm with what follows it, in own kernels: neither normalised values nor a sum before its ReLU are ever
// written.
#include "train/backend/cuda/lowering/activation_choice.h"
#include "train/backend/cuda/lowering/norm_plan.h"
#include "train/backend/cuda/lowering/single_input_layer.h"

namespace penstock::train::cuda {
namespace {

class NormLayer final : public SingleInputLayer {
 public:
  NormLayer(const ModelGraph& graph, const NodeChain& nodes)
      : SingleInputLayer(graph, nodes.front()), last_(nodes.back()) {
    if (nodes.size() >= 2) plan_.activation = activation_of(graph, last_);
    if (nodes.size() < 3) return;
    const auto& terms = graph.node(nodes[1]).inputs;
    other_ = terms[0] == id_ ? terms[1] : terms[0];
    has_other_ = true;
  }

  void forward(DeviceLowering& context) override {
    plan_.emit_statistics(context, id_, context.value(from_));
    take_places(context);
    emit_apply(context);
    if (!context.needs_gradient(last_)) return;
    context.will_read_back(from_);
    if (has_other_) context.will_read_back(last_);
  }

  void forward_again(DeviceLowering& context) override {
    take_places(context);
    emit_apply(context);
  }

  void backward(DeviceLowering& context) override {
    plan_.dy = context.gradient(last_);
    plan_.x = context.value(from_);
    plan_.y = context.value(last_);
    context.has_read_back(from_);  // value by value, so that dx may take its place
    if (has_other_) context.has_read_back(last_);
    const bool needs_dx = context.needs_gradient(from_);
    const bool needs_dother = has_other_ && context.needs_gradient(other_);
    const bool can_overwrite = context.can_overwrite_gradient(last_);
    plan_.dother = kNoBuffer;
    if (needs_dother) {
      plan_.dother =
          can_overwrite ? plan_.dy
                        : context.add_transient(name_ + ".passed.grad", context.value_bytes(last_));
    }
    plan_.dx = kNoBuffer;
    if (needs_dx) {
      plan_.dx = can_overwrite && !needs_dother
                     ? plan_.dy
                     : context.place_for_gradient(from_, name_ + ".input");
    }
    plan_.emit_backward(context, name_);
    if (needs_dother) context.give_gradient(other_, plan_.dother);
    if (needs_dx) context.give_gradient(from_, plan_.dx);
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  void take_places(DeviceLowering& context) {
    plan_.x = context.value(from_);
    plan_.other = has_other_ ? context.value(other_) : kNoBuffer;
    const bool is_over_other = has_other_ && context.can_replace(plan_.other);
    const bool is_over_x = !context.needs_gradient(last_) && context.can_replace(plan_.x);
    plan_.y = is_over_other ? plan_.other : is_over_x ? plan_.x : context.add_output(last_, name_);
  }

  void emit_apply(DeviceLowering& context) {
    context.emit({plan_.x, plan_.other, plan_.y, plan_.factors},
                 [plan = plan_](Stream stream) { return plan.apply(stream); });
    context.set_value(last_, plan_.y);
  }

  NodeId last_;
  NodeId other_ = 0;
  bool has_other_ = false;
  NormPlan plan_;
};

}  // namespace

DeviceLayerPtr make_norm_layer(const TypedGraph& model, const NodeChain& nodes) {
  return std::make_unique<NormLayer>(model.graph, nodes);
}

}  // namespace penstock::train::cuda
