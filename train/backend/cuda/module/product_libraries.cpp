#include "train/backend/cuda/module/product_libraries.h"

#include <string>
#include <utility>

#include "train/backend/cuda/module/convolution_plans.h"
#include "train/backend/cuda/module/cuda_status.h"
#include "train/backend/cuda/module/dense_plans.h"
#include "train/backend/cuda/module/legacy_convolution.h"

namespace penstock::train::cuda {
namespace {

// What no library may be asked: some versions crash instead of refusing.
void check_problem(const ProductLibraries& libraries, ValueType type, bool is_possible,
                   const std::string& key) {
  if (!is_possible) {
    throw DeviceFault(refusal(CUDNN_STATUS_BAD_PARAM, "find_candidates",
                              key + ": expected sizes of at least 1, channels that the groups "
                                    "divide and a window that fits"));
  }
  if (type == ValueType::kBfloat16 && libraries.compute_capability < 80) {
    throw DeviceFault(refusal(CUDNN_STATUS_NOT_SUPPORTED, "find_candidates",
                              key + ": bfloat16 needs compute capability 8.0, found " +
                                  std::to_string(libraries.compute_capability / 10) + "." +
                                  std::to_string(libraries.compute_capability % 10)));
  }
}

bool is_possible(const ConvolutionProblem& p) {
  const Extent out = p.output();
  return p.batch > 0 && p.in_channels > 0 && p.filters > 0 && p.groups > 0 &&
         p.in_channels % p.groups == 0 && p.filters % p.groups == 0 && p.window.kernel.cols > 0 &&
         out.rows > 0 && out.cols > 0 && (!p.has_bias || p.pass == ProductPass::kForward) &&
         (!p.has_float32_result || p.pass == ProductPass::kWeightGradient) &&
         (!p.has_norm_relu || p.pass != ProductPass::kDataGradient) &&
         (!p.has_statistics || p.pass == ProductPass::kForward);
}

bool is_possible(const DenseProblem& p) {
  return p.rows > 0 && p.inputs > 0 && p.units > 0 &&
         (!p.has_bias || p.pass == ProductPass::kForward);
}

// Shift lies behind scale, and the sums of squares behind those of values: as far on as channels say.
bool keeps_alignment(const ConvolutionProblem& p) {
  constexpr std::size_t kBytes = 16;
  return (!p.has_norm_relu || p.in_channels * value_bytes(p.type) % kBytes == 0) &&
         (!p.has_statistics || p.filters * sizeof(float) % kBytes == 0);
}

std::unique_ptr<ProductCandidates> convolution_candidates(ProductLibraries& libraries,
                                                          const ConvolutionProblem& problem,
                                                          const PlanLimits& limits) {
  if (!keeps_alignment(problem)) {
    throw DeviceFault(refusal(CUDNN_STATUS_NOT_SUPPORTED, "find_candidates",
                              problem.key() + ": expected channels in multiples of 16 bytes"));
  }
  std::string reason;
  try {
    return graph_candidates(libraries, problem, limits);
  } catch (const DeviceFault& fault) {
    if (libraries.cudnn == nullptr || problem.is_fused() || is_of_device(fault.status())) throw;
    reason = fault.what();
  }
  try {
    return legacy_candidates(libraries, problem, limits);
  } catch (const DeviceFault& fault) {
    if (is_of_device(fault.status())) throw;
    throw DeviceFault(refusal(static_cast<cudnnStatus_t>(fault.status().code), "find_candidates",
                              reason + "; the older calls: " + fault.what()));
  }
}

// Calls `work`, which may throw, and says what a failure came of.
template <class Work>
DeviceStatus at_border(const char* call, Work&& work) noexcept {
  return cause_of(no_throw(call, std::forward<Work>(work)));
}

}  // namespace

DeviceStatus ProductLibraries::use_stream(Stream wanted) noexcept {
  if (wanted == stream) return {};
  const DeviceStatus status = status_of(cudnnSetStream(cudnn.get(), wanted), "cudnnSetStream");
  if (status.is_ok()) stream = wanted;
  return status;
}

std::string stored_head(const ProductLibraries& libraries) {
  return "cudnn " + std::to_string(cudnnGetVersion()) + " sm_" +
         std::to_string(libraries.compute_capability) + " ";
}

DeviceStatus open_product_libraries(ProductLibraries** libraries) noexcept {
  return at_border("open_product_libraries", [&] {
    auto opened = std::make_unique<ProductLibraries>();
    int device_idx = 0;
    int major = 0;
    int minor = 0;
    check(cudaGetDevice(&device_idx), "cudaGetDevice");
    check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device_idx),
          "cudaDeviceGetAttribute");
    check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device_idx),
          "cudaDeviceGetAttribute");
    opened->compute_capability = static_cast<std::uint32_t>(major * 10 + minor);
    cudnnHandle_t cudnn = nullptr;
    check(cudnnCreate(&cudnn), "cudnnCreate");
    opened->cudnn.reset(cudnn);
    cublasLtHandle_t cublaslt = nullptr;
    check(cublasLtCreate(&cublaslt), "cublasLtCreate");
    opened->cublaslt.reset(cublaslt);
    *libraries = opened.release();
  });
}

