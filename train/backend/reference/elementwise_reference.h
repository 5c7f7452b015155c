// ReLU and dropout, value by value.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/program.h"
#include "train/graph/train_draws.h"

namespace penstock::train::reference {

template <class T>
void relu_forward(std::size_t count, const T* x, T* y) {
  // What is not a number must stay visible in the loss.
  for (std::size_t i = 0; i < count; ++i) y[i] = x[i] < T{0} ? T{0} : x[i];
}

/// The slope at 0 is 0.
template <class T>
void relu_backward(std::size_t count, const T* x, const T* dy, T* dx) {
  for (std::size_t i = 0; i < count; ++i) dx[i] = x[i] > T{0} ? dy[i] : T{0};
}

struct DropoutKey {
  double rate;
  std::uint64_t seed;
  std::uint64_t step;
  std::uint32_t node;
};

/// Writes y = x / (1 - rate) where kept, else 0. The backward pass is the same with gradients.
template <class T>
void dropout_apply(const DropoutKey& key, std::size_t batch, std::size_t values, const T* x, T* y) {
  const std::uint32_t threshold = dropout_threshold(key.rate);
  const T scale = static_cast<T>(1.0 / (1.0 - key.rate));
  for (std::size_t n = 0; n < batch; ++n) {
    for (std::size_t i = 0; i < values; ++i) {
      const PhiloxCounter words =
          dropout_words(key.seed, key.step, static_cast<std::uint32_t>(n), key.node, i / 4);
      const std::size_t at = n * values + i;
      y[at] = words[i % 4] >= threshold ? x[at] * scale : T{0};
    }
  }
}

}  // namespace penstock::train::reference
