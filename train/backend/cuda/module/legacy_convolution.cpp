#include "train/backend/cuda/module/legacy_convolution.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "train/backend/cuda/module/cuda_status.h"

namespace penstock::train::cuda {
namespace {

using TensorDescriptor = UniqueHandle<cudnnTensorDescriptor_t, cudnnDestroyTensorDescriptor>;
using FilterDescriptor = UniqueHandle<cudnnFilterDescriptor_t, cudnnDestroyFilterDescriptor>;
using ConvolutionDescriptor =
    UniqueHandle<cudnnConvolutionDescriptor_t, cudnnDestroyConvolutionDescriptor>;

int as_int(std::uint32_t value) {
  return static_cast<int>(value);
}

cudnnDataType_t data_type(ValueType type) {
  switch (type) {
    case ValueType::kFloat16:
      return CUDNN_DATA_HALF;
    case ValueType::kBfloat16:
      return CUDNN_DATA_BFLOAT16;
    case ValueType::kFloat32:
      break;
  }
  return CUDNN_DATA_FLOAT;
}

TensorDescriptor nhwc_tensor(ValueType type, std::uint32_t n, std::uint32_t c, Extent sides) {
  cudnnTensorDescriptor_t made = nullptr;
  check(cudnnCreateTensorDescriptor(&made), "cudnnCreateTensorDescriptor");
  TensorDescriptor tensor(made);
  check(cudnnSetTensor4dDescriptor(made, CUDNN_TENSOR_NHWC, data_type(type), as_int(n), as_int(c),
                                   as_int(sides.rows), as_int(sides.cols)),
        "cudnnSetTensor4dDescriptor");
  return tensor;
}

// Of one problem; shared by candidates and plans.
struct Descriptors {
  TensorDescriptor x;
  TensorDescriptor y;
  TensorDescriptor bias;
  FilterDescriptor w;
  ConvolutionDescriptor convolution;
};

Descriptors describe(const ConvolutionProblem& p) {
  const Window& window = p.window;
  if (window.pad_top != window.pad_bottom || window.pad_left != window.pad_right) {
    throw DeviceFault(refusal(CUDNN_STATUS_NOT_SUPPORTED, "cudnnSetConvolution2dDescriptor",
                              "padding that differs from side to side"));
  }
  if (p.has_float32_result && p.type != ValueType::kFloat32) {
    throw DeviceFault(refusal(CUDNN_STATUS_NOT_SUPPORTED, "cudnnConvolutionBackwardFilter",
                              "a result of another type"));
  }
  Descriptors all{.x = nhwc_tensor(p.type, p.batch, p.in_channels, {p.height, p.width}),
                  .y = nhwc_tensor(p.type, p.batch, p.filters, p.output()),
                  .bias = nhwc_tensor(p.type, 1, p.filters, {1, 1}),
                  .w = nullptr,
                  .convolution = nullptr};
  cudnnFilterDescriptor_t w = nullptr;
  check(cudnnCreateFilterDescriptor(&w), "cudnnCreateFilterDescriptor");
  all.w.reset(w);
  check(cudnnSetFilter4dDescriptor(w, data_type(p.type), CUDNN_TENSOR_NHWC, as_int(p.filters),
                                   as_int(p.in_channels / p.groups), as_int(window.kernel.rows),
                                   as_int(window.kernel.cols)),
        "cudnnSetFilter4dDescriptor");
  cudnnConvolutionDescriptor_t convolution = nullptr;
  check(cudnnCreateConvolutionDescriptor(&convolution), "cudnnCreateConvolutionDescriptor");
  all.convolution.reset(convolution);
  check(cudnnSetConvolution2dDescriptor(
            convolution, as_int(window.pad_top), as_int(window.pad_left),
            as_int(window.stride.rows), as_int(window.stride.cols), as_int(window.dilation.rows),
            as_int(window.dilation.cols), CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
        "cudnnSetConvolution2dDescriptor");
  check(cudnnSetConvolutionGroupCount(convolution, as_int(p.groups)),
        "cudnnSetConvolutionGroupCount");
  // By default tensor cores take float32 as TF32.
  check(cudnnSetConvolutionMathType(convolution, p.type == ValueType::kFloat32 && !p.may_use_tf32
                                                     ? CUDNN_FMA_MATH
                                                     : CUDNN_DEFAULT_MATH),
        "cudnnSetConvolutionMathType");
  return all;
}

// An algorithm of one pass, in numbers that are the same for all three.
struct Algorithm {
  int number = 0;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
  std::size_t workspace_bytes = 0;
  bool is_deterministic = false;
};

constexpr int kMaxAlgorithms = 16;  // more than any pass has

template <class Perf>
std::vector<Algorithm> within_limits(const std::array<Perf, kMaxAlgorithms>& found, int count,
                                     const PlanLimits& limits) {
  std::vector<Algorithm> algorithms;
  for (int i = 0; i < count; ++i) {
    const Perf& perf = found[static_cast<std::size_t>(i)];
    const bool is_deterministic = perf.determinism == CUDNN_DETERMINISTIC;
    if (perf.status != CUDNN_STATUS_SUCCESS || perf.memory > limits.workspace_bytes) continue;
    if (limits.is_deterministic && !is_deterministic) continue;
    algorithms.push_back(
        {static_cast<int>(perf.algo), perf.mathType, perf.memory, is_deterministic});
  }
  return algorithms;
}

std::vector<Algorithm> find_algorithms(cudnnHandle_t cudnn, const ConvolutionProblem& p,
                                       const Descriptors& d, const PlanLimits& limits) {
  int count = 0;
  if (p.pass == ProductPass::kForward) {
    std::array<cudnnConvolutionFwdAlgoPerf_t, kMaxAlgorithms> found{};
    check(cudnnGetConvolutionForwardAlgorithm_v7(cudnn, d.x.get(), d.w.get(), d.convolution.get(),
                                                 d.y.get(), kMaxAlgorithms, &count, found.data()),
          "cudnnGetConvolutionForwardAlgorithm_v7");
    return within_limits(found, count, limits);
  }
  if (p.pass == ProductPass::kDataGradient) {
    std::array<cudnnConvolutionBwdDataAlgoPerf_t, kMaxAlgorithms> found{};
    check(cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnn, d.w.get(), d.y.get(),
                                                      d.convolution.get(), d.x.get(),
                                                      kMaxAlgorithms, &count, found.data()),
          "cudnnGetConvolutionBackwardDataAlgorithm_v7");
    return within_limits(found, count, limits);
  }
  std::array<cudnnConvolutionBwdFilterAlgoPerf_t, kMaxAlgorithms> found{};
  check(cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnn, d.x.get(), d.y.get(),
                                                      d.convolution.get(), d.w.get(),
                                                      kMaxAlgorithms, &count, found.data()),
        "cudnnGetConvolutionBackwardFilterAlgorithm_v7");
  return within_limits(found, count, limits);
}

class LegacyPlan final : public ProductPlan {
 public:
  LegacyPlan(ProductLibraries& libraries, const ConvolutionProblem& problem,
             const Algorithm& algorithm)
      : libraries_(libraries),
        problem_(problem),
        algorithm_(algorithm.number),
        descriptors_(describe(problem)) {
    check(cudnnSetConvolutionMathType(descriptors_.convolution.get(), algorithm.math),
          "cudnnSetConvolutionMathType");
    workspace_bytes = algorithm.workspace_bytes;
    is_deterministic = algorithm.is_deterministic;
  }

