// A loss that the library does not have: what a user's program would bring.
#pragma once

#include <algorithm>
#include <cmath>

#include "train/loss/custom_loss.h"

namespace penstock::tests {

/// The mean over outputs of e^2 / 2 up to |e| = 1, of |e| - 1/2 beyond, as torch.nn.HuberLoss. Right when
/// every output is within 1.
class HuberLoss final : public train::CustomLoss {
 public:
  std::string name() const override { return "huber"; }

  double value(std::span<const double> scores, const train::TargetRow& target) const override {
    double sum = 0;
    for (std::size_t k = 0; k < scores.size(); ++k) {
      const double size = std::abs(scores[k] - target.at<double>(k));
      sum += size <= 1 ? size * size / 2 : size - 0.5;
    }
    return sum / static_cast<double>(scores.size());
  }

  void gradient(std::span<const double> scores, const train::TargetRow& target,
                std::span<double> by_scores) const override {
    for (std::size_t k = 0; k < scores.size(); ++k) {
      by_scores[k] = std::clamp(scores[k] - target.at<double>(k), -1.0, 1.0) /
                     static_cast<double>(scores.size());
    }
  }

  bool is_correct(std::span<const double> scores, const train::TargetRow& target) const override {
    for (std::size_t k = 0; k < scores.size(); ++k) {
      if (std::abs(scores[k] - target.at<double>(k)) > 1) return false;
    }
    return true;
  }
};

}  // namespace penstock::tests
