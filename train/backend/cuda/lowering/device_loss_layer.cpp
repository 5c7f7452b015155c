// The loss on top of the logits, on the device: a program waits for no number.
#include "streamer/core/error.h"
#include "train/backend/cuda/lowering/device_layers.h"

namespace penstock::train::cuda {
namespace {

/// The loss's settings as kernels take them; the lists are filled in once their buffers have places.
struct LossLists {
  BufferId class_weights = kNoBuffer;
  BufferId positive_weights = kNoBuffer;
  BufferId focal_alpha = kNoBuffer;
};

class DeviceLossLayer final : public DeviceLayer {
 public:
  explicit DeviceLossLayer(const ModelGraph& graph) : output_(graph.output()) {}

  void forward(DeviceLowering& context) override {
    const BufferId scores = context.value(output_);
    const std::size_t batch = context.batch();
    loss_ = make_loss(context);
    const BufferId sums = context.add_transient("loss.sample_sums", batch * 2 * sizeof(double));
    const BufferId counts =
        context.add_transient("loss.sample_counts", batch * 2 * sizeof(std::uint32_t));
    context.logits = scores;
    context.will_read_back(output_);
    const DeviceLowering::Blocks& blocks = context.blocks();
    context.emit(
        {scores, sums, counts, blocks.class_idx, blocks.weights, blocks.targets},
        [=, this_loss = loss_, &list = context.buffers, &kernels = context.kernels](Stream stream) {
          LossForward args = this_loss.forward;
          args.loss = this_loss.loss(list);
          args.scores = list.at<void>(scores);
          args.labels = this_loss.labels(list);
          args.step = list.at<StepBlock>(this_loss.blocks.step);
          args.sample_sums = list.at<double>(sums);
          args.sample_counts = list.at<std::uint32_t>(counts);
          args.report = list.at<RunReportBlock>(this_loss.blocks.run_report);
          args.scaler = list.at<ScalerBlock>(this_loss.blocks.scaler);
          return kernels.loss_forward(args, stream);
        });
  }

  void backward(DeviceLowering& context) override {
    const BufferId scores = context.value(output_);
    const BufferId dscores = context.add_transient("logits.grad", context.value_bytes(output_));
    const DeviceLowering::Blocks& blocks = context.blocks();
    context.emit(
        {scores, dscores, blocks.class_idx, blocks.weights, blocks.targets},
        [=, this_loss = loss_, &list = context.buffers, &kernels = context.kernels](Stream stream) {
          return kernels.loss_backward({.loss = this_loss.loss(list),
                                        .batch = this_loss.forward.batch,
                                        .outputs = this_loss.forward.outputs,
                                        .score_type = this_loss.forward.score_type,
                                        .scores = list.at<void>(scores),
                                        .labels = this_loss.labels(list),
                                        .step = list.at<StepBlock>(this_loss.blocks.step),
                                        .scaler = list.at<ScalerBlock>(this_loss.blocks.scaler),
                                        .gradient_type = this_loss.forward.score_type,
                                        .dscores = list.at<void>(dscores)},
                                       stream);
        });
    context.give_gradient(output_, dscores);
  }

  std::string explain() const override { return "own kernel"; }

 private:
  /// By value: tasks outlive the layer.
  struct Loss {
    LossForward forward{};
    DeviceLowering::Blocks blocks;
    LossLists lists;

    DeviceLoss loss(const BufferList& list) const {
      DeviceLoss loss = forward.loss;
      loss.class_weights = list.at<float>(lists.class_weights);
      loss.positive_weights = list.at<float>(lists.positive_weights);
      loss.focal_alpha = list.at<float>(lists.focal_alpha);
      return loss;
    }
    DeviceLabels labels(const BufferList& list) const {
      return {.class_idx = list.at<std::uint32_t>(blocks.class_idx),
              .weights = list.at<float>(blocks.weights),
              .targets = list.at<float>(blocks.targets)};
    }
  };

  static Loss make_loss(DeviceLowering& context) {
    const LossSpec& spec = context.lowering.loss;
    if (spec.kind == LossKind::kCustom) {
      throw Error(ErrorCode::kUnsupported,
                  "loss: expected one that a GPU has, found one of a program's own, which runs on "
                  "the host",
                  "--device cpu");
    }
    Loss loss{
        .blocks = context.blocks(),
        .lists = {.class_weights = context.add_constant("loss.class_weights", spec.class_weights),
                  .positive_weights =
                      context.add_constant("loss.positive_weights", spec.positive_weights),
                  .focal_alpha = context.add_constant("loss.focal_alpha", spec.focal_alpha)}};
    loss.forward.loss = {
        .kind = static_cast<KernelLoss>(spec.kind),
        .label_smoothing = static_cast<float>(spec.label_smoothing),
        .focal_gamma = static_cast<float>(spec.focal_gamma),
        .class_weights = nullptr,
        .positive_weights = nullptr,
        .num_positive_weights = static_cast<std::uint32_t>(spec.positive_weights.size()),
        .focal_alpha = nullptr,
        .num_focal_alpha = static_cast<std::uint32_t>(spec.focal_alpha.size())};
    loss.forward.batch = static_cast<std::uint32_t>(context.batch());
    loss.forward.outputs = context.graph.num_classes();
    loss.forward.score_type = context.type;
    return loss;
  }

  NodeId output_;
  Loss loss_;
};

}  // namespace

DeviceLayerPtr make_device_loss_layer(const TypedGraph& model) {
  return std::make_unique<DeviceLossLayer>(model.graph);
}

}  // namespace penstock::train::cuda
