// What libraries compute of a network: convolutions (cuDNN) and dense products (cuBLASLt), each as a plan that was
// chosen among candidates. The contract between the program and its CUDA module: plain values, functions that
// throw nothing. Includes no CUDA header.
//
//     open_product_libraries -> find_candidates -> make_plan (each, timed) -> plan_facts().stored  kept for later
//                                               -> restore_plan(stored)    -> run_plan, step after step
//
// Texts of a DeviceStatus from here hold until the thread's next call that fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "train/backend/cuda/device_status.h"
#include "train/backend/cuda/kernels/value_type.h"
#include "train/graph/tensor_shape.h"

namespace penstock::train::cuda {

enum class ProductPass : std::uint8_t {
  kForward,         // y of x and w (and bias)
  kDataGradient,    // dx of dy and w
  kWeightGradient,  // dw of dy and x
};

/// A convolution (cross-correlation, as networks mean it), or one of its gradients. Sums in float32. What lies beside
/// it in a network may be computed with it; few libraries have that, and for few problems.
///
/// Shapes  x: [batch, height, width, in_channels]; w: [filters, kernel rows, kernel cols, in_channels / groups];
///         y: [batch, output rows, output cols, filters]; bias: [filters]; scale, shift: [in_channels];
///         sums: [2, filters]
struct ConvolutionProblem {
  ProductPass pass = ProductPass::kForward;
  ValueType type = ValueType::kFloat32;  // of everything, bias, scale and shift too
  bool may_use_tf32 = false;             // heeded with float32
  bool has_bias = false;                 // forward only
  bool has_float32_result = false;       // gradient by weights only
  /// In place of x stands relu(scale * x + shift), by channel. Not for gradients by data.
  bool has_norm_relu = false;
  /// Forward only: also the sums of y and of y * y, by channel, in float32.
  bool has_statistics = false;
  std::uint32_t batch = 0;
  std::uint32_t in_channels = 0;
  std::uint32_t height = 0;
  std::uint32_t width = 0;
  std::uint32_t filters = 0;
  std::uint32_t groups = 1;
  Window window{};

  /// Rows and columns of y; 0 where the window does not fit.
  Extent output() const noexcept;
  /// Whether it is more than a convolution.
  bool is_fused() const noexcept { return has_norm_relu || has_statistics; }
  /// The convolution without what is computed beside it.
  ConvolutionProblem alone() const noexcept;
  /// One for each problem: "conv forward f16 32x56x56x64 k64 g1 w3x3 s1x1 d1x1 p1.1.1.1".
  std::string key() const;
  friend bool operator==(const ConvolutionProblem&, const ConvolutionProblem&) = default;
};

/// y = x w^T + bias, or one of its gradients: dx = dy w, dw = dy^T x. Sums in float32.
///
/// Shapes  x: [rows, inputs]; w: [units, inputs]; y: [rows, units]; bias: [units], of the result's type
struct DenseProblem {
  ProductPass pass = ProductPass::kForward;
  ValueType type = ValueType::kFloat32;  // of what is read
  bool may_use_tf32 = false;             // heeded with float32
  bool has_bias = false;                 // forward only
  bool has_float32_result = false;
  std::uint32_t rows = 0;
  std::uint32_t inputs = 0;
  std::uint32_t units = 0;

