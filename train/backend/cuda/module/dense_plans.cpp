// cuBLASLt counts matrices by columns. A row-major [rows, cols] is its [cols, rows] with leading dimension cols, so
// the transposed product is asked for, operands swapped:
//
//     y  = x w^T    y^T  = w x^T      A = w [inputs, units], transposed    B = x [inputs, rows]
//     dx = dy w     dx^T = w^T dy^T   A = w [inputs, units]                B = dy [units, rows]
//     dw = dy^T x   dw^T = x^T dy     A = x [inputs, rows]                 B = dy [units, rows], transposed
#include "train/backend/cuda/module/dense_plans.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "train/backend/cuda/module/cuda_status.h"

namespace penstock::train::cuda {
namespace {

using MatmulDesc = UniqueHandle<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using MatrixLayout = UniqueHandle<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using MatmulPreference = UniqueHandle<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

cudaDataType_t data_type(ValueType type) {
  switch (type) {
    case ValueType::kFloat16:
      return CUDA_R_16F;
    case ValueType::kBfloat16:
      return CUDA_R_16BF;
    case ValueType::kFloat32:
      break;
  }
  return CUDA_R_32F;
}

cudaDataType_t result_type(const DenseProblem& p) {
  return p.has_float32_result ? CUDA_R_32F : data_type(p.type);
}

MatrixLayout layout(cudaDataType_t type, std::uint32_t rows, std::uint32_t cols) {
  cublasLtMatrixLayout_t made = nullptr;
  check(cublasLtMatrixLayoutCreate(&made, type, rows, cols, rows), "cublasLtMatrixLayoutCreate");
  return MatrixLayout(made);
}

template <class Value>
void set(const MatmulDesc& product, cublasLtMatmulDescAttributes_t attribute, const Value& value) {
  check(cublasLtMatmulDescSetAttribute(product.get(), attribute, &value, sizeof(value)),
        "cublasLtMatmulDescSetAttribute");
}

template <class Value>
void set(const MatmulPreference& preference, cublasLtMatmulPreferenceAttributes_t attribute,
         const Value& value) {
  check(cublasLtMatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof(value)),
        "cublasLtMatmulPreferenceSetAttribute");
}

// Of one problem; shared by candidates and plans.
struct Descriptors {
  MatmulDesc product;
  MatrixLayout a;
  MatrixLayout b;
  MatrixLayout result;
};

Descriptors describe(const DenseProblem& p) {
  cublasLtMatmulDesc_t product = nullptr;
  const bool is_tf32 = p.type == ValueType::kFloat32 && p.may_use_tf32;
  check(cublasLtMatmulDescCreate(
            &product, is_tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
        "cublasLtMatmulDescCreate");
  Descriptors d{.product = MatmulDesc(product), .a = nullptr, .b = nullptr, .result = nullptr};
  const cudaDataType_t type = data_type(p.type);
  const cublasOperation_t transposed = CUBLAS_OP_T;
  switch (p.pass) {
    case ProductPass::kForward:
      set(d.product, CUBLASLT_MATMUL_DESC_TRANSA, transposed);
      d.a = layout(type, p.inputs, p.units);
      d.b = layout(type, p.inputs, p.rows);
      d.result = layout(result_type(p), p.units, p.rows);
      break;
    case ProductPass::kDataGradient:
      d.a = layout(type, p.inputs, p.units);
      d.b = layout(type, p.units, p.rows);
      d.result = layout(result_type(p), p.inputs, p.rows);
      break;
    case ProductPass::kWeightGradient:
      set(d.product, CUBLASLT_MATMUL_DESC_TRANSB, transposed);
      d.a = layout(type, p.inputs, p.rows);
      d.b = layout(type, p.units, p.rows);
      d.result = layout(result_type(p), p.inputs, p.units);
      break;
  }
  if (p.has_bias) {
    set(d.product, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    set(d.product, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, result_type(p));
  }
  return d;
}

// Parts of a split sum are added up in float32, in an order of their own.
constexpr std::uint32_t kExactReductions =
    CUBLASLT_REDUCTION_SCHEME_NONE | CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
constexpr std::uint32_t kAlignmentBytes = 16;
constexpr int kMaxCandidates = 8;

std::vector<cublasLtMatmulHeuristicResult_t> find_algorithms(const ProductLibraries& libraries,
                                                             const DenseProblem& problem,
                                                             const PlanLimits& limits) {
  const Descriptors d = describe(problem);
  cublasLtMatmulPreference_t made = nullptr;
  check(cublasLtMatmulPreferenceCreate(&made), "cublasLtMatmulPreferenceCreate");
  const MatmulPreference preference(made);
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
      static_cast<std::uint64_t>(limits.workspace_bytes));
  set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, kExactReductions);
  for (const auto alignment :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    set(preference, alignment, kAlignmentBytes);
  }
  std::vector<cublasLtMatmulHeuristicResult_t> found(kMaxCandidates);
  int count = 0;
  check(cublasLtMatmulAlgoGetHeuristic(libraries.cublaslt.get(), d.product.get(), d.a.get(),
                                       d.b.get(), d.result.get(), d.result.get(), preference.get(),
                                       kMaxCandidates, found.data(), &count),
        "cublasLtMatmulAlgoGetHeuristic");
  found.resize(static_cast<std::size_t>(count));
  std::erase_if(found, [&](const auto& result) {
    return result.state != CUBLAS_STATUS_SUCCESS || result.workspaceSize > limits.workspace_bytes;
  });
  return found;
}

class DensePlan final : public ProductPlan {
 public:
  DensePlan(ProductLibraries& libraries, const DenseProblem& problem,
            const cublasLtMatmulAlgo_t& algorithm)
      : libraries_(libraries),
        problem_(problem),
        algorithm_(algorithm),
        descriptors_(describe(problem)) {
    is_deterministic = true;  // kExactReductions
  }

