// The one door to the oneDNN library: prepared operations over opaque weight layouts. Activations are NHWC,
// in the type that an operation's sizes name; biases and the gradients of weights are float32 with every
// type. Knows nothing of graphs or programs; a library version more is a file more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "train/backend/compute_type.h"
#include "train/graph/operations.h"

namespace penstock::train::onednn {

/// How the library keeps one tensor of weights: order, type, and padding included.
class WeightLayout {
 public:
  struct Impl;
  WeightLayout() = default;
  explicit WeightLayout(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  explicit operator bool() const noexcept { return impl_ != nullptr; }
  const Impl& impl() const noexcept { return *impl_; }
  std::size_t bytes() const;
  friend bool operator==(const WeightLayout& a, const WeightLayout& b);

 private:
  std::shared_ptr<const Impl> impl_;  // shared, immutable
};

/// Tensors that an operation reads or writes.
enum class Arg : std::uint8_t {
  kSrc,
  kDst,
  kWeights,
  kBias,
  kDiffSrc,
  kDiffDst,
  kDiffWeights,
  kDiffBias,
  kWorkspace,
  kScratchpad
};

/// One primitive built once, with its arguments; run() allocates nothing of ours.
class PreparedOp {
 public:
  struct Impl;
  PreparedOp();
  explicit PreparedOp(std::unique_ptr<Impl> impl);
  PreparedOp(PreparedOp&&) noexcept;
  PreparedOp& operator=(PreparedOp&&) noexcept;
  ~PreparedOp();

  /// Says where an argument lies.
  void set(Arg arg, void* memory);
  void run() const;
  std::size_t scratchpad_bytes() const;
  std::size_t workspace_bytes() const;
  /// Size of an argument; 0 for one that it does not take.
  std::size_t bytes(Arg arg) const;
  /// The library's name for the implementation it chose.
  const std::string& implementation() const;

 private:
  std::unique_ptr<Impl> impl_;
};

/// A convolution, or a dense layer (window ignored, flat shapes).
struct WeightedSizes {
  std::uint32_t batch = 1;
  TensorShape input{};
  TensorShape output{};
  Window window{};
  std::uint32_t groups = 1;
  bool has_bias = false;
  bool is_dense = false;
  /// Lets the library choose the layout of the activations, too.
  bool has_any_layout = false;
  ComputeType compute = ComputeType::kFloat32;  // activations, their gradients, and weights
  bool has_float_output = false;                // going forward, whatever `compute` is
};

struct PoolingSizes {
  std::uint32_t batch = 1;
  TensorShape input{};
  TensorShape output{};
  Window window{};
  PoolKind kind = PoolKind::kMax;
  bool counts_padding = false;
  ComputeType compute = ComputeType::kFloat32;
};

/// An engine and an in-order stream of the library.
class OneDnn {
 public:
  OneDnn();
  ~OneDnn();
  OneDnn(const OneDnn&) = delete;
  OneDnn& operator=(const OneDnn&) = delete;

  /// Each takes the layout of the weights to keep to, or an empty one for the library's choice,
  /// which it then fills in.
  PreparedOp forward(const WeightedSizes& sizes, bool is_training, WeightLayout& layout) const;
  PreparedOp backward_data(const WeightedSizes& sizes, WeightLayout& layout) const;
  PreparedOp backward_weights(const WeightedSizes& sizes, WeightLayout& layout) const;

  PreparedOp pool_forward(const PoolingSizes& sizes, bool is_training) const;
  PreparedOp pool_backward(const PoolingSizes& sizes) const;

  /// OIHW, or [outputs, inputs] for a dense layer, in float32.
  WeightLayout canonical_layout(const WeightedSizes& sizes) const;
  /// [rows, columns, channels] of a convolution with one filter for each channel, in float32.
  WeightLayout depthwise_layout(const WeightedSizes& sizes) const;
  /// Reorders kSrc into kDst, between types too: rounded to the nearest, halves to even.
  PreparedOp reorder(const WeightLayout& from, const WeightLayout& to) const;

  /// Whether this machine, and the instruction set that the library may use of it, can compute so.
  bool computes_in(ComputeType compute) const;

  /// The widest that the library uses here: what the processor has, unless ONEDNN_MAX_CPU_ISA limits it.
  static std::string instruction_set();
  /// Whether the processor, and the instruction set that the library may use of it, multiplies bfloat16.
  /// Where it does not, the library may compute in bfloat16 all the same, slowly.
  static bool multiplies_bfloat16();

  /// Version and instruction set.
  static std::string description();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::train::onednn
