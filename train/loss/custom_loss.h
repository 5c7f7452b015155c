// A user's own loss, on the host: the one interface to implement, and the rule that runs it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "train/loss/loss_spec.h"
#include "train/loss/sample_labels.h"

namespace penstock::train {

/// One loss with its settings, put into LossSpec::custom; the same object serves every program of a run.
/// Scores are those of one sample, not through softmax or sigmoid; `target.at<double>(k)` is what output k is
/// held against: 1 at the label and 0 elsewhere, or the targets that a batch brings.
///
/// Threads  calls of const functions may come from several threads at once
/// Bits     the same input must give the same output, or runs are not reproducible
class CustomLoss {
 public:
  virtual ~CustomLoss() = default;

  /// "huber"; letters, digits and _.
  virtual std::string name() const = 0;
  virtual double value(std::span<const double> scores, const TargetRow& target) const = 0;
  /// Writes the derivative of value() by each score.
  virtual void gradient(std::span<const double> scores, const TargetRow& target,
                        std::span<double> by_scores) const = 0;
  /// Whether the sample counts as right, for the share of those that are.
  virtual bool is_correct(std::span<const double> /*scores*/, const TargetRow& /*target*/) const {
    return false;
  }
};

/// A custom loss as the loops over a batch run it. Holds a row of scores and one of derivatives, so that the
/// loss sees double whatever a backend computes in, and may write where scores lay.
template <class T>
class CustomRule {
 public:
  CustomRule(const LossSpec& spec, std::size_t outputs)
      : loss_(*spec.custom), scores_(outputs), by_scores_(outputs) {}

  T sample_factor(const TargetRow&) const { return T{1}; }

  T value(std::span<const T> z, const TargetRow& target) {
    return static_cast<T>(loss_.value(widened(z), target));
  }

  bool is_correct(std::span<const T> z, const TargetRow& target) {
    return loss_.is_correct(widened(z), target);
  }

  /// Writes factor * d loss / d z; `dz` may be `z`.
  void gradient(std::span<const T> z, const TargetRow& target, T factor, std::span<T> dz) {
    loss_.gradient(widened(z), target, by_scores_);
    for (std::size_t k = 0; k < dz.size(); ++k) dz[k] = factor * static_cast<T>(by_scores_[k]);
  }

 private:
  std::span<const double> widened(std::span<const T> z) {
    for (std::size_t k = 0; k < z.size(); ++k) scores_[k] = static_cast<double>(z[k]);
    return scores_;
  }

  const CustomLoss& loss_;
  std::vector<double> scores_;
  std::vector<double> by_scores_;
};

}  // namespace penstock::train
