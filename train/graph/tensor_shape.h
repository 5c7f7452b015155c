// Shapes of tensors and of the windows that slide over them, as plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace penstock::train {

/// Shape of one sample's tensor; a flat vector of n values is {n, 1, 1}.
struct TensorShape {
  std::uint32_t channels = 0;
  std::uint32_t height = 1;
  std::uint32_t width = 1;

  std::size_t num_elements() const noexcept { return std::size_t{channels} * height * width; }
  std::size_t area() const noexcept { return std::size_t{height} * width; }
  bool is_flat() const noexcept { return height == 1 && width == 1; }
  /// "[3, 96, 96]", or "[10]" when flat.
  std::string text() const;
  friend bool operator==(const TensorShape&, const TensorShape&) = default;
};

/// Rows and columns of a window or a step.
struct Extent {
  std::uint32_t rows = 1;
  std::uint32_t cols = 1;
  friend bool operator==(const Extent&, const Extent&) = default;
};

enum class PaddingRule : std::uint8_t {
  kValid,          // none
  kSame,           // output = ceil(input / stride), the odd row and column below and right (Keras)
  kSameSymmetric,  // dilation * (kernel - 1) / 2 on every side, rounded down (torchvision's blocks)
  kExplicit,       // `pad` rows above and below, columns left and right (PyTorch)
};

/// Window, step and the padding that a rule came to for the input's size.
struct Window {
  Extent kernel{};
  Extent stride{};
  std::uint32_t pad_top = 0;
  std::uint32_t pad_left = 0;
  std::uint32_t pad_bottom = 0;
  std::uint32_t pad_right = 0;
  /// Distance of two places of the window that are neighbours in the weights; 1: no gaps.
  Extent dilation{};

  bool has_padding() const noexcept {
    return pad_top != 0 || pad_left != 0 || pad_bottom != 0 || pad_right != 0;
  }
  friend bool operator==(const Window&, const Window&) = default;
};

}  // namespace penstock::train
