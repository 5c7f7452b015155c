// What a builder of graphs asks of a layer.
#pragma once

#include <cstdint>
#include <optional>

#include "train/graph/initializer.h"
#include "train/graph/tensor_shape.h"

namespace penstock::train {

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
  /// Distance between the places of the window, each at least 1.
  Extent dilation{1, 1};
  /// Divides input channels and filters; as many as there are channels: depthwise.
  std::uint32_t groups = 1;
  bool has_bias = true;
  WeightInit init{.rule = InitRule::kHeNormal};
};

struct DenseOptions {
  /// Outputs, at least 1.
  std::uint32_t units = 0;
  bool has_bias = true;
  WeightInit init{.rule = InitRule::kLecunNormal};
};

struct BatchNormOptions {
  /// Added to the variance under the root, above 0.
  double epsilon = 1e-5;
  /// Share of the batch in the running statistics, 0 to 1 (PyTorch's momentum, 1 - Keras's).
  double momentum = 0.1;
  /// Every channel's scale before the first step; 0 in the last norm of a residual block lets the block
  /// begin as nothing (Goyal et al. 2017, 5.1).
  double initial_scale = 1.0;
};

struct GroupNormOptions {
  /// Divides the channels.
  std::uint32_t groups = 32;
  double epsilon = 1e-5;
};

struct LayerNormOptions {
  double epsilon = 1e-5;
};

struct PoolOptions {
  Extent window{2, 2};
  /// {0, 0} stands for the window.
  Extent stride{0, 0};
  PaddingRule padding = PaddingRule::kValid;
  Extent pad{0, 0};
  /// Of an average: empty counts the padding where it is explicit (PyTorch), and not where it is `same`
  /// (Keras).
  std::optional<bool> counts_padding{};
};

}  // namespace penstock::train
