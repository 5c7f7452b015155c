// What the plain loops of one node see: tensors NCHW, of one type.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "train/backend/program.h"
#include "train/graph/model_graph.h"

namespace penstock::train::reference {

/// Backward loops add to `dx` and `dparams`, which somebody else has set to 0: several nodes may read one
/// tensor, and several batches may share one gradient.
template <class T>
struct NodeTensors {
  std::size_t batch = 0;
  NodeId node = 0;
  bool is_training = false;
  /// The node's norms take running statistics in training, too.
  bool has_fixed_norm = false;
  /// Values that are computed a second time: running statistics have moved already.
  bool is_again = false;
  StepScalars scalars{};
  TensorShape shape{};
  std::vector<TensorShape> input_shapes{};
  std::vector<const T*> x{};  // by input
  T* y = nullptr;
  const T* dy = nullptr;
  std::vector<T*> dx{};       // by input; null where nobody needs it
  std::vector<T*> params{};   // in the order of ModelGraph::parameters_of()
  std::vector<T*> dparams{};  // likewise; null for statistics, in evaluation and where frozen

  std::size_t num_values() const { return batch * shape.num_elements(); }
  const TensorShape& input_shape() const { return input_shapes.front(); }
  bool uses_batch_statistics() const { return is_training && !has_fixed_norm; }
};

/// Index of (sample, channel, row, column) in an NCHW tensor.
inline std::size_t nchw(const TensorShape& shape, std::size_t n, std::size_t c, std::size_t row,
                        std::size_t col) {
  return ((n * shape.channels + c) * shape.height + row) * shape.width + col;
}

/// Calls visit(sample, channel, row, column) for every value of a batch.
template <class Visit>
void for_each_place(std::size_t batch, const TensorShape& shape, Visit&& visit) {
  for (std::size_t n = 0; n < batch; ++n) {
    for (std::size_t c = 0; c < shape.channels; ++c) {
      for (std::uint32_t row = 0; row < shape.height; ++row) {
        for (std::uint32_t col = 0; col < shape.width; ++col) visit(n, c, row, col);
      }
    }
  }
}

}  // namespace penstock::train::reference