DeviceStatus describe_product_libraries(const DeviceFacts& device,
                                        ProductLibraries** libraries) noexcept {
  return no_throw("describe_product_libraries", [&] {
    auto described = std::make_unique<ProductLibraries>();
    described->described = device;
    described->compute_capability = device.compute_capability;
    *libraries = described.release();
  });
}

void close_product_libraries(ProductLibraries* libraries) noexcept {
  delete libraries;
}

DeviceStatus find_candidates(ProductLibraries& libraries, const ConvolutionProblem& problem,
                             const PlanLimits& limits, ProductCandidates** candidates) noexcept {
  return at_border("find_candidates", [&] {
    check_problem(libraries, problem.type, is_possible(problem), problem.key());
    *candidates = convolution_candidates(libraries, problem, limits).release();
  });
}

DeviceStatus find_candidates(ProductLibraries& libraries, const DenseProblem& problem,
                             const PlanLimits& limits, ProductCandidates** candidates) noexcept {
  return at_border("find_candidates", [&] {
    check_problem(libraries, problem.type, is_possible(problem), problem.key());
    *candidates = dense_candidates(libraries, problem, limits).release();
  });
}

std::uint32_t num_candidates(const ProductCandidates& candidates) noexcept {
  return candidates.count();
}

bool is_compiled_for(const ProductCandidates& candidates, std::uint32_t candidate_idx) noexcept {
  return candidate_idx < candidates.count() && candidates.is_compiled_for(candidate_idx);
}

void close_candidates(ProductCandidates* candidates) noexcept {
  delete candidates;
}

DeviceStatus make_plan(ProductCandidates& candidates, std::uint32_t candidate_idx,
                       ProductPlan** plan) noexcept {
  return at_border("make_plan", [&] { *plan = candidates.make(candidate_idx).release(); });
}

DeviceStatus restore_plan(ProductCandidates& candidates, const char* stored,
                          ProductPlan** plan) noexcept {
  return at_border("restore_plan", [&] { *plan = candidates.restore(stored).release(); });
}

void destroy_plan(ProductPlan* plan) noexcept {
  delete plan;
}

PlanFacts plan_facts(const ProductPlan& plan) noexcept {
  return {.name = plan.name.c_str(),
          .stored = plan.stored.c_str(),
          .workspace_bytes = plan.workspace_bytes,
          .is_deterministic = plan.is_deterministic};
}

DeviceStatus run_plan(ProductPlan& plan, const ProductOperands& operands, void* workspace,
                      Stream stream) noexcept {
  return cause_of(plan.run(operands, workspace, stream));
}

}  // namespace penstock::train::cuda
