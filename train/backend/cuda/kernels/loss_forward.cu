#include <cmath>

#include "train/backend/cuda/kernels/loss_kernels.h"
#include "train/backend/cuda/kernels/loss_sample.h"

namespace penstock::train::cuda {
namespace {

constexpr unsigned kReportThreads = 512;

/// What one sample adds to the report.
struct SampleSums {
  float value;
  float factor;  // of its weight, in the denominator
  bool is_correct;
};

/// LossSums::num_correct says what is correct.
template <unsigned kThreads, class Rule, class Score>
__device__ SampleSums softmax_sums(const Rule& rule, std::uint32_t outputs, const Score& score,
                                   const TargetRow& target, const LossForward& args) {
  const SampleSoftmax softmax = sample_softmax<kThreads>(outputs, score);
  const float value = sum_over<kThreads>(
      outputs, [&](std::uint32_t k) { return rule.value_of(softmax.row, score(k), target, k); });
  float factor = 1.0f;
  if (args.loss.class_weights != nullptr) {
    factor = sum_over<kThreads>(outputs,
                                [&](std::uint32_t k) { return rule.sample_factor_of(target, k); });
  }
  std::size_t top_class = 0;
  if (args.labels.targets == nullptr) {
    top_class = args.labels.class_idx[blockIdx.x];
  } else {
    top_class = first_largest<kThreads>(outputs, [&](std::uint32_t k) {
                  return target.template at<float>(k);
                }).k;
  }
  return {value, factor, softmax.best == top_class};
}

template <unsigned kThreads, class Rule, class Score>
__device__ SampleSums mean_sums(const Rule& rule, std::uint32_t outputs, const Score& score,
                                const TargetRow& target) {
  const float value = sum_over<kThreads>(
      outputs, [&](std::uint32_t k) { return rule.value_of(score(k), target, k); });
  bool is_correct = false;
  if constexpr (kIsBinary<Rule>) {
    is_correct = sum_over<kThreads>(outputs, [&](std::uint32_t k) {
                   return is_on_side(score(k), target.template at<float>(k)) ? 0u : 1u;
                 }) == 0;
  }
  return {value * rule.share(), 1.0f, is_correct};
}

/// A block for each sample.
template <class Rule, unsigned kThreads>
__global__ void __launch_bounds__(kThreads) sample_losses(LossForward args) {
  const std::size_t n = blockIdx.x;
  const ScoreShape shape{.batch = args.batch, .outputs = args.outputs};
  const SampleLabels labels = device_labels(args.labels, shape);
  SampleSums sums{};
  const bool counts = labels.counts(n);
  if (counts) {
    const Rule rule(device_settings(args.loss, args.outputs), args.outputs);
    const auto score = [&](std::uint32_t k) { return score_of(args, n, k); };
    const TargetRow target(shape, labels, n);
    if constexpr (kIsSoftmax<Rule>) {
      sums = softmax_sums<kThreads>(rule, args.outputs, score, target, args);
    } else {
      sums = mean_sums<kThreads>(rule, args.outputs, score, target);
    }
  }
  if (threadIdx.x != 0) return;
  const double weight = counts ? static_cast<double>(labels.weight(n)) : 0.0;
  args.sample_sums[2 * n] = counts ? weight * static_cast<double>(sums.value) : 0.0;
  args.sample_sums[2 * n + 1] = weight * static_cast<double>(sums.factor);
  args.sample_counts[2 * n] = counts ? 1 : 0;
  args.sample_counts[2 * n + 1] = sums.is_correct ? 1 : 0;
}

/// One block.
__global__ void __launch_bounds__(kReportThreads) report_losses(LossForward args) {
  double sums[2] = {};
  std::uint32_t counts[2] = {};
  for (std::size_t n = threadIdx.x; n < args.batch; n += kReportThreads) {
    for (unsigned i = 0; i < 2; ++i) {
      sums[i] += args.sample_sums[2 * n + i];
      counts[i] += args.sample_counts[2 * n + i];
    }
  }
  for (double& sum : sums) sum = block_sum<kReportThreads>(sum);
  for (std::uint32_t& count : counts) count = block_sum<kReportThreads>(count);
  if (threadIdx.x != 0) return;
  const bool is_finite = std::isfinite(sums[0]);
  *args.report = {.step = args.step->step,
                  .weighted_loss_sum = sums[0],
                  .weight_sum = sums[1],
                  .num_counted = counts[0],
                  .num_correct = counts[1],
                  .is_finite = is_finite ? 1u : 0u};
  if (args.scaler != nullptr && !is_finite) args.scaler->has_bad_loss = 1;
}

}  // namespace

DeviceStatus loss_forward(const LossForward& args, Stream stream) {
  const DeviceStatus status = with_loss_rule(args.loss.kind, [&]<class Name>(Name) {
    using Rule = typename Name::Rule;
    if (args.outputs <= kFewOutputs) {
      return launch("sample_losses", sample_losses<Rule, kFewOutputsThreads>,
                    {.grid = {args.batch}, .block = {kFewOutputsThreads}}, stream, args);
    }
    return launch("sample_losses", sample_losses<Rule, kManyOutputsThreads>,
                  {.grid = {args.batch}, .block = {kManyOutputsThreads}}, stream, args);
  });
  if (!status.is_ok()) return status;
  return launch("report_losses", report_losses, {.block = {kReportThreads}}, stream, args);
}

}  // namespace penstock::train::cuda
