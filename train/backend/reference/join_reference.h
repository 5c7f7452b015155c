// What joins branches, and what passes values on: sums, products, concatenation, flatten, scales.
#pragma once

#include <algorithm>

#include "train/backend/reference/node_tensors.h"

namespace penstock::train::reference {

template <class T>
void forward(const FlattenOp&, const NodeTensors<T>& t) {
  std::copy_n(t.x[0], t.num_values(), t.y);
}
template <class T>
void backward(const FlattenOp&, const NodeTensors<T>& t) {
  if (t.dx[0] == nullptr) return;
  for (std::size_t i = 0; i < t.num_values(); ++i) t.dx[0][i] += t.dy[i];
}

template <class T>
void forward(const AddOp&, const NodeTensors<T>& t) {
  std::copy_n(t.x[0], t.num_values(), t.y);
  for (std::size_t k = 1; k < t.x.size(); ++k) {
    for (std::size_t i = 0; i < t.num_values(); ++i) t.y[i] += t.x[k][i];
  }
}
template <class T>
void backward(const AddOp&, const NodeTensors<T>& t) {
  for (T* const dx : t.dx) {
    if (dx == nullptr) continue;
    for (std::size_t i = 0; i < t.num_values(); ++i) dx[i] += t.dy[i];
  }
}

/// Index of the factor of value `i`: its own, or its channel's.
template <class T>
std::size_t factor_of(const NodeTensors<T>& t, std::size_t i) {
  return t.input_shapes[1] == t.shape ? i : i / t.shape.area();
}

template <class T>
void forward(const MultiplyOp&, const NodeTensors<T>& t) {
  for (std::size_t i = 0; i < t.num_values(); ++i) t.y[i] = t.x[0][i] * t.x[1][factor_of(t, i)];
}
template <class T>
void backward(const MultiplyOp&, const NodeTensors<T>& t) {
  for (std::size_t i = 0; i < t.num_values(); ++i) {
    const std::size_t j = factor_of(t, i);
    if (t.dx[0] != nullptr) t.dx[0][i] += t.dy[i] * t.x[1][j];
    if (t.dx[1] != nullptr) t.dx[1][j] += t.dy[i] * t.x[0][i];
  }
}

/// Calls visit(input, index in the input, index in the output).
template <class T, class Visit>
void for_each_piece(const NodeTensors<T>& t, Visit&& visit) {
  std::size_t before = 0;  // values of earlier inputs in one sample
  for (std::size_t k = 0; k < t.input_shapes.size(); ++k) {
    const std::size_t count = t.input_shapes[k].num_elements();
    for (std::size_t n = 0; n < t.batch; ++n) {
      for (std::size_t i = 0; i < count; ++i) {
        visit(k, n * count + i, n * t.shape.num_elements() + before + i);
      }
    }
    before += count;
  }
}

template <class T>
void forward(const ConcatOp&, const NodeTensors<T>& t) {
  for_each_piece(t, [&](std::size_t k, std::size_t in, std::size_t out) { t.y[out] = t.x[k][in]; });
}
template <class T>
void backward(const ConcatOp&, const NodeTensors<T>& t) {
  for_each_piece(t, [&](std::size_t k, std::size_t in, std::size_t out) {
    if (t.dx[k] != nullptr) t.dx[k][in] += t.dy[out];
  });
}

template <class T>
void forward(const ChannelScaleOp&, const NodeTensors<T>& t) {
  for (std::size_t i = 0; i < t.num_values(); ++i) {
    t.y[i] = t.x[0][i] * t.params[0][i / t.shape.area() % t.shape.channels];
  }
}
template <class T>
void backward(const ChannelScaleOp&, const NodeTensors<T>& t) {
  for (std::size_t i = 0; i < t.num_values(); ++i) {
    const std::size_t c = i / t.shape.area() % t.shape.channels;
    if (t.dx[0] != nullptr) t.dx[0][i] += t.dy[i] * t.params[0][c];
    if (t.dparams[0] != nullptr) t.dparams[0][c] += t.dy[i] * t.x[0][i];
  }
}

}  // namespace penstock::train::reference
