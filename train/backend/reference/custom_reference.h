// A user's operation, which computes in float32 whatever the storage is: double is copied.
#pragma once

#include <algorithm>
#include <span>
#include <type_traits>
#include <vector>

#include "train/backend/reference/node_tensors.h"
#include "train/graph/custom_operation.h"

namespace penstock::train::reference {

/// A user's view of a node: copies in float32.
template <class T>
class CustomCopies {
 public:
  explicit CustomCopies(const NodeTensors<T>& t, std::span<const std::size_t> param_sizes) : t_(t) {
    for (std::size_t k = 0; k < t.x.size(); ++k) {
      inputs_.push_back(copy(t.x[k], t.batch * t.input_shapes[k].num_elements()));
      input_places_.push_back(inputs_.back().data());
    }
    for (std::size_t k = 0; k < t.params.size(); ++k) {
      params_.push_back(copy(t.params[k], param_sizes[k]));
      param_places_.push_back(params_.back().data());
    }
  }

  CustomTensors tensors() const {
    return {t_.batch, t_.input_shapes, input_places_, param_places_, t_.is_training};
  }

 private:
  static std::vector<float> copy(const T* values, std::size_t count) {
    std::vector<float> copy(count);
    std::transform(values, values + count, copy.begin(),
                   [](T value) { return static_cast<float>(value); });
    return copy;
  }

  const NodeTensors<T>& t_;
  std::vector<std::vector<float>> inputs_;
  std::vector<std::vector<float>> params_;
  std::vector<const float*> input_places_;
  std::vector<const float*> param_places_;
};

/// Gradients that an operation adds to, and where they go.
template <class T>
class CustomGradients {
 public:
  void push(T* to, std::size_t count) {
    to_.push_back(to);
    values_.emplace_back(to == nullptr ? 0 : count, 0.0f);
    places_.push_back(to == nullptr ? nullptr : values_.back().data());
  }
  std::span<float* const> places() const { return places_; }
  void add() const {
    for (std::size_t k = 0; k < to_.size(); ++k) {
      for (std::size_t i = 0; i < values_[k].size(); ++i)
        to_[k][i] += static_cast<T>(values_[k][i]);
    }
  }

 private:
  std::vector<T*> to_;
  std::vector<std::vector<float>> values_;
  std::vector<float*> places_;
};

template <class T>
std::vector<std::size_t> param_sizes_of(const CustomOp& op, const NodeTensors<T>& t) {
  std::vector<std::size_t> sizes;
  for (const CustomParameter& param : op.operation->parameters(t.input_shapes)) {
    std::size_t size = 1;
    for (const std::uint32_t side : param.shape) size *= side;
    sizes.push_back(size);
  }
  return sizes;
}

/// What is kept in float32 is shown where it lies.
inline CustomTensors places_of(const NodeTensors<float>& t) {
  return {t.batch, t.input_shapes, t.x, t.params, t.is_training};
}

template <class T>
void forward(const CustomOp& op, const NodeTensors<T>& t) {
  if constexpr (std::is_same_v<T, float>) {
    op.operation->forward(places_of(t), t.y);
  } else {
    const CustomCopies<T> copies(t, param_sizes_of(op, t));
    std::vector<float> y(t.num_values());
    op.operation->forward(copies.tensors(), y.data());
    std::ranges::copy(y, t.y);
  }
}

template <class T>
void backward(const CustomOp& op, const NodeTensors<T>& t) {
  if constexpr (std::is_same_v<T, float>) {
    op.operation->backward(places_of(t), t.dy, t.dx, t.dparams);
  } else {
    const std::vector<std::size_t> sizes = param_sizes_of(op, t);
    const CustomCopies<T> copies(t, sizes);
    std::vector<float> dy(t.num_values());
    std::transform(t.dy, t.dy + dy.size(), dy.begin(), [](T v) { return static_cast<float>(v); });
    CustomGradients<T> dx;
    for (std::size_t k = 0; k < t.dx.size(); ++k) {
      dx.push(t.dx[k], t.batch * t.input_shapes[k].num_elements());
    }
    CustomGradients<T> dparams;
    for (std::size_t k = 0; k < sizes.size(); ++k) dparams.push(t.dparams[k], sizes[k]);
    op.operation->backward(copies.tensors(), dy.data(), dx.places(), dparams.places());
    dx.add();
    dparams.add();
  }
}

}  // namespace penstock::train::reference
