// A dense layer; x is [batch, inputs], weights [outputs, inputs].
#pragma once

#include "train/backend/reference/node_tensors.h"

namespace penstock::train::reference {

template <class T>
void forward(const DenseOp& op, const NodeTensors<T>& t) {
  const std::size_t inputs = t.input_shape().channels;
  for (std::size_t n = 0; n < t.batch; ++n) {
    for (std::size_t o = 0; o < op.units; ++o) {
      T sum = op.has_bias ? t.params[1][o] : T{0};
      for (std::size_t i = 0; i < inputs; ++i) {
        sum += t.x[0][n * inputs + i] * t.params[0][o * inputs + i];
      }
      t.y[n * op.units + o] = sum;
    }
  }
}

template <class T>
void backward(const DenseOp& op, const NodeTensors<T>& t) {
  const std::size_t inputs = t.input_shape().channels;
  T* const dx = t.dx[0];
  T* const dweight = t.dparams[0];
  T* const dbias = op.has_bias ? t.dparams[1] : nullptr;
  for (std::size_t n = 0; n < t.batch; ++n) {
    for (std::size_t o = 0; o < op.units; ++o) {
      const T g = t.dy[n * op.units + o];
      if (dbias != nullptr) dbias[o] += g;
      for (std::size_t i = 0; i < inputs; ++i) {
        if (dweight != nullptr) dweight[o * inputs + i] += g * t.x[0][n * inputs + i];
        if (dx != nullptr) dx[n * inputs + i] += g * t.params[0][o * inputs + i];
      }
    }
  }
}

}  // namespace penstock::train::reference
