// Pools over windows and over the adaptive ones that PyTorch defines.
#pragma once

#include "train/backend/reference/node_tensors.h"
#include "train/backend/reference/window_reference.h"

namespace penstock::train::reference {

/// Calls visit(kernel row, kernel column, row, column) for the places of an adaptive window.
/// Source  PyTorch, aten/src/ATen/native/AdaptivePooling.h: from floor(i * in / out) to
///         ceil((i + 1) * in / out)
template <class Visit>
void for_each_tap(const AdaptivePoolOp& op, const TensorShape& input, std::uint32_t out_row,
                  std::uint32_t out_col, Visit&& visit) {
  const auto first = [](std::uint64_t i, std::uint64_t in, std::uint64_t out) {
    return static_cast<std::uint32_t>(i * in / out);
  };
  const auto end = [](std::uint64_t i, std::uint64_t in, std::uint64_t out) {
    return static_cast<std::uint32_t>(((i + 1) * in + out - 1) / out);
  };
  const std::uint32_t top = first(out_row, input.height, op.output.rows);
  const std::uint32_t left = first(out_col, input.width, op.output.cols);
  for (std::uint32_t row = top; row < end(out_row, input.height, op.output.rows); ++row) {
    for (std::uint32_t col = left; col < end(out_col, input.width, op.output.cols); ++col) {
      visit(row - top, col - left, row, col);
    }
  }
}

template <class Visit>
void for_each_tap(const PoolOp& op, const TensorShape& input, std::uint32_t out_row,
                  std::uint32_t out_col, Visit&& visit) {
  for_each_tap(op.window, input, out_row, out_col, visit);
}

/// Calls visit(output index, input index of the largest value; the first of equal ones).
template <class Op, class T, class Visit>
void for_each_maximum(const Op& op, const NodeTensors<T>& t, Visit&& visit) {
  const T* const x = t.x[0];
  for_each_place(t.batch, t.shape,
                 [&](std::size_t n, std::size_t c, std::uint32_t row, std::uint32_t col) {
                   std::size_t best = 0;
                   bool is_first = true;
                   for_each_tap(op, t.input_shape(), row, col,
                                [&](std::size_t, std::size_t, std::size_t r, std::size_t k) {
                                  const std::size_t in = nchw(t.input_shape(), n, c, r, k);
                                  if (is_first || x[in] > x[best]) best = in;
                                  is_first = false;
                                });
                   visit(nchw(t.shape, n, c, row, col), best);
                 });
}

inline std::size_t full_window(const PoolOp& op) {
  return std::size_t{op.window.kernel.rows} * op.window.kernel.cols;
}
inline bool counts_padding(const PoolOp& op) {
  return op.counts_padding;
}
inline std::size_t full_window(const AdaptivePoolOp&) {
  return 0;
}
inline bool counts_padding(const AdaptivePoolOp&) {
  return false;
}

/// Calls visit(output index, input index, share of the input's value in the output's).
template <class Op, class T, class Visit>
void for_each_share(const Op& op, const NodeTensors<T>& t, Visit&& visit) {
  for_each_place(
      t.batch, t.shape, [&](std::size_t n, std::size_t c, std::uint32_t row, std::uint32_t col) {
        std::size_t count = 0;
        for_each_tap(op, t.input_shape(), row, col,
                     [&](std::size_t, std::size_t, std::size_t, std::size_t) { ++count; });
        if (counts_padding(op)) count = full_window(op);
        const std::size_t out = nchw(t.shape, n, c, row, col);
        for_each_tap(op, t.input_shape(), row, col,
                     [&](std::size_t, std::size_t, std::size_t r, std::size_t k) {
                       visit(out, nchw(t.input_shape(), n, c, r, k), T{1} / static_cast<T>(count));
                     });
      });
}

template <class Op, class T>
void pool_forward(const Op& op, const NodeTensors<T>& t) {
  if (op.kind == PoolKind::kMax) {
    for_each_maximum(op, t, [&](std::size_t out, std::size_t in) { t.y[out] = t.x[0][in]; });
    return;
  }
  std::fill_n(t.y, t.num_values(), T{0});
  for_each_share(op, t,
                 [&](std::size_t out, std::size_t in, T share) { t.y[out] += t.x[0][in] * share; });
}

template <class Op, class T>
void pool_backward(const Op& op, const NodeTensors<T>& t) {
  T* const dx = t.dx[0];
  if (dx == nullptr) return;
  if (op.kind == PoolKind::kMax) {
    for_each_maximum(op, t, [&](std::size_t out, std::size_t in) { dx[in] += t.dy[out]; });
    return;
  }
  for_each_share(op, t,
                 [&](std::size_t out, std::size_t in, T share) { dx[in] += t.dy[out] * share; });
}

template <class T>
void forward(const PoolOp& op, const NodeTensors<T>& t) {
  pool_forward(op, t);
}
template <class T>
void backward(const PoolOp& op, const NodeTensors<T>& t) {
  pool_backward(op, t);
}
template <class T>
void forward(const AdaptivePoolOp& op, const NodeTensors<T>& t) {
  pool_forward(op, t);
}
template <class T>
void backward(const AdaptivePoolOp& op, const NodeTensors<T>& t) {
  pool_backward(op, t);
}

}  // namespace penstock::train::reference
