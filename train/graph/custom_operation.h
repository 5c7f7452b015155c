// A user's own operation. It runs on the host in float32; backends elsewhere refuse it by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "train/graph/initializer.h"
#include "train/graph/tensor_shape.h"

namespace penstock::train {

/// A tensor of weights that an operation learns.
struct CustomParameter {
  /// Behind the layer's name and a dot: "weight". Letters, digits, _ and -; another one for each.
  std::string name;
  std::vector<std::uint32_t> shape;  // sides of 1 or more
  Initializer initial{};
  bool decays = false;
};

/// What one call sees. Tensors are [sample, channel, row, column], one behind the other.
struct CustomTensors {
  std::size_t batch = 0;
  std::span<const TensorShape> input_shapes;
  std::span<const float* const> inputs;
  std::span<const float* const> params;  // in the order of parameters()
  bool is_training = false;
};

/// One operation with its settings; the same object serves every copy of a graph.
///
/// Threads  calls of const functions may come from several threads at once
/// Bits     the same input must give the same output, or runs are not reproducible
class CustomOperation {
 public:
  virtual ~CustomOperation() = default;

  /// "mish"; letters, digits and _.
  virtual std::string name() const = 0;
  /// Settings on which the result depends, as text: part of the identity of a run.
  virtual std::string settings() const { return {}; }
  /// Returns the shape of the output. Throws InvalidArgument for inputs that do not fit.
  virtual TensorShape output_shape(std::span<const TensorShape> inputs) const = 0;
  virtual std::vector<CustomParameter> parameters(std::span<const TensorShape>) const { return {}; }
  /// Floating point operations of one sample forward, for the table of the model.
  virtual std::uint64_t forward_flops(std::span<const TensorShape> inputs) const = 0;

  virtual void forward(const CustomTensors& tensors, float* output) const = 0;
  /// Adds to the gradients by the inputs (null where none is needed) and by the parameters.
  virtual void backward(const CustomTensors& tensors, const float* output_gradient,
                        std::span<float* const> input_gradients,
                        std::span<float* const> param_gradients) const = 0;
};

}  // namespace penstock::train
