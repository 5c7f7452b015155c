// Normalization over sets of values: a channel of the batch, a group of a sample, a place's channels.
// Source  Ioffe and Szegedy, Batch normalization (2015), algorithm 1 and the gradients after it; Wu and He,
//         Group normalization (2018), eq. 1 to 6; Ba et al., Layer normalization (2016). ConvNeXt's layer
//         norm runs over the channels of one place.
#pragma once

#include <cmath>

#include "train/backend/reference/node_tensors.h"

namespace penstock::train::reference {

/// How the values of a batch fall into sets that are normalized together.
struct NormSets {
  std::size_t num_sets = 0;
  std::size_t values_per_set = 0;
};

template <class T>
NormSets sets_of(const BatchNormOp&, const NodeTensors<T>& t) {
  return {t.shape.channels, t.batch * t.shape.area()};
}
template <class T>
NormSets sets_of(const GroupNormOp& op, const NodeTensors<T>& t) {
  return {t.batch * op.groups, t.shape.channels / op.groups * t.shape.area()};
}
template <class T>
NormSets sets_of(const LayerNormOp&, const NodeTensors<T>& t) {
  return {t.batch * t.shape.area(), t.shape.channels};
}

/// Calls visit(index) for every value of a set.
template <class T, class Visit>
void for_each_member(const BatchNormOp&, const NodeTensors<T>& t, std::size_t set, Visit&& visit) {
  for (std::size_t n = 0; n < t.batch; ++n) {
    for (std::size_t i = 0; i < t.shape.area(); ++i) {
      visit((n * t.shape.channels + set) * t.shape.area() + i);
    }
  }
}
template <class T, class Visit>
void for_each_member(const GroupNormOp& op, const NodeTensors<T>& t, std::size_t set,
                     Visit&& visit) {
  const std::size_t count = sets_of(op, t).values_per_set;
  for (std::size_t i = 0; i < count; ++i) visit(set * count + i);
}
template <class T, class Visit>
void for_each_member(const LayerNormOp&, const NodeTensors<T>& t, std::size_t set, Visit&& visit) {
  const std::size_t area = t.shape.area();
  for (std::size_t c = 0; c < t.shape.channels; ++c) {
    visit((set / area * t.shape.channels + c) * area + set % area);
  }
}

template <class T>
struct Moments {
  T mean{};
  T variance{};  // biased
};

template <class Op, class T>
Moments<T> moments_of(const Op& op, const NodeTensors<T>& t, std::size_t set) {
  const T count = static_cast<T>(sets_of(op, t).values_per_set);
  T sum{0};
  for_each_member(op, t, set, [&](std::size_t i) { sum += t.x[0][i]; });
  const T mean = sum / count;
  T squares{0};
  for_each_member(op, t, set,
                  [&](std::size_t i) { squares += (t.x[0][i] - mean) * (t.x[0][i] - mean); });
  return {mean, squares / count};
}

template <class T>
std::size_t channel_of(const NodeTensors<T>& t, std::size_t i) {
  return i / t.shape.area() % t.shape.channels;
}

template <class Op, class T>
T inv_std_of(const Op& op, T variance) {
  return T{1} / std::sqrt(variance + static_cast<T>(op.epsilon));
}

template <class Op, class T>
void normalize(const Op& op, const NodeTensors<T>& t, std::size_t set, const Moments<T>& moments) {
  const T inv_std = inv_std_of(op, moments.variance);
  for_each_member(op, t, set, [&](std::size_t i) {
    const std::size_t c = channel_of(t, i);
    t.y[i] = (t.x[0][i] - moments.mean) * inv_std * t.params[0][c] + t.params[1][c];
  });
}

/// With g = dy * scale and v the normalized values: dx = (g - mean(g) - v * mean(g v)) / deviation.
template <class Op, class T>
void normalize_backward(const Op& op, const NodeTensors<T>& t, std::size_t set) {
  const Moments<T> moments = moments_of(op, t, set);
  const T inv_std = inv_std_of(op, moments.variance);
  const T count = static_cast<T>(sets_of(op, t).values_per_set);
  const auto normalized = [&](std::size_t i) { return (t.x[0][i] - moments.mean) * inv_std; };
  T sum{0};
  T sum_normalized{0};
  for_each_member(op, t, set, [&](std::size_t i) {
    const std::size_t c = channel_of(t, i);
    if (t.dparams[0] != nullptr) t.dparams[0][c] += t.dy[i] * normalized(i);
    if (t.dparams[1] != nullptr) t.dparams[1][c] += t.dy[i];
    const T g = t.dy[i] * t.params[0][c];
    sum += g;
    sum_normalized += g * normalized(i);
  });
  if (t.dx[0] == nullptr) return;
  for_each_member(op, t, set, [&](std::size_t i) {
    const T g = t.dy[i] * t.params[0][channel_of(t, i)];
    t.dx[0][i] += inv_std * (g - sum / count - normalized(i) * sum_normalized / count);
  });
}

/// By the batch's statistics, which move the running ones, or by the running ones. The running variance
/// takes the unbiased n / (n - 1), as PyTorch's does.
template <class T>
void forward(const BatchNormOp& op, const NodeTensors<T>& t) {
  const T count = static_cast<T>(sets_of(op, t).values_per_set);
  const T momentum = static_cast<T>(op.momentum);
  T* const running_mean = t.params[2];
  T* const running_var = t.params[3];
  for (std::size_t c = 0; c < t.shape.channels; ++c) {
    if (!t.uses_batch_statistics()) {
      normalize(op, t, c, Moments<T>{running_mean[c], running_var[c]});
      continue;
    }
    const Moments<T> moments = moments_of(op, t, c);
    normalize(op, t, c, moments);
    if (t.is_again) continue;
    const T unbiased = moments.variance * count / (count - T{1});
    running_mean[c] = (T{1} - momentum) * running_mean[c] + momentum * moments.mean;
    running_var[c] = (T{1} - momentum) * running_var[c] + momentum * unbiased;
  }
}

template <class T>
void backward(const BatchNormOp& op, const NodeTensors<T>& t) {
  if (t.uses_batch_statistics()) {
    for (std::size_t c = 0; c < t.shape.channels; ++c) normalize_backward(op, t, c);
    return;
  }
  // By the running statistics, which are constants.
  for (std::size_t i = 0; i < t.num_values(); ++i) {
    const std::size_t c = channel_of(t, i);
    const T inv_std = inv_std_of(op, t.params[3][c]);
    const T normalized = (t.x[0][i] - t.params[2][c]) * inv_std;
    if (t.dparams[0] != nullptr) t.dparams[0][c] += t.dy[i] * normalized;
    if (t.dparams[1] != nullptr) t.dparams[1][c] += t.dy[i];
    if (t.dx[0] != nullptr) t.dx[0][i] += t.dy[i] * t.params[0][c] * inv_std;
  }
}

template <class Op, class T>
void sample_norm_forward(const Op& op, const NodeTensors<T>& t) {
  for (std::size_t set = 0; set < sets_of(op, t).num_sets; ++set) {
    normalize(op, t, set, moments_of(op, t, set));
  }
}
template <class Op, class T>
void sample_norm_backward(const Op& op, const NodeTensors<T>& t) {
  for (std::size_t set = 0; set < sets_of(op, t).num_sets; ++set) normalize_backward(op, t, set);
}

template <class T>
void forward(const GroupNormOp& op, const NodeTensors<T>& t) {
  sample_norm_forward(op, t);
}
template <class T>
void backward(const GroupNormOp& op, const NodeTensors<T>& t) {
  sample_norm_backward(op, t);
}
template <class T>
void forward(const LayerNormOp& op, const NodeTensors<T>& t) {
  sample_norm_forward(op, t);
}
template <class T>
void backward(const LayerNormOp& op, const NodeTensors<T>& t) {
  sample_norm_backward(op, t);
}

}  // namespace penstock::train::reference
