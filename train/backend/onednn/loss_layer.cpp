// The loss on top of the logits: small, so the plain loops that all host backends share.
#include "train/backend/softmax_loss.h"

#include "train/backend/onednn/layer.h"

namespace penstock::train::onednn {
namespace {

class LossLayer final : public Layer {
 public:
  explicit LossLayer(const ModelGraph& graph)
      : output_(graph.output()), num_classes_(graph.num_classes()) {}

  void forward(LoweringContext& context) override {
    const BufferId logits = context.value(output_);
    sizes_ = {context.batch(), num_classes_, context.lowering.label_smoothing};
    probabilities_ = context.add_value("probabilities", bytes());
    context.emit({logits, probabilities_}, [=, sizes = sizes_, probabilities = probabilities_,
                                            &list = context.buffers](const RunContext& run) {
      *run.report = loss_forward(sizes, labels_of(run), values_at(list, logits, run),
                                 list.at<float>(probabilities));
      run.report->step = run.scalars->step;
    });
  }

  void backward(LoweringContext& context) override {
    const BufferId dlogits = context.add_transient("logits.grad", bytes());
    context.emit({probabilities_, dlogits}, [=, sizes = sizes_, probabilities = probabilities_,
                                             &list = context.buffers](const RunContext& run) {
      loss_backward(sizes, labels_of(run), run.scalars->inv_weight_sum,
                    list.at<float>(probabilities), list.at<float>(dlogits));
    });
    context.give_gradient(output_, dlogits);
  }

  std::string explain() const override { return "plain loops"; }

 private:
  std::size_t bytes() const { return sizes_.batch * sizes_.classes * sizeof(float); }
  static LossLabels labels_of(const RunContext& run) { return loss_labels_of(*run.batch); }

  NodeId output_;
  std::size_t num_classes_;
  LossSizes sizes_{};
  BufferId probabilities_ = kNoBuffer;
};

}  // namespace

std::unique_ptr<Layer> make_loss_layer(const ModelGraph& graph) {
  return std::make_unique<LossLayer>(graph);
}

}  // namespace penstock::train::onednn
