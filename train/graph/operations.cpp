#include "train/graph/operations.h"

#include <array>
#include <string>

#include "train/graph/custom_operation.h"

namespace penstock::train {
namespace {

// In the order of ActivationKind.
constexpr std::array<std::string_view, 8> kActivationNames{
    "relu", "relu6", "leaky_relu", "silu", "hard_swish", "hard_sigmoid", "sigmoid", "gelu"};

struct OperationName {
  std::string_view operator()(const InputOp&) const { return "input"; }
  std::string_view operator()(const Conv2dOp&) const { return "conv2d"; }
  std::string_view operator()(const DenseOp&) const { return "dense"; }
  std::string_view operator()(const BatchNormOp&) const { return "batch_norm"; }
  std::string_view operator()(const GroupNormOp&) const { return "group_norm"; }
  std::string_view operator()(const LayerNormOp&) const { return "layer_norm"; }
  std::string_view operator()(const ActivationOp& op) const { return activation_name(op.kind); }
  std::string_view operator()(const SoftmaxOp&) const { return "softmax"; }
  std::string_view operator()(const PoolOp& op) const {
    return op.kind == PoolKind::kMax ? "max_pool" : "avg_pool";
  }
  std::string_view operator()(const AdaptivePoolOp& op) const {
    const bool is_global = op.output == Extent{1, 1};
    if (op.kind == PoolKind::kMax) return is_global ? "global_max_pool" : "adaptive_max_pool";
    return is_global ? "global_avg_pool" : "adaptive_avg_pool";
  }
  std::string_view operator()(const FlattenOp&) const { return "flatten"; }
  std::string_view operator()(const DropoutOp& op) const {
    return op.drops_samples ? "drop_samples" : "dropout";
  }
  std::string_view operator()(const ChannelScaleOp&) const { return "channel_scale"; }
  std::string_view operator()(const AddOp&) const { return "add"; }
  std::string_view operator()(const MultiplyOp&) const { return "multiply"; }
  std::string_view operator()(const ConcatOp&) const { return "concat"; }
  std::string_view operator()(const CustomOp&) const { return "custom"; }
};

}  // namespace

std::string TensorShape::text() const {
  std::string text = "[" + std::to_string(channels);
  if (!is_flat()) text += ", " + std::to_string(height) + ", " + std::to_string(width);
  return text + "]";
}

bool has_weight_matrix(const Operation& op) noexcept {
  return std::holds_alternative<Conv2dOp>(op) || std::holds_alternative<DenseOp>(op);
}

std::string_view activation_name(ActivationKind kind) {
  return kActivationNames.at(static_cast<std::size_t>(kind));
}

std::span<const std::string_view> activation_names() {
  return kActivationNames;
}

std::string_view operation_name(const Operation& op) {
  return std::visit(OperationName{}, op);
}

}  // namespace penstock::train
