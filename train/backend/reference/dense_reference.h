// A dense layer; x is [batch, inputs], weights [outputs, inputs].
#pragma once

#include <algorithm>
#include <cstddef>

namespace penstock::train::reference {

struct DenseSizes {
  std::size_t batch;
  std::size_t inputs;
  std::size_t outputs;
};

/// `bias` may be null.
template <class T>
void dense_forward(const DenseSizes& s, const T* x, const T* weight, const T* bias, T* y) {
  for (std::size_t n = 0; n < s.batch; ++n) {
    for (std::size_t o = 0; o < s.outputs; ++o) {
      T sum = bias ? bias[o] : T{0};
      for (std::size_t i = 0; i < s.inputs; ++i) {
        sum += x[n * s.inputs + i] * weight[o * s.inputs + i];
      }
      y[n * s.outputs + o] = sum;
    }
  }
}

/// `dx` and `dbias` may be null.
template <class T>
void dense_backward(const DenseSizes& s, const T* x, const T* weight, const T* dy, T* dx,
                    T* dweight, T* dbias) {
  std::fill_n(dweight, s.outputs * s.inputs, T{0});
  if (dbias != nullptr) std::fill_n(dbias, s.outputs, T{0});
  if (dx != nullptr) std::fill_n(dx, s.batch * s.inputs, T{0});
  for (std::size_t n = 0; n < s.batch; ++n) {
    for (std::size_t o = 0; o < s.outputs; ++o) {
      const T g = dy[n * s.outputs + o];
      if (dbias != nullptr) dbias[o] += g;
      for (std::size_t i = 0; i < s.inputs; ++i) {
        dweight[o * s.inputs + i] += g * x[n * s.inputs + i];
        if (dx != nullptr) dx[n * s.inputs + i] += g * weight[o * s.inputs + i];
      }
    }
  }
}

}  // namespace penstock::train::reference
