// Softmax with cross-entropy against smoothed labels or targets, each sample weighted: plain loops,
// used by every backend on the host (a few hundred values a step).
// Source  PyTorch 2, torch.nn.CrossEntropyLoss(label_smoothing) with class probabilities: a target t
//         becomes t (1 - e) + e / K. A label is the target that is 1 there and 0 elsewhere.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "train/backend/program.h"

namespace penstock::train {

struct LossSizes {
  std::size_t batch;
  std::size_t classes;
  double label_smoothing;
};

struct LossLabels {
  std::span<const std::uint32_t> class_idx;
  std::span<const float> weights;
  std::span<const float> targets;  // [batch, classes]; empty where the label is the target

  bool counts(std::size_t n) const { return class_idx[n] != kUnlabelled && weights[n] > 0; }
};

inline LossLabels loss_labels_of(const BatchView& view) {
  const bool has_targets = view.spec->label_form == LabelForm::kTargets;
  return {view.class_idx, view.weights, has_targets ? view.targets : std::span<const float>()};
}

/// The target of one sample that counts, before it is smoothed.
class LossTarget {
 public:
  LossTarget(const LossSizes& s, const LossLabels& labels, std::size_t n)
      : label_(labels.class_idx[n]) {
    if (!labels.targets.empty()) shares_ = labels.targets.subspan(n * s.classes, s.classes);
  }

  template <class T>
  T at(std::size_t k) const {
    if (shares_.empty()) return T(k == label_ ? 1 : 0);
    return static_cast<T>(shares_[k]);
  }
  /// 1, but for rounding, unless a source has other targets: log-probabilities weigh so much in all.
  template <class T>
  T sum() const {
    T sum{shares_.empty() ? T{1} : T{0}};
    for (const float share : shares_) sum += static_cast<T>(share);
    return sum;
  }
  /// The class of the largest share, the first one when tied.
  std::size_t top_class() const {
    if (shares_.empty()) return label_;
    return static_cast<std::size_t>(std::ranges::max_element(shares_) - shares_.begin());
  }

 private:
  std::size_t label_;
  std::span<const float> shares_;
};

/// Logarithm of the sum of exp(z), about the largest so that nothing overflows:
/// softmax(z)[k] = exp(z[k] - log_sum_exp(z)).
template <class T>
T log_sum_exp(std::span<const T> z) {
  const T largest = *std::max_element(z.begin(), z.end());
  T sum{0};
  for (const T value : z) sum += std::exp(value - largest);
  return largest + std::log(sum);
}

/// Fills `probabilities` [batch, classes] and adds up the report.
template <class T>
StepReport loss_forward(const LossSizes& s, const LossLabels& labels, const T* logits,
                        T* probabilities) {
  StepReport report;
  for (std::size_t n = 0; n < s.batch; ++n) {
    const std::span<const T> z(logits + n * s.classes, s.classes);
    const T log_sum = log_sum_exp(z);
    T mean_log{0};
    for (std::size_t k = 0; k < s.classes; ++k) {
      probabilities[n * s.classes + k] = std::exp(z[k] - log_sum);
      mean_log += (z[k] - log_sum) / static_cast<T>(s.classes);
    }
    if (!labels.counts(n)) continue;
    const LossTarget target(s, labels, n);
    T target_log{0};
    for (std::size_t k = 0; k < s.classes; ++k) {
      const T share = target.at<T>(k);
      if (share != T{0}) target_log += share * (z[k] - log_sum);
    }
    const T smoothing = static_cast<T>(s.label_smoothing);
    const T loss = -(T{1} - smoothing) * target_log - smoothing * mean_log;
    report.weighted_loss_sum += static_cast<double>(loss) * static_cast<double>(labels.weights[n]);
    report.weight_sum += static_cast<double>(labels.weights[n]);
    ++report.num_counted;
    const auto best = std::max_element(z.begin(), z.end()) - z.begin();
    report.num_correct += static_cast<std::size_t>(best) == target.top_class() ? 1 : 0;
  }
  report.is_finite = std::isfinite(report.weighted_loss_sum);
  return report;
}

/// Gradient of inv_weight_sum * (weighted sum of the losses) by the logits.
template <class T>
void loss_backward(const LossSizes& s, const LossLabels& labels, T inv_weight_sum,
                   const T* probabilities, T* dlogits) {
  const T smoothing = static_cast<T>(s.label_smoothing);
  for (std::size_t n = 0; n < s.batch; ++n) {
    T* const row = dlogits + n * s.classes;
    const T factor = labels.counts(n) ? static_cast<T>(labels.weights[n]) * inv_weight_sum : T{0};
    if (factor == T{0}) {
      std::fill_n(row, s.classes, T{0});
      continue;
    }
    const LossTarget target(s, labels, n);
    // Of the smoothed target: exactly 1 for a label, whatever the smoothing.
    const T sum = T{1} + (T{1} - smoothing) * (target.sum<T>() - T{1});
    for (std::size_t k = 0; k < s.classes; ++k) {
      const T smoothed =
          smoothing / static_cast<T>(s.classes) + (T{1} - smoothing) * target.at<T>(k);
      row[k] = factor * (probabilities[n * s.classes + k] * sum - smoothed);
    }
  }
}

}  // namespace penstock::train
