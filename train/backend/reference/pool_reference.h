// Max and global average pooling; tensors NCHW.
#pragma once

#include <algorithm>

#include "train/backend/reference/window_reference.h"

namespace penstock::train::reference {

struct PoolSizes {
  Window window;
  TensorShape input;
  TensorShape output;
  std::size_t batch;
};

/// Calls visit(output index, input index of the largest value; the first of equal ones).
template <class T, class Visit>
void for_each_maximum(const PoolSizes& s, const T* x, Visit&& visit) {
  for (std::size_t n = 0; n < s.batch; ++n) {
    for (std::size_t c = 0; c < s.output.channels; ++c) {
      for (std::uint32_t row = 0; row < s.output.height; ++row) {
        for (std::uint32_t col = 0; col < s.output.width; ++col) {
          std::size_t best = 0;
          bool is_first = true;
          for_each_tap(s.window, s.input, row, col,
                       [&](std::size_t, std::size_t, std::size_t r, std::size_t k) {
                         const std::size_t in = nchw(s.input, n, c, r, k);
                         if (is_first || x[in] > x[best]) best = in;
                         is_first = false;
                       });
          visit(nchw(s.output, n, c, row, col), best);
        }
      }
    }
  }
}

template <class T>
void max_pool_forward(const PoolSizes& s, const T* x, T* y) {
  for_each_maximum(s, x, [&](std::size_t out, std::size_t in) { y[out] = x[in]; });
}

template <class T>
void max_pool_backward(const PoolSizes& s, const T* x, const T* dy, T* dx) {
  std::fill_n(dx, s.batch * s.input.num_elements(), T{0});
  for_each_maximum(s, x, [&](std::size_t out, std::size_t in) { dx[in] += dy[out]; });
}

template <class T>
void global_avg_pool_forward(const TensorShape& input, std::size_t batch, const T* x, T* y) {
  const std::size_t area = std::size_t{input.height} * input.width;
  for (std::size_t i = 0; i < batch * input.channels; ++i) {
    T sum{0};
    for (std::size_t j = 0; j < area; ++j) sum += x[i * area + j];
    y[i] = sum / static_cast<T>(area);
  }
}

template <class T>
void global_avg_pool_backward(const TensorShape& input, std::size_t batch, const T* dy, T* dx) {
  const std::size_t area = std::size_t{input.height} * input.width;
  for (std::size_t i = 0; i < batch * input.num_elements(); ++i) {
    dx[i] = dy[i / area] / static_cast<T>(area);
  }
}

}  // namespace penstock::train::reference
