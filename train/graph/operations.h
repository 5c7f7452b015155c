// The operations of a model graph as plain values. What they compute is in train/backend.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace penstock::train {

/// Shape of one sample's tensor; a flat vector of n values is {n, 1, 1}.
struct TensorShape {
  std::uint32_t channels = 0;
  std::uint32_t height = 1;
  std::uint32_t width = 1;

  std::size_t num_elements() const noexcept { return std::size_t{channels} * height * width; }
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
  kValid,     // none
  kSame,      // output = ceil(input / stride), the odd row and column below and right (Keras)
  kExplicit,  // `pad` rows above and below, columns left and right (PyTorch)
};

struct Conv2dOptions {
  /// Output channels, at least 1.
  std::uint32_t filters = 0;
  /// Window in pixels, each side at least 1.
  Extent kernel{3, 3};
  /// Step in pixels, each at least 1.
  Extent stride{1, 1};
  PaddingRule padding = PaddingRule::kSame;
  /// Rows and columns on each side with PaddingRule::kExplicit, else ignored.
  Extent pad{0, 0};
  bool has_bias = true;
};

struct BatchNormOptions {
  /// Added to the variance under the root, above 0.
  double epsilon = 1e-5;
  /// Share of the batch in the running statistics, 0 to 1 (PyTorch's momentum, 1 - Keras's).
  double momentum = 0.1;
};

struct MaxPoolOptions {
  Extent window{2, 2};
  /// {0, 0} stands for the window.
  Extent stride{0, 0};
  PaddingRule padding = PaddingRule::kValid;
  Extent pad{0, 0};
};

struct DenseOptions {
  /// Outputs, at least 1.
  std::uint32_t units = 0;
  bool has_bias = true;
};

/// Window, step and the padding that a rule came to for the input's size.
struct Window {
  Extent kernel;
  Extent stride;
  std::uint32_t pad_top = 0;
  std::uint32_t pad_left = 0;
  std::uint32_t pad_bottom = 0;
  std::uint32_t pad_right = 0;
};

struct InputOp {};
struct Conv2dOp {
  Window window;
  std::uint32_t filters = 0;
  bool has_bias = true;
};
struct BatchNormOp {
  double epsilon = 1e-5;
  double momentum = 0.1;
};
struct ReluOp {};
struct MaxPoolOp {
  Window window;  // padding counts as minus infinity
};
struct GlobalAvgPoolOp {};
struct FlattenOp {};
struct DenseOp {
  std::uint32_t units = 0;
  bool has_bias = true;
};
struct DropoutOp {
  double rate = 0;  // chance that a value becomes 0; the others are divided by 1 - rate
};

using Operation = std::variant<InputOp, Conv2dOp, BatchNormOp, ReluOp, MaxPoolOp, GlobalAvgPoolOp,
                               FlattenOp, DenseOp, DropoutOp>;

/// The operation's name in model files: "conv2d".
std::string_view operation_name(const Operation& op);

/// All names that operation_name() returns, the input's included, in the order of the variant.
inline constexpr std::array<std::string_view, std::variant_size_v<Operation>> kOperationNames{
    "input",           "conv2d",  "batch_norm", "relu",   "max_pool",
    "global_avg_pool", "flatten", "dense",      "dropout"};

}  // namespace penstock::train