  std::string key() const;  // "dense forward f16 32x512 u1000 bias"
  friend bool operator==(const DenseProblem&, const DenseProblem&) = default;
};

/// What plans may need.
struct PlanLimits {
  std::size_t workspace_bytes = std::size_t{256} << 20;
  /// True: the same bits every time.
  bool is_deterministic = true;
  /// Whether candidates may be timed where plans need not be deterministic; the heuristics decide otherwise.
  bool runs_trials = true;
};

/// A device that is not here, for asking what plans it would have.
struct DeviceFacts {
  std::uint32_t compute_capability = 0;  // 90 for 9.0
  std::uint32_t num_multiprocessors = 0;
  std::uint32_t max_threads_per_multiprocessor = 0;
  std::uint32_t shared_bytes_per_multiprocessor = 0;
  std::uint32_t shared_bytes_per_block = 0;  // at most, when a kernel asks for it
  std::uint64_t memory_bytes = 0;
  std::uint64_t l2_bytes = 0;
};

/// Handles of the libraries on one device.
///
/// Threads  one at a time, with all that was made of it
struct ProductLibraries;
/// Ways to compute one problem, the one that should be fastest first.
struct ProductCandidates;
/// One way, ready to run. Outlives its candidates, not its libraries.
struct ProductPlan;

/// Opens the libraries on the current device.
DeviceStatus open_product_libraries(ProductLibraries** libraries) noexcept;
/// For a device that is not here: convolutions have candidates and plans that cannot run; what only a device can
/// tell is refused. Needs cuDNN 9.8.
DeviceStatus describe_product_libraries(const DeviceFacts& device,
                                        ProductLibraries** libraries) noexcept;
void close_product_libraries(ProductLibraries* libraries) noexcept;

/// Finds at least one candidate, or says why there is none. Where cuDNN's graphs have none, its older calls are
/// asked: their plans are named "legacy ...". Fused problems have no older calls: a refusal says that there is none.
DeviceStatus find_candidates(ProductLibraries& libraries, const ConvolutionProblem& problem,
                             const PlanLimits& limits, ProductCandidates** candidates) noexcept;
DeviceStatus find_candidates(ProductLibraries& libraries, const DenseProblem& problem,
                             const PlanLimits& limits, ProductCandidates** candidates) noexcept;
std::uint32_t num_candidates(const ProductCandidates& candidates) noexcept;
/// Whether cuDNN compiles a kernel for it when the plan is made: half a second, and the device must be here.
bool is_compiled_for(const ProductCandidates& candidates, std::uint32_t candidate_idx) noexcept;
void close_candidates(ProductCandidates* candidates) noexcept;

/// Some candidates turn out not to work: an error of one is no reason not to try the next.
/// Cost  milliseconds; about half a second where cuDNN compiles a kernel
DeviceStatus make_plan(ProductCandidates& candidates, std::uint32_t candidate_idx,
                       ProductPlan** plan) noexcept;
/// The plan that plan_facts().stored was of. Refused when the library is of another version: its plans may differ.
DeviceStatus restore_plan(ProductCandidates& candidates, const char* stored,
                          ProductPlan** plan) noexcept;
void destroy_plan(ProductPlan* plan) noexcept;

/// Texts live as long as the plan.
struct PlanFacts {
  const char* name = "";    // engine and knobs: "eng35_k2=0_k24=7"
  const char* stored = "";  // one line, for restore_plan
  std::size_t workspace_bytes = 0;
  bool is_deterministic = false;
};
PlanFacts plan_facts(const ProductPlan& plan) noexcept;

/// Device memory, aligned to 16 bytes; fused problems whose channels do not keep to that are refused. Those that the
/// pass reads; the rest is ignored.
struct ProductOperands {
  const void* x = nullptr;
  const void* w = nullptr;
  const void* dy = nullptr;
  const void* bias = nullptr;
  const void* scale = nullptr;
  const void* shift = nullptr;
  void* result = nullptr;  // overlaps nothing that is read
  float* sums = nullptr;

  friend bool operator==(const ProductOperands&, const ProductOperands&) = default;
};

/// Of the workspace that a plan is given.
inline constexpr std::size_t kWorkspaceAlignment = 256;

/// Enqueues the product. Waits for nothing and allocates no device memory; nothing at all when operands and
/// workspace are those of the run before. May be captured into a graph.
///
/// Shapes  workspace: [plan_facts().workspace_bytes], aligned to kWorkspaceAlignment
DeviceStatus run_plan(ProductPlan& plan, const ProductOperands& operands, void* workspace,
                      Stream stream) noexcept;

}  // namespace penstock::train::cuda
