// Softmax with cross-entropy against smoothed labels, each sample weighted: plain loops, used by
// every backend on the host (a few hundred values a step).
// Source  PyTorch 2, torch.nn.CrossEntropyLoss(label_smoothing): the target is (1 - e) at the label
//         plus e / K everywhere.
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

  bool counts(std::size_t n) const { return class_idx[n] != kUnlabelled && weights[n] > 0; }
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
    const std::size_t label = labels.class_idx[n];
    const T smoothing = static_cast<T>(s.label_smoothing);
    const T loss = -(T{1} - smoothing) * (z[label] - log_sum) - smoothing * mean_log;
    report.weighted_loss_sum += static_cast<double>(loss) * static_cast<double>(labels.weights[n]);
    report.weight_sum += static_cast<double>(labels.weights[n]);
    ++report.num_counted;
    const auto best = std::max_element(z.begin(), z.end()) - z.begin();
    report.num_correct += static_cast<std::size_t>(best) == label ? 1 : 0;
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
    const T factor = labels.counts(n) ? static_cast<T>(labels.weights[n]) * inv_weight_sum : T{0};
    for (std::size_t k = 0; k < s.classes; ++k) {
      const T target = smoothing / static_cast<T>(s.classes) +
                       (k == labels.class_idx[n] ? T{1} - smoothing : T{0});
      const std::size_t at = n * s.classes + k;
      dlogits[at] = factor == T{0} ? T{0} : factor * (probabilities[at] - target);
    }
  }
}

}  // namespace penstock::train
