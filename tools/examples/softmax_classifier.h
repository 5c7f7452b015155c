// Stands for your own training step: softmax regression on the pixels, with plain gradient descent.
// Knows batches, not where they come from.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "streamer/core/batch.h"

class SoftmaxClassifier {
 public:
  SoftmaxClassifier(const penstock::BatchSpec& spec, std::size_t num_classes)
      : num_inputs_(std::size_t{spec.height_px} * spec.width_px * spec.channels),
        num_classes_(num_classes),
        weights_(num_classes * (num_inputs_ + 1)),
        scores_(num_classes) {}

  /// Takes one step on a float32 batch of class indices; returns the mean loss before it. A sample
  /// of weight 0 (padding, or damaged and skipped) counts for nothing.
  double take_step(const penstock::BatchView& batch) {
    std::vector<float> gradient(weights_.size());
    double loss = 0.0;
    double sum_weights = 0.0;
    for (std::size_t i = 0; i < batch.num_valid; ++i) {
      if (batch.weights[i] == 0.0f) continue;
      loss += batch.weights[i] * add_sample(batch, i, gradient);
      sum_weights += batch.weights[i];
    }
    if (sum_weights == 0.0) return 0.0;
    // Twice the mean square of a centred input would be the steepest that cannot overshoot.
    const float rate = 1.0f / static_cast<float>(sum_weights * static_cast<double>(num_inputs_));
    for (std::size_t w = 0; w < weights_.size(); ++w) weights_[w] -= rate * gradient[w];
    return loss / sum_weights;
  }

 private:
  // Adds the sample's gradient and returns its loss.
  double add_sample(const penstock::BatchView& batch, std::size_t i, std::vector<float>& gradient) {
    const float* pixels = batch.pixels_f32() + i * num_inputs_;
    for (std::size_t c = 0; c < num_classes_; ++c) {
      const float* w = &weights_[c * (num_inputs_ + 1)];
      scores_[c] = w[num_inputs_];
      for (std::size_t p = 0; p < num_inputs_; ++p) scores_[c] += w[p] * pixels[p];
    }
    const float highest = *std::max_element(scores_.begin(), scores_.end());
    float sum = 0.0f;
    for (float& score : scores_) sum += score = std::exp(score - highest);
    for (std::size_t c = 0; c < num_classes_; ++c) {
      const float probability = scores_[c] / sum;
      const float slope =
          batch.weights[i] * (probability - (c == batch.class_idx[i] ? 1.0f : 0.0f));
      float* g = &gradient[c * (num_inputs_ + 1)];
      g[num_inputs_] += slope;
      for (std::size_t p = 0; p < num_inputs_; ++p) g[p] += slope * pixels[p];
    }
    return -std::log(std::max(scores_[batch.class_idx[i]] / sum, 1e-30f));
  }

  std::size_t num_inputs_;
  std::size_t num_classes_;
  std::vector<float> weights_;  // [num_classes, num_inputs + 1], the bias last
  std::vector<float> scores_;   // [num_classes]
};