  DeviceStatus run(const ProductOperands& operands, void* workspace,
                   Stream stream) noexcept override {
    const Descriptors& d = descriptors_;
    if (problem_.has_bias && operands.bias != bias_) {
      const DeviceStatus status = status_of(
          cublasLtMatmulDescSetAttribute(d.product.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER,
                                         &operands.bias, sizeof(operands.bias)),
          "cublasLtMatmulDescSetAttribute");
      if (!status.is_ok()) return status;
      bias_ = operands.bias;
    }
    const bool has_weights = problem_.pass != ProductPass::kWeightGradient;
    const void* const a = has_weights ? operands.w : operands.x;
    const void* const b = problem_.pass == ProductPass::kForward ? operands.x : operands.dy;
    return status_of(
        cublasLtMatmul(libraries_.cublaslt.get(), d.product.get(), &kOne, a, d.a.get(), b,
                       d.b.get(), &kZero, operands.result, d.result.get(), operands.result,
                       d.result.get(), &algorithm_, workspace, workspace_bytes, stream),
        "cublasLtMatmul");
  }

 private:
  static constexpr float kOne = 1.0f;
  static constexpr float kZero = 0.0f;

  ProductLibraries& libraries_;
  DenseProblem problem_;
  cublasLtMatmulAlgo_t algorithm_;
  Descriptors descriptors_;
  const void* bias_ = nullptr;  // that descriptors_ name
};

// cuBLASLt has no text for an algorithm; its 64 bytes are what its manual lets a program store.
std::string hex_of(const cublasLtMatmulAlgo_t& algorithm) {
  std::string text;
  for (const std::uint64_t word : algorithm.data) {
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(word));
    text += digits.data();
  }
  return text;
}

std::string name_of(const cublasLtMatmulAlgo_t& algorithm) {
  const auto number = [&](cublasLtMatmulAlgoConfigAttributes_t attribute) {
    std::int32_t value = -1;
    std::size_t written = 0;
    static_cast<void>(cublasLtMatmulAlgoConfigGetAttribute(&algorithm, attribute, &value,
                                                           sizeof(value), &written));
    return std::to_string(value);
  };
  return "cublaslt algorithm " + number(CUBLASLT_ALGO_CONFIG_ID) + " tile " +
         number(CUBLASLT_ALGO_CONFIG_TILE_ID) + " stages " +
         number(CUBLASLT_ALGO_CONFIG_STAGES_ID) + " parts " +
         number(CUBLASLT_ALGO_CONFIG_SPLITK_NUM);
}

class DenseCandidates final : public ProductCandidates {
 public:
  DenseCandidates(ProductLibraries& libraries, const DenseProblem& problem,
                  const PlanLimits& limits)
      : libraries_(libraries),
        problem_(problem),
        found_(find_algorithms(libraries, problem, limits)) {
    if (found_.empty()) {
      throw DeviceFault(status_of(CUBLAS_STATUS_NOT_SUPPORTED, "cublasLtMatmulAlgoGetHeuristic"));
    }
  }

  std::uint32_t count() const override { return static_cast<std::uint32_t>(found_.size()); }

  std::unique_ptr<ProductPlan> make(std::uint32_t candidate_idx) override {
    const cublasLtMatmulHeuristicResult_t& found = found_.at(candidate_idx);
    auto plan = std::make_unique<DensePlan>(libraries_, problem_, found.algo);
    plan->name = name_of(found.algo);
    plan->stored = head() + hex_of(found.algo);
    plan->workspace_bytes = found.workspaceSize;
    return plan;
  }

  std::unique_ptr<ProductPlan> restore(const std::string& stored) override {
    for (std::uint32_t idx = 0; idx < count(); ++idx) {
      if (head() + hex_of(found_[idx].algo) == stored) return make(idx);
    }
    throw DeviceFault(refusal(CUDNN_STATUS_NOT_SUPPORTED, "restore_plan",
                              "stored plan: expected one of this cuBLASLt and device (" + head() +
                                  "...), found: " + stored));
  }

 private:
  std::string head() const {
    return "cublaslt " + std::to_string(cublasLtGetVersion()) + " sm_" +
           std::to_string(libraries_.compute_capability) + " ";
  }

  ProductLibraries& libraries_;
  DenseProblem problem_;
  std::vector<cublasLtMatmulHeuristicResult_t> found_;
};

}  // namespace

std::unique_ptr<ProductCandidates> dense_candidates(ProductLibraries& libraries,
                                                    const DenseProblem& problem,
                                                    const PlanLimits& limits) {
  if (libraries.cublaslt == nullptr) {
    throw DeviceFault(refusal(CUDNN_STATUS_NOT_SUPPORTED, "cublasLtMatmulAlgoGetHeuristic",
                              problem.key() + ": only a device tells what cuBLASLt has for it"));
  }
  return std::make_unique<DenseCandidates>(libraries, problem, limits);
}

}  // namespace penstock::train::cuda
