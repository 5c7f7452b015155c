// One sample's scores and labels, shared by the threads of a block, and the rule of train/loss for it.
#pragma once

#include <cstddef>
#include <span>

#include "train/backend/cuda/kernels/block_sum.h"
#include "train/backend/cuda/kernels/element_group.h"
#include "train/backend/cuda/kernels/loss_kernels.h"
#include "train/loss/binary_cross_entropy.h"
#include "train/loss/binary_focal.h"
#include "train/loss/regression_loss.h"
#include "train/loss/softmax_cross_entropy.h"
#include "train/loss/softmax_focal.h"

namespace penstock::train::cuda {

template <class Rule>
inline constexpr bool kIsSoftmax = false;
template <>
inline constexpr bool kIsSoftmax<SoftmaxCrossEntropy<float>> = true;
template <>
inline constexpr bool kIsSoftmax<SoftmaxFocal<float>> = true;

template <class Rule>
inline constexpr bool kIsBinary = false;
template <>
inline constexpr bool kIsBinary<BinaryCrossEntropy<float>> = true;
template <>
inline constexpr bool kIsBinary<BinaryFocal<float>> = true;

/// Names a rule without making one.
template <class T>
struct RuleName {
  using Rule = T;
};

template <class Use>
DeviceStatus with_loss_rule(KernelLoss kind, const Use& use) {
  switch (kind) {
    case KernelLoss::kSoftmaxFocal:
      return use(RuleName<SoftmaxFocal<float>>{});
    case KernelLoss::kBinaryCrossEntropy:
      return use(RuleName<BinaryCrossEntropy<float>>{});
    case KernelLoss::kBinaryFocal:
      return use(RuleName<BinaryFocal<float>>{});
    case KernelLoss::kMeanSquaredError:
      return use(RuleName<MeanSquaredError<float>>{});
    case KernelLoss::kMeanAbsoluteError:
      return use(RuleName<MeanAbsoluteError<float>>{});
    case KernelLoss::kSoftmaxCrossEntropy:
      break;
  }
  return use(RuleName<SoftmaxCrossEntropy<float>>{});
}

__device__ inline std::span<const float> device_list(const float* values, std::size_t count) {
  return {values, values == nullptr ? 0 : count};
}

__device__ inline LossSettings device_settings(const DeviceLoss& loss, std::uint32_t outputs) {
  return {.label_smoothing = static_cast<double>(loss.label_smoothing),
          .focal_gamma = static_cast<double>(loss.focal_gamma),
          .focal_alpha = device_list(loss.focal_alpha, loss.num_focal_alpha),
          .class_weights = device_list(loss.class_weights, outputs),
          .positive_weights = device_list(loss.positive_weights, loss.num_positive_weights)};
}

__device__ inline SampleLabels device_labels(const DeviceLabels& labels, const ScoreShape& shape) {
  return {.class_idx = {labels.class_idx, labels.class_idx == nullptr ? 0 : shape.batch},
          .targets = device_list(labels.targets, shape.batch * shape.outputs),
          .weights = device_list(labels.weights, shape.batch)};
}

/// The score of output k of sample n. That only the launch knows the type costs nothing here, and a copy of all
/// kernels for each would.
template <class Args>
__device__ float score_of(const Args& args, std::size_t n, std::uint32_t k) {
  return load_group_of<1>(args.score_type, args.scores, n * args.outputs + k).values[0];
}

/// A score and where it stands.
struct PlacedScore {
  float score;
  std::uint32_t k;
};

/// Of equal ones the first.
__device__ inline PlacedScore larger_of(const PlacedScore& a, const PlacedScore& b) {
  return b.score > a.score || (b.score == a.score && b.k < a.k) ? b : a;
}

/// The largest of score(0), score(1), ... and where it first stands, in every thread. All threads call it.
template <unsigned kThreads, class Score>
__device__ PlacedScore first_largest(std::uint32_t outputs, const Score& score) {
  constexpr unsigned kWarps = kThreads / kWarpThreads;
  PENSTOCK_SHARED(PlacedScore, of_warp, kWarps);
  PlacedScore best{score(0), 0};  // what is not a number loses, but for the first, as on the host
  for (std::uint32_t k = threadIdx.x; k < outputs; k += kThreads) {
    best = larger_of(best, {score(k), k});
  }
  for (int lanes = kWarpThreads / 2; lanes > 0; lanes /= 2) {
    best = larger_of(best, {__shfl_xor_sync(0xFFFFFFFFu, best.score, lanes),
                            __shfl_xor_sync(0xFFFFFFFFu, best.k, lanes)});
  }
  __syncthreads();  // what was before may still be read
  if (threadIdx.x % kWarpThreads == 0) of_warp[threadIdx.x / kWarpThreads] = best;
  __syncthreads();
  for (unsigned warp = 0; warp < kWarps; ++warp) best = larger_of(best, of_warp[warp]);
  return best;
}

/// The sum of part(0), part(1), ... in every thread. All threads call it.
template <unsigned kThreads, class Part>
__device__ auto sum_over(std::uint32_t outputs, const Part& part) {
  decltype(part(0u)) sum{};
  for (std::uint32_t k = threadIdx.x; k < outputs; k += kThreads) sum += part(k);
  return block_sum<kThreads>(sum);
}

/// The softmax of a sample, and its highest score.
struct SampleSoftmax {
  SoftmaxRow<float> row;
  std::uint32_t best;
};

template <unsigned kThreads, class Score>
__device__ SampleSoftmax sample_softmax(std::uint32_t outputs, const Score& score) {
  const PlacedScore largest = first_largest<kThreads>(outputs, score);
  const float others = sum_over<kThreads>(outputs, [&](std::uint32_t k) {
    return k == largest.k ? 0.0f : std::exp(score(k) - largest.score);
  });
  return {softmax_row_of(largest.score, others), largest.k};
}

/// Threads of a sample: a warp where outputs are few.
inline constexpr unsigned kFewOutputsThreads = kWarpThreads;
inline constexpr unsigned kManyOutputsThreads = 256;
inline constexpr std::uint32_t kFewOutputs = 128;

}  // namespace penstock::train::cuda
