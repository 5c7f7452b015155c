// The loss on top of the logits: small, so the plain loops that all host backends share.
#include <type_traits>

#include "train/backend/host_loss.h"
#include "train/backend/lowering_check.h"
#include "train/backend/onednn/layer.h"

namespace penstock::train::onednn {
namespace {

/// Values of another type as float32, and back: as many as there are logits.
template <class To, class From>
void convert(std::size_t count, const From* from, To* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = rounded_to<To>(to_float(from[i]));
}

template <class T>
class LossLayer final : public Layer {
 public:
  explicit LossLayer(const ModelGraph& graph) : output_(graph.output()) {}

  void forward(LoweringContext& context) override {
    shape_ = {context.batch(), context.graph.num_classes()};
    take_logits(context);
    context.will_read_back(output_);
    context.emit({context.logits},
                 [logits = context.logits, shape = shape_, &loss = context.lowering.loss,
                  &list = context.buffers](const RunContext& run) {
                   *run.report = loss_report(loss, shape, *run.batch, list.at<float>(logits));
                   run.report->step = run.scalars->step;
                 });
  }

  void backward(LoweringContext& context) override {
    const std::size_t count = shape_.batch * shape_.outputs;
    const BufferId dlogits = context.add_transient("logits.grad", count * sizeof(float));
    context.emit({context.logits, dlogits},
                 [dlogits, logits = context.logits, shape = shape_, &loss = context.lowering.loss,
                  &list = context.buffers](const RunContext& run) {
                   batch_loss_gradient(loss, shape, labels_of(*run.batch, shape.batch),
                                       run.scalars->inv_weight_sum, list.at<float>(logits),
                                       list.at<float>(dlogits));
                 });
    if constexpr (std::is_same_v<T, float>) {
      context.give_gradient(output_, dlogits);
    } else {
      const BufferId rounded =
          context.add_transient("logits.grad.rounded", context.value_bytes(output_));
      context.emit({dlogits, rounded}, [=, &list = context.buffers](const RunContext&) {
        convert(count, list.at<float>(dlogits), list.at<T>(rounded));
      });
      context.give_gradient(output_, rounded);
    }
  }

  std::string explain() const override { return "plain loops"; }

 private:
  /// Sets context.logits: the output's values, or a copy of them in float32.
  void take_logits(LoweringContext& context) {
    const BufferId values = context.value(output_);
    if (std::is_same_v<T, float> || has_float_logits(context.graph)) {
      context.logits = values;
      return;
    }
    const std::size_t count = shape_.batch * shape_.outputs;
    const BufferId logits = context.add_value("logits", count * sizeof(float));
    context.emit({values, logits}, [=, &list = context.buffers](const RunContext& run) {
      convert(count, values_at<T>(list, values, run), list.at<float>(logits));
    });
    context.logits = logits;
  }

  NodeId output_;
  ScoreShape shape_;
};

}  // namespace

std::unique_ptr<Layer> make_loss_layer(const TypedGraph& model) {
  return make_layer_of<LossLayer>(model.compute, model.graph);
}

}  // namespace penstock::train::onednn
