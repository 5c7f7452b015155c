// The loss of a batch and its gradient by the scores: plain loops on the host over the rules beside it.
// Knows neither backends nor where scores come from.
//
// A batch may be cut into micro-batches: their sums add up to the whole batch's, and their gradients
// are its rows, as long as each is given the weight sum of the whole batch.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "train/loss/binary_cross_entropy.h"
#include "train/loss/binary_focal.h"
#include "train/loss/custom_loss.h"
#include "train/loss/loss_spec.h"
#include "train/loss/regression_loss.h"
#include "train/loss/sample_labels.h"
#include "train/loss/softmax_cross_entropy.h"
#include "train/loss/softmax_focal.h"

namespace penstock::train {

/// Sums over the samples of a batch that count. The mean loss is weighted_loss_sum / weight_sum.
struct LossSums {
  double weighted_loss_sum = 0;
  /// Sample weights, times the class weights of softmax losses.
  double weight_sum = 0;
  std::uint64_t num_counted = 0;
  /// Of these, right: highest score on the label or on the largest target, the first one when tied
  /// (softmax); every label on its side of 0 (binary); 0 for regression, which has no such thing.
  std::uint64_t num_correct = 0;

  bool is_finite() const { return std::isfinite(weighted_loss_sum); }
};

/// Calls `use` with the rule of the spec's kind: value(z, target), gradient(z, target, factor, dz),
/// sample_factor(target). What a rule does for one output is a function of its own, for kernels that share a
/// sample among threads.
template <class T, class Use>
decltype(auto) with_loss_rule(const LossSpec& spec, std::size_t outputs, Use&& use) {
  const LossSettings settings = settings_of(spec);
  switch (spec.kind) {
    case LossKind::kSoftmaxFocal:
      return use(SoftmaxFocal<T>(settings, outputs));
    case LossKind::kBinaryCrossEntropy:
      return use(BinaryCrossEntropy<T>(settings, outputs));
    case LossKind::kBinaryFocal:
      return use(BinaryFocal<T>(settings, outputs));
    case LossKind::kMeanSquaredError:
      return use(MeanSquaredError<T>(settings, outputs));
    case LossKind::kMeanAbsoluteError:
      return use(MeanAbsoluteError<T>(settings, outputs));
    case LossKind::kCustom:
      return use(CustomRule<T>(spec, outputs));
    case LossKind::kSoftmaxCrossEntropy:
      break;
  }
  return use(SoftmaxCrossEntropy<T>(settings, outputs));
}

/// Whether the scores of one sample say what its target says; see LossSums::num_correct. A rule of a program's
/// own decides itself.
template <class T>
bool is_correct(LossKind kind, std::span<const T> z, const TargetRow& target) {
  if (is_softmax_loss(kind)) {
    const auto best = std::ranges::max_element(z) - z.begin();
    return static_cast<std::size_t>(best) == target.top_class();
  }
  if (!is_binary_loss(kind)) return false;
  for (std::size_t k = 0; k < z.size(); ++k) {
    if (!is_on_side(z[k], target.template at<T>(k))) return false;
  }
  return true;
}

template <class T, class Rule>
bool is_right(LossKind kind, Rule&& rule, std::span<const T> z, const TargetRow& target) {
  if constexpr (requires { rule.is_correct(z, target); }) return rule.is_correct(z, target);
  return is_correct(kind, z, target);
}

/// Returns the sum of weights that the loss is divided by; for a batch that is cut up, of the whole.
///
/// Errors  InvalidArgument, those of LossSpec::validate_for and SampleLabels::validate_for
inline double batch_weight_sum(const LossSpec& spec, const ScoreShape& shape,
                               const SampleLabels& labels) {
  spec.validate_for(shape.outputs);
  labels.validate_for(shape);
  return with_loss_rule<double>(spec, shape.outputs, [&](auto&& rule) {
    double sum = 0;
    for (std::size_t n = 0; n < shape.batch; ++n) {
      if (!labels.counts(n)) continue;
      sum += static_cast<double>(labels.weight(n)) * rule.sample_factor({shape, labels, n});
    }
    return sum;
  });
}

/// Adds up the losses of a batch.
///
/// Shapes  scores: [batch, outputs], not yet through softmax or sigmoid
/// Errors  as batch_weight_sum; a score that is no number makes the sum one that is not finite
/// Cost    allocates nothing, but for two rows of scores with a custom loss
template <class T>
LossSums batch_loss(const LossSpec& spec, const ScoreShape& shape, const SampleLabels& labels,
                    const T* scores) {
  LossSums sums{.weight_sum = batch_weight_sum(spec, shape, labels)};
  with_loss_rule<T>(spec, shape.outputs, [&](auto&& rule) {
    for (std::size_t n = 0; n < shape.batch; ++n) {
      if (!labels.counts(n)) continue;
      const std::span<const T> z(scores + n * shape.outputs, shape.outputs);
      const TargetRow target(shape, labels, n);
      sums.weighted_loss_sum +=
          static_cast<double>(labels.weight(n)) * static_cast<double>(rule.value(z, target));
      ++sums.num_counted;
      sums.num_correct += is_right(spec.kind, rule, z, target) ? 1 : 0;
    }
  });
  return sums;
}

/// Writes the gradient of inv_weight_sum * (weighted sum of the losses) by the scores; 0 for samples
/// that do not count.
///
/// Shapes  scores, dscores: [batch, outputs]; may be the same memory
/// Units   inv_weight_sum: 1 / batch_weight_sum of the whole batch, 0 when that is 0
/// Errors  as batch_weight_sum
/// Cost    as batch_loss
template <class T>
void batch_loss_gradient(const LossSpec& spec, const ScoreShape& shape, const SampleLabels& labels,
                         T inv_weight_sum, const T* scores, T* dscores) {
  spec.validate_for(shape.outputs);
  labels.validate_for(shape);
  with_loss_rule<T>(spec, shape.outputs, [&](auto&& rule) {
    for (std::size_t n = 0; n < shape.batch; ++n) {
      const std::span<T> dz(dscores + n * shape.outputs, shape.outputs);
      const T factor = labels.counts(n) ? static_cast<T>(labels.weight(n)) * inv_weight_sum : T{0};
      if (factor == T{0}) {
        std::ranges::fill(dz, T{0});
        continue;
      }
      const std::span<const T> z(scores + n * shape.outputs, shape.outputs);
      rule.gradient(z, {shape, labels, n}, factor, dz);
    }
  });
}

}  // namespace penstock::train
