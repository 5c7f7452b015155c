// The loss on top of the logits: small, so the plain loops that all host backends share.
#include "train/backend/host_loss.h"
#include "train/backend/onednn/layer.h"

namespace penstock::train::onednn {
namespace {

class LossLayer final : public Layer {
 public:
  explicit LossLayer(const ModelGraph& graph) : output_(graph.output()) {}

  void forward(LoweringContext& context) override {
    logits_ = context.value(output_);
    shape_ = {context.batch(), context.graph.num_classes()};
    context.will_read_back(logits_);
    context.emit({logits_}, [logits = logits_, shape = shape_, &loss = context.lowering.loss,
                             &list = context.buffers](const RunContext& run) {
      *run.report = loss_report(loss, shape, *run.batch, list.at<float>(logits));
      run.report->step = run.scalars->step;
    });
  }

  void backward(LoweringContext& context) override {
    const BufferId dlogits =
        context.add_transient("logits.grad", shape_.batch * shape_.outputs * sizeof(float));
    context.emit({logits_, dlogits},
                 [dlogits, logits = logits_, shape = shape_, &loss = context.lowering.loss,
                  &list = context.buffers](const RunContext& run) {
                   batch_loss_gradient(loss, shape, labels_of(*run.batch, shape.batch),
                                       run.scalars->inv_weight_sum, list.at<float>(logits),
                                       list.at<float>(dlogits));
                 });
    context.give_gradient(output_, dlogits);
  }

  std::string explain() const override { return "plain loops"; }

 private:
  NodeId output_;
  ScoreShape shape_;
  BufferId logits_ = kNoBuffer;
};

}  // namespace

std::unique_ptr<Layer> make_loss_layer(const ModelGraph& graph) {
  return std::make_unique<LossLayer>(graph);
}

}  // namespace penstock::train::onednn
