// The operations of a model graph as plain values. What they compute is in train/backend.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <variant>

#include "train/graph/tensor_shape.h"

namespace penstock::train {

class CustomOperation;

struct InputOp {};

struct Conv2dOp {
  Window window;
  std::uint32_t filters = 0;
  std::uint32_t groups = 1;  // groups see their own share of the channels; all of them: depthwise
  bool has_bias = true;
};

struct DenseOp {
  std::uint32_t units = 0;
  bool has_bias = true;
};

/// Over the batch and all places, channel by channel.
struct BatchNormOp {
  double epsilon = 1e-5;
  double momentum = 0.1;
};

/// Over all places of the channels of one group, sample by sample.
struct GroupNormOp {
  std::uint32_t groups = 1;
  double epsilon = 1e-5;
};

/// Over the channels, place by place; of a flat vector over all of it.
struct LayerNormOp {
  double epsilon = 1e-5;
};

enum class ActivationKind : std::uint8_t {
  kRelu,         // max(x, 0)
  kRelu6,        // min(max(x, 0), 6)
  kLeakyRelu,    // x, or slope * x below 0
  kSilu,         // x * sigmoid(x)
  kHardSwish,    // x * hard_sigmoid(x)
  kHardSigmoid,  // min(max(x + 3, 0), 6) / 6
  kSigmoid,      // 1 / (1 + exp(-x))
  kGelu,         // x * (1 + erf(x / sqrt(2))) / 2
};

struct ActivationOp {
  ActivationKind kind = ActivationKind::kRelu;
  double slope = 0.01;  // of kLeakyRelu below 0, else ignored
};

/// Over the channels, place by place.
struct SoftmaxOp {};

enum class PoolKind : std::uint8_t { kMax, kAverage };

struct PoolOp {
  PoolKind kind = PoolKind::kMax;
  Window window;
  /// An average's denominator counts places of the padding (PyTorch), or not (Keras). The padding of a
  /// maximum is minus infinity.
  bool counts_padding = false;
};

/// Windows from floor(i * input / output) to ceil((i + 1) * input / output), as in PyTorch; 1 x 1 is global.
struct AdaptivePoolOp {
  PoolKind kind = PoolKind::kAverage;
  Extent output{};
};

struct FlattenOp {};

struct DropoutOp {
  double rate = 0;  // chance that a value becomes 0; the others are divided by 1 - rate
  /// One draw for a whole sample: stochastic depth (Huang et al. 2016).
  bool drops_samples = false;
};

/// One factor for each channel, learned: ConvNeXt's layer scale.
struct ChannelScaleOp {};

/// Sum of two or more inputs of one shape.
struct AddOp {};

/// Product of two inputs of one shape, or of a tensor and one value for each of its channels, which comes
/// second (squeeze-and-excite).
struct MultiplyOp {};

/// Channels of two or more inputs of one size, one behind the other.
struct ConcatOp {};

/// A user's own, on the host.
struct CustomOp {
  std::shared_ptr<const CustomOperation> operation;  // shared by the graph's copies; never null
};

using Operation = std::variant<InputOp, Conv2dOp, DenseOp, BatchNormOp, GroupNormOp, LayerNormOp,
                               ActivationOp, SoftmaxOp, PoolOp, AdaptivePoolOp, FlattenOp,
                               DropoutOp, ChannelScaleOp, AddOp, MultiplyOp, ConcatOp, CustomOp>;

/// Whether it multiplies by a matrix of weights, its first parameter.
bool has_weight_matrix(const Operation& op) noexcept;

/// "relu6", as model files name it.
std::string_view activation_name(ActivationKind kind);
/// All of them, in the order of ActivationKind.
std::span<const std::string_view> activation_names();

/// The operation's name in model files: "conv2d", "global_avg_pool".
std::string_view operation_name(const Operation& op);

}  // namespace penstock::train
