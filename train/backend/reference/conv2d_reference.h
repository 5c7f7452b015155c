// Convolution by its definition; weights OIHW, I those of one group.
#pragma once

#include "train/backend/reference/node_tensors.h"
#include "train/backend/reference/window_reference.h"

namespace penstock::train::reference {

/// Calls visit(output index, input index, weight index) for every product of the sum.
template <class T, class Visit>
void for_each_product(const Conv2dOp& op, const NodeTensors<T>& t, Visit&& visit) {
  const TensorShape& input = t.input_shape();
  const std::size_t group_inputs = input.channels / op.groups;
  const std::size_t group_outputs = op.filters / op.groups;
  const Extent& kernel = op.window.kernel;
  for_each_place(
      t.batch, t.shape, [&](std::size_t n, std::size_t o, std::uint32_t row, std::uint32_t col) {
        const std::size_t out = nchw(t.shape, n, o, row, col);
        const std::size_t first_channel = o / group_outputs * group_inputs;
        for (std::size_t i = 0; i < group_inputs; ++i) {
          for_each_tap(op.window, input, row, col,
                       [&](std::size_t kr, std::size_t kc, std::size_t r, std::size_t c) {
                         const std::size_t weight =
                             ((o * group_inputs + i) * kernel.rows + kr) * kernel.cols + kc;
                         visit(out, nchw(input, n, first_channel + i, r, c), weight);
                       });
        }
      });
}

template <class T>
void forward(const Conv2dOp& op, const NodeTensors<T>& t) {
  const T* const x = t.x[0];
  const T* const weight = t.params[0];
  for (std::size_t i = 0; i < t.num_values(); ++i) {
    t.y[i] = op.has_bias ? t.params[1][i / t.shape.area() % op.filters] : T{0};
  }
  for_each_product(op, t, [&](std::size_t out, std::size_t in, std::size_t w) {
    t.y[out] += x[in] * weight[w];
  });
}

template <class T>
void backward(const Conv2dOp& op, const NodeTensors<T>& t) {
  T* const dx = t.dx[0];
  T* const dweight = t.dparams[0];
  for_each_product(op, t, [&](std::size_t out, std::size_t in, std::size_t w) {
    if (dweight != nullptr) dweight[w] += t.x[0][in] * t.dy[out];
    if (dx != nullptr) dx[in] += t.params[0][w] * t.dy[out];
  });
  if (!op.has_bias || t.dparams[1] == nullptr) return;
  for (std::size_t i = 0; i < t.num_values(); ++i) {
    t.dparams[1][i / t.shape.area() % op.filters] += t.dy[i];
  }
}

}  // namespace penstock::train::reference