  DeviceStatus run(const ProductOperands& operands, void* workspace,
                   Stream stream) noexcept override {
    if (const DeviceStatus status = libraries_.use_stream(stream); !status.is_ok()) return status;
    const Descriptors& d = descriptors_;
    const cudnnHandle_t cudnn = libraries_.cudnn.get();
    switch (problem_.pass) {
      case ProductPass::kForward:
        break;
      case ProductPass::kDataGradient:
        return status_of(
            cudnnConvolutionBackwardData(
                cudnn, &kOne, d.w.get(), operands.w, d.y.get(), operands.dy, d.convolution.get(),
                static_cast<cudnnConvolutionBwdDataAlgo_t>(algorithm_), workspace, workspace_bytes,
                &kZero, d.x.get(), operands.result),
            "cudnnConvolutionBackwardData");
      case ProductPass::kWeightGradient:
        return status_of(
            cudnnConvolutionBackwardFilter(
                cudnn, &kOne, d.x.get(), operands.x, d.y.get(), operands.dy, d.convolution.get(),
                static_cast<cudnnConvolutionBwdFilterAlgo_t>(algorithm_), workspace,
                workspace_bytes, &kZero, d.w.get(), operands.result),
            "cudnnConvolutionBackwardFilter");
    }
    const DeviceStatus status =
        status_of(cudnnConvolutionForward(
                      cudnn, &kOne, d.x.get(), operands.x, d.w.get(), operands.w,
                      d.convolution.get(), static_cast<cudnnConvolutionFwdAlgo_t>(algorithm_),
                      workspace, workspace_bytes, &kZero, d.y.get(), operands.result),
                  "cudnnConvolutionForward");
    if (!status.is_ok() || !problem_.has_bias) return status;
    return status_of(cudnnAddTensor(cudnn, &kOne, d.bias.get(), operands.bias, &kOne, d.y.get(),
                                    operands.result),
                     "cudnnAddTensor");
  }

