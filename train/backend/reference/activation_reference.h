// Activations value by value, softmax place by place.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "train/backend/reference/node_tensors.h"
#include "train/loss/sigmoid.h"

namespace penstock::train::reference {

/// min(max(x + 3, 0), 6) / 6 (Howard et al., Searching for MobileNetV3, 2019).
template <class T>
T hard_sigmoid(T x) {
  if (x <= T{-3}) return T{0};
  return x >= T{3} ? T{1} : (x + T{3}) / T{6};
}

/// The normal distribution up to x.
template <class T>
T normal_share(T x) {
  return (T{1} + std::erf(x / std::numbers::sqrt2_v<T>)) / T{2};
}

/// What is not a number stays so: it must be visible in the loss.
template <class T>
T activate(const ActivationOp& op, T x) {
  switch (op.kind) {
    case ActivationKind::kRelu:
      return x < T{0} ? T{0} : x;
    case ActivationKind::kRelu6:
      return x < T{0} ? T{0} : x > T{6} ? T{6} : x;
    case ActivationKind::kLeakyRelu:
      return x < T{0} ? static_cast<T>(op.slope) * x : x;
    case ActivationKind::kSilu:
      return x * sigmoid(x);
    case ActivationKind::kHardSwish:
      return x * hard_sigmoid(x);
    case ActivationKind::kHardSigmoid:
      return hard_sigmoid(x);
    case ActivationKind::kSigmoid:
      return sigmoid(x);
    case ActivationKind::kGelu:
      return x * normal_share(x);
  }
  return x;
}

/// At a corner the slope is PyTorch's: 0 for relu and relu6, `slope` for leaky_relu, 0 and 1 outside for the
/// hard ones.
template <class T>
T slope_at(const ActivationOp& op, T x) {
  switch (op.kind) {
    case ActivationKind::kRelu:
      return x > T{0} ? T{1} : T{0};
    case ActivationKind::kRelu6:
      return x > T{0} && x < T{6} ? T{1} : T{0};
    case ActivationKind::kLeakyRelu:
      return x > T{0} ? T{1} : static_cast<T>(op.slope);
    case ActivationKind::kSilu: {
      const T s = sigmoid(x);
      return s * (T{1} + x * (T{1} - s));
    }
    case ActivationKind::kHardSwish:
      if (x <= T{-3}) return T{0};
      return x >= T{3} ? T{1} : (T{2} * x + T{3}) / T{6};
    case ActivationKind::kHardSigmoid:
      return x > T{-3} && x < T{3} ? T{1} / T{6} : T{0};
    case ActivationKind::kSigmoid: {
      const T s = sigmoid(x);
      return s * (T{1} - s);
    }
    case ActivationKind::kGelu: {
      const T density =
          std::exp(-x * x / T{2}) * std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>;
      return normal_share(x) + x * density;
    }
  }
  return T{1};
}

template <class T>
void forward(const ActivationOp& op, const NodeTensors<T>& t) {
  for (std::size_t i = 0; i < t.num_values(); ++i) t.y[i] = activate(op, t.x[0][i]);
}

template <class T>
void backward(const ActivationOp& op, const NodeTensors<T>& t) {
  if (t.dx[0] == nullptr) return;
  for (std::size_t i = 0; i < t.num_values(); ++i) {
    t.dx[0][i] += t.dy[i] * slope_at(op, t.x[0][i]);
  }
}

/// Calls visit(index of the place's first channel); the next one is shape.area() further.
template <class T, class Visit>
void for_each_column(const NodeTensors<T>& t, Visit&& visit) {
  const std::size_t area = t.shape.area();
  for (std::size_t n = 0; n < t.batch; ++n) {
    for (std::size_t place = 0; place < area; ++place) visit(n * t.shape.num_elements() + place);
  }
}

template <class T>
void forward(const SoftmaxOp&, const NodeTensors<T>& t) {
  const std::size_t area = t.shape.area();
  for_each_column(t, [&](std::size_t first) {
    T largest = t.x[0][first];
    for (std::size_t c = 1; c < t.shape.channels; ++c) {
      largest = std::max(largest, t.x[0][first + c * area]);
    }
    T sum{0};
    for (std::size_t c = 0; c < t.shape.channels; ++c) {
      t.y[first + c * area] = std::exp(t.x[0][first + c * area] - largest);
      sum += t.y[first + c * area];
    }
    for (std::size_t c = 0; c < t.shape.channels; ++c) t.y[first + c * area] /= sum;
  });
}

/// dx = y * (dy - sum of y dy).
template <class T>
void backward(const SoftmaxOp&, const NodeTensors<T>& t) {
  if (t.dx[0] == nullptr) return;
  const std::size_t area = t.shape.area();
  for_each_column(t, [&](std::size_t first) {
    T sum{0};
    for (std::size_t c = 0; c < t.shape.channels; ++c) {
      sum += t.y[first + c * area] * t.dy[first + c * area];
    }
    for (std::size_t c = 0; c < t.shape.channels; ++c) {
      const std::size_t i = first + c * area;
      t.dx[0][i] += t.y[i] * (t.dy[i] - sum);
    }
  });
}

}  // namespace penstock::train::reference
