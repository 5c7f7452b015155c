// Batch normalization over samples, rows and columns of each channel; tensors NCHW.
// Source  Ioffe and Szegedy, Batch normalization (2015), algorithm 1 and the gradients after it.
#pragma once

#include <cmath>

#include "train/graph/operations.h"

namespace penstock::train::reference {

struct BatchNormSizes {
  TensorShape shape;
  std::size_t batch;

  std::size_t values_per_channel() const { return batch * shape.height * shape.width; }
  /// Calls visit(index) for every value of a channel.
  template <class Visit>
  void for_each_value(std::size_t channel, Visit&& visit) const {
    const std::size_t area = std::size_t{shape.height} * shape.width;
    for (std::size_t n = 0; n < batch; ++n) {
      for (std::size_t i = 0; i < area; ++i) visit((n * shape.channels + channel) * area + i);
    }
  }
};

/// Tensors of one value per channel.
template <class T>
struct BatchNormTensors {
  const T* scale;
  const T* shift;
  T* running_mean;
  T* running_var;
  T* mean;     // of this batch, kept for the backward pass
  T* inv_std;  // 1 / sqrt(biased variance + epsilon), likewise
};

/// Normalizes by the batch's statistics and moves the running ones; the running variance takes
/// the unbiased n / (n - 1) as PyTorch does.
template <class T>
void batch_norm_forward_train(const BatchNormOp& op, const BatchNormSizes& s,
                              const BatchNormTensors<T>& t, const T* x, T* y) {
  const T count = static_cast<T>(s.values_per_channel());
  const T momentum = static_cast<T>(op.momentum);
  for (std::size_t c = 0; c < s.shape.channels; ++c) {
    T sum{0};
    s.for_each_value(c, [&](std::size_t i) { sum += x[i]; });
    const T mean = sum / count;
    T squares{0};
    s.for_each_value(c, [&](std::size_t i) { squares += (x[i] - mean) * (x[i] - mean); });
    t.mean[c] = mean;
    t.inv_std[c] = T{1} / std::sqrt(squares / count + static_cast<T>(op.epsilon));
    s.for_each_value(
        c, [&](std::size_t i) { y[i] = (x[i] - mean) * t.inv_std[c] * t.scale[c] + t.shift[c]; });
    const T unbiased = squares / (count - T{1});
    t.running_mean[c] = (T{1} - momentum) * t.running_mean[c] + momentum * mean;
    t.running_var[c] = (T{1} - momentum) * t.running_var[c] + momentum * unbiased;
  }
}

template <class T>
void batch_norm_forward_evaluate(const BatchNormOp& op, const BatchNormSizes& s,
                                 const BatchNormTensors<T>& t, const T* x, T* y) {
  for (std::size_t c = 0; c < s.shape.channels; ++c) {
    const T inv_std = T{1} / std::sqrt(t.running_var[c] + static_cast<T>(op.epsilon));
    s.for_each_value(c, [&](std::size_t i) {
      y[i] = (x[i] - t.running_mean[c]) * inv_std * t.scale[c] + t.shift[c];
    });
  }
}

template <class T>
void batch_norm_backward(const BatchNormSizes& s, const BatchNormTensors<T>& t, const T* x,
                         const T* dy, T* dx, T* dscale, T* dshift) {
  const T count = static_cast<T>(s.values_per_channel());
  for (std::size_t c = 0; c < s.shape.channels; ++c) {
    const auto normalized = [&](std::size_t i) { return (x[i] - t.mean[c]) * t.inv_std[c]; };
    T sum_dy{0};
    T sum_dy_normalized{0};
    s.for_each_value(c, [&](std::size_t i) {
      sum_dy += dy[i];
      sum_dy_normalized += dy[i] * normalized(i);
    });
    dshift[c] = sum_dy;
    dscale[c] = sum_dy_normalized;
    s.for_each_value(c, [&](std::size_t i) {
      dx[i] = t.scale[c] * t.inv_std[c] *
              (dy[i] - sum_dy / count - normalized(i) * sum_dy_normalized / count);
    });
  }
}

}  // namespace penstock::train::reference
