#include "train/backend/cuda/kernels/loss_kernels.h"
#include "train/backend/cuda/kernels/loss_sample.h"

namespace penstock::train::cuda {
namespace {

/// A block for each sample.
template <class Rule, unsigned kThreads>
__global__ void __launch_bounds__(kThreads) sample_gradients(LossBackward args) {
  const std::size_t n = blockIdx.x;
  const ScoreShape shape{.batch = args.batch, .outputs = args.outputs};
  const SampleLabels labels = device_labels(args.labels, shape);
  const auto write = [&](std::uint32_t k, float gradient) {
    store_group_of<1>(args.gradient_type, args.dscores, n * args.outputs + k, {gradient});
  };
  const float factor = labels.counts(n)
                           ? labels.weight(n) * args.step->inv_weight_sum * args.scaler->loss_scale
                           : 0.0f;
  if (factor == 0.0f) {
    for (std::uint32_t k = threadIdx.x; k < args.outputs; k += kThreads) write(k, 0.0f);
    return;
  }
  const Rule rule(device_settings(args.loss, args.outputs), args.outputs);
  const auto score = [&](std::uint32_t k) { return score_of(args, n, k); };
  const TargetRow target(shape, labels, n);
  if constexpr (kIsSoftmax<Rule>) {
    const SoftmaxRow<float> row = sample_softmax<kThreads>(args.outputs, score).row;
    const float total = sum_over<kThreads>(
        args.outputs, [&](std::uint32_t k) { return rule.total_of(row, score(k), target, k); });
    for (std::uint32_t k = threadIdx.x; k < args.outputs; k += kThreads) {
      write(k, factor * rule.gradient_of(row, total, score(k), target, k));
    }
  } else {
    for (std::uint32_t k = threadIdx.x; k < args.outputs; k += kThreads) {
      write(k, rule.gradient_of(score(k), target, k, factor));
    }
  }
}

}  // namespace

DeviceStatus loss_backward(const LossBackward& args, Stream stream) {
  return with_loss_rule(args.loss.kind, [&]<class Name>(Name) {
    using Rule = typename Name::Rule;
    if (args.outputs <= kFewOutputs) {
      return launch("sample_gradients", sample_gradients<Rule, kFewOutputsThreads>,
                    {.grid = {args.batch}, .block = {kFewOutputsThreads}}, stream, args);
    }
    return launch("sample_gradients", sample_gradients<Rule, kManyOutputsThreads>,
                  {.grid = {args.batch}, .block = {kManyOutputsThreads}}, stream, args);
  });
}

}  // namespace penstock::train::cuda