 private:
  static constexpr float kOne = 1.0f;
  static constexpr float kZero = 0.0f;

  ProductLibraries& libraries_;
  ConvolutionProblem problem_;
  int algorithm_;
  Descriptors descriptors_;
};

class LegacyCandidates final : public ProductCandidates {
 public:
  LegacyCandidates(ProductLibraries& libraries, const ConvolutionProblem& problem,
                   const PlanLimits& limits)
      : libraries_(libraries),
        problem_(problem),
        algorithms_(find_algorithms(libraries.cudnn.get(), problem, describe(problem), limits)) {
    if (algorithms_.empty()) {
      throw DeviceFault(refusal(CUDNN_STATUS_NOT_SUPPORTED, "cudnnGetConvolution...Algorithm_v7",
                                problem.key() + ": no algorithm keeps to the limits"));
    }
  }

  std::uint32_t count() const override { return static_cast<std::uint32_t>(algorithms_.size()); }

  std::unique_ptr<ProductPlan> make(std::uint32_t candidate_idx) override {
    const Algorithm& algorithm = algorithms_.at(candidate_idx);
    auto plan = std::make_unique<LegacyPlan>(libraries_, problem_, algorithm);
    plan->name = name_of(algorithm);
    plan->stored = stored_head(libraries_) + plan->name;
    return plan;
  }

  std::unique_ptr<ProductPlan> restore(const std::string& stored) override {
    const auto is_stored = [&](const Algorithm& algorithm) {
      return stored_head(libraries_) + name_of(algorithm) == stored;
    };
    const auto found = std::ranges::find_if(algorithms_, is_stored);
    if (found == algorithms_.end()) {
      throw DeviceFault(refusal(CUDNN_STATUS_NOT_SUPPORTED, "restore_plan",
                                "stored plan: expected one of this cuDNN and device (" +
                                    stored_head(libraries_) + "...), found: " + stored));
    }
    return make(static_cast<std::uint32_t>(found - algorithms_.begin()));
  }

 private:
  static std::string name_of(const Algorithm& algorithm) {
    return "legacy algorithm " + std::to_string(algorithm.number) + " math " +
           std::to_string(static_cast<int>(algorithm.math));
  }

  ProductLibraries& libraries_;
  ConvolutionProblem problem_;
  std::vector<Algorithm> algorithms_;
};

}  // namespace

std::unique_ptr<ProductCandidates> legacy_candidates(ProductLibraries& libraries,
                                                     const ConvolutionProblem& problem,
                                                     const PlanLimits& limits) {
  return std::make_unique<LegacyCandidates>(libraries, problem, limits);
}

}  // namespace penstock::train::cuda
