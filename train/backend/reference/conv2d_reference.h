// Convolution by its definition; tensors NCHW, weights OIHW.
#pragma once

#include <algorithm>

#include "train/backend/reference/window_reference.h"

namespace penstock::train::reference {

struct Conv2dSizes {
  const Conv2dOp& op;
  TensorShape input;
  TensorShape output;
  std::size_t batch;

  std::size_t weight_idx(std::size_t o, std::size_t i, std::size_t kr, std::size_t kc) const {
    return ((o * input.channels + i) * op.window.kernel.rows + kr) * op.window.kernel.cols + kc;
  }
};

/// Calls visit(output index, input index, weight index) for every product of the sum.
template <class Visit>
void for_each_product(const Conv2dSizes& s, Visit&& visit) {
  for (std::size_t n = 0; n < s.batch; ++n) {
    for (std::size_t o = 0; o < s.output.channels; ++o) {
      for (std::uint32_t row = 0; row < s.output.height; ++row) {
        for (std::uint32_t col = 0; col < s.output.width; ++col) {
          const std::size_t out = nchw(s.output, n, o, row, col);
          for (std::size_t i = 0; i < s.input.channels; ++i) {
            for_each_tap(s.op.window, s.input, row, col,
                         [&](std::size_t kr, std::size_t kc, std::size_t r, std::size_t c) {
                           visit(out, nchw(s.input, n, i, r, c), s.weight_idx(o, i, kr, kc));
                         });
          }
        }
      }
    }
  }
}

/// Calls visit(output index, filter) for every output.
template <class Visit>
void for_each_output(const Conv2dSizes& s, Visit&& visit) {
  const std::size_t area = std::size_t{s.output.height} * s.output.width;
  for (std::size_t out = 0; out < s.batch * s.output.num_elements(); ++out) {
    visit(out, out / area % s.output.channels);
  }
}

/// `bias` may be null.
template <class T>
void conv2d_forward(const Conv2dSizes& s, const T* x, const T* weight, const T* bias, T* y) {
  for_each_output(s, [&](std::size_t out, std::size_t o) { y[out] = bias ? bias[o] : T{0}; });
  for_each_product(
      s, [&](std::size_t out, std::size_t in, std::size_t w) { y[out] += x[in] * weight[w]; });
}

/// `dx` and `dbias` may be null.
template <class T>
void conv2d_backward(const Conv2dSizes& s, const T* x, const T* weight, const T* dy, T* dx,
                     T* dweight, T* dbias) {
  const std::size_t num_weights = s.weight_idx(s.output.channels, 0, 0, 0);
  std::fill_n(dweight, num_weights, T{0});
  if (dx != nullptr) std::fill_n(dx, s.batch * s.input.num_elements(), T{0});
  for_each_product(s, [&](std::size_t out, std::size_t in, std::size_t w) {
    dweight[w] += x[in] * dy[out];
    if (dx != nullptr) dx[in] += weight[w] * dy[out];
  });
  if (dbias == nullptr) return;
  std::fill_n(dbias, s.output.channels, T{0});
  for_each_output(s, [&](std::size_t out, std::size_t o) { dbias[o] += dy[out]; });
}

}  // namespace penstock::train::reference
