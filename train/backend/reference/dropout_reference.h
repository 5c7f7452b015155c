// Dropout of values and of whole samples.
#pragma once

#include "train/backend/reference/node_tensors.h"
#include "train/graph/train_draws.h"

namespace penstock::train::reference {

/// Calls visit(index, factor): 1 / (1 - rate) where a value is kept, else 0.
template <class T, class Visit>
void for_each_mask(const DropoutOp& op, const NodeTensors<T>& t, Visit&& visit) {
  const std::uint32_t threshold = dropout_threshold(op.rate);
  const T scale = static_cast<T>(1.0 / (1.0 - op.rate));
  const std::size_t values = t.shape.num_elements();
  for (std::size_t n = 0; n < t.batch; ++n) {
    for (std::size_t i = 0; i < values; ++i) {
      const std::size_t drawn = op.drops_samples ? 0 : i;
      const PhiloxCounter words = dropout_words(t.scalars.seed, t.scalars.step,
                                                t.scalars.place_in_step(n), t.node, drawn / 4);
      visit(n * values + i, words[drawn % 4] >= threshold ? scale : T{0});
    }
  }
}

template <class T>
void forward(const DropoutOp& op, const NodeTensors<T>& t) {
  if (!t.is_training) {
    std::copy_n(t.x[0], t.num_values(), t.y);
    return;
  }
  // A dropped value is 0 whatever it was.
  for_each_mask(
      op, t, [&](std::size_t i, T factor) { t.y[i] = factor == T{0} ? T{0} : t.x[0][i] * factor; });
}

template <class T>
void backward(const DropoutOp& op, const NodeTensors<T>& t) {
  if (t.dx[0] == nullptr) return;
  for_each_mask(op, t, [&](std::size_t i, T factor) { t.dx[0][i] += t.dy[i] * factor; });
}

}  // namespace penstock::train::reference
