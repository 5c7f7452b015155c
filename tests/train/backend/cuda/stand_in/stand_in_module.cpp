// The stand-in device behind the table of a CUDA module: whole commands run on a GPU that is not there.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>

#include "streamer/core/host_memory.h"
#include "tests/train/backend/cuda/stand_in/plain_products.h"
#include "tests/train/backend/cuda/stand_in/stand_in_device.h"
#include "train/backend/cuda/cuda_module_api.h"

namespace penstock::tests {
namespace {

/// The one device that is open.
StandInDevice* opened = nullptr;

}  // namespace
}  // namespace penstock::tests

// The contract of product_plans.h.
namespace penstock::train::cuda {

struct ProductLibraries {
  tests::PlainProducts products;
};
struct ProductCandidates {
  std::function<std::unique_ptr<Product>()> make;
};
struct ProductPlan {
  std::unique_ptr<Product> product;
};

namespace {

constexpr const char* kStored = "plain loops";

template <class Problem>
DeviceStatus candidates_of(ProductLibraries& libraries, const Problem& problem,
                           const PlanLimits& limits, ProductCandidates** candidates) {
  *candidates = new ProductCandidates{
      [&libraries, problem, limits] { return libraries.products.find(problem, limits); }};
  return {};
}

}  // namespace

DeviceStatus open_product_libraries(ProductLibraries** libraries) noexcept {
  *libraries = new ProductLibraries{tests::PlainProducts(*tests::opened)};
  return {};
}
void close_product_libraries(ProductLibraries* libraries) noexcept {
  delete libraries;
}

DeviceStatus find_candidates(ProductLibraries& libraries, const ConvolutionProblem& problem,
                             const PlanLimits& limits, ProductCandidates** candidates) noexcept {
  return candidates_of(libraries, problem, limits, candidates);
}
DeviceStatus find_candidates(ProductLibraries& libraries, const DenseProblem& problem,
                             const PlanLimits& limits, ProductCandidates** candidates) noexcept {
  return candidates_of(libraries, problem, limits, candidates);
}
std::uint32_t num_candidates(const ProductCandidates&) noexcept {
  return 2;
}
void close_candidates(ProductCandidates* candidates) noexcept {
  delete candidates;
}

DeviceStatus make_plan(ProductCandidates& candidates, std::uint32_t, ProductPlan** plan) noexcept {
  *plan = new ProductPlan{candidates.make()};
  return {};
}
DeviceStatus restore_plan(ProductCandidates& candidates, const char* stored,
                          ProductPlan** plan) noexcept {
  if (std::strcmp(stored, kStored) == 0) return make_plan(candidates, 0, plan);
  return {.call = "restore_plan", .name = "ANOTHER_VERSION", .text = "another version"};
}
void destroy_plan(ProductPlan* plan) noexcept {
  delete plan;
}

PlanFacts plan_facts(const ProductPlan& plan) noexcept {
  return {.name = kStored,
          .stored = kStored,
          .workspace_bytes = plan.product->workspace_bytes(),
          .is_deterministic = true};
}

DeviceStatus run_plan(ProductPlan& plan, const ProductOperands& operands, void* workspace,
                      Stream stream) noexcept {
  return plan.product->run(operands, workspace, stream);
}

}  // namespace penstock::train::cuda

namespace penstock::tests {
namespace {

using train::cuda::DeviceApi;
using train::cuda::KernelTable;
using train::cuda::ProductFunctions;

/// A number that a test has put into the environment.
std::size_t number_of(const char* variable, std::size_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

int runtime_version() {
  return 13000;
}
std::size_t cudnn_version() {
  return 91900;
}

const char* count_devices(int* num_devices) {
  *num_devices = 1;
  return nullptr;
}

const char* device_name(int, char* name, std::size_t capacity_bytes) {
  std::strncpy(name, "Stand-in", capacity_bytes);
  return nullptr;
}

const char* allocate_pinned(std::size_t bytes, void** memory) {
  *memory = std::aligned_alloc(kPageBytes, (bytes + kPageBytes - 1) / kPageBytes * kPageBytes);
  return *memory == nullptr ? "out of memory" : nullptr;
}

DeviceStatus open_device(int, DeviceApi** device) {
  opened = new StandInDevice(number_of("STAND_IN_SEED", 1));
  opened->memory_bytes = number_of("STAND_IN_MEMORY_BYTES", opened->memory_bytes);
  opened->hidden_bytes = number_of("STAND_IN_HIDDEN_BYTES", 0);
  opened->lost_after_launches = number_of("STAND_IN_LOST_AFTER_LAUNCHES", 0);
  *device = opened;
  return {};
}

/// What CUDA forbids ends the process with a message: no test looks into the device from outside.
void close_device(DeviceApi* device) {
  for (const std::string& fault : opened->faults()) {
    std::fprintf(stderr, "stand-in device: %s\n", fault.c_str());
  }
  const bool has_faults = !opened->faults().empty();
  delete device;
  opened = nullptr;
  if (has_faults) std::_Exit(70);
}

const KernelTable* kernels() {
  return &train::cuda::kernel_table();
}

constexpr ProductFunctions kProducts = {.open = train::cuda::open_product_libraries,
                                        .close = train::cuda::close_product_libraries,
                                        .find_convolution = train::cuda::find_candidates,
                                        .find_dense = train::cuda::find_candidates,
                                        .num_candidates = train::cuda::num_candidates,
                                        .close_candidates = train::cuda::close_candidates,
                                        .make_plan = train::cuda::make_plan,
                                        .restore_plan = train::cuda::restore_plan,
                                        .destroy_plan = train::cuda::destroy_plan,
                                        .plan_facts = train::cuda::plan_facts,
                                        .run_plan = train::cuda::run_plan};

constexpr train::CudaModuleApi kApi = {.version = train::kCudaModuleVersion,
                                       .runtime_version = runtime_version,
                                       .driver_version = runtime_version,
                                       .cudnn_version = cudnn_version,
                                       .count_devices = count_devices,
                                       .device_name = device_name,
                                       .allocate_pinned = allocate_pinned,
                                       .free_pinned = std::free,
                                       .open_device = open_device,
                                       .close_device = close_device,
                                       .kernels = kernels,
                                       .products = &kProducts};

}  // namespace
}  // namespace penstock::tests

extern "C" __attribute__((visibility("default"))) const penstock::train::CudaModuleApi*
penstock_cuda_module() {
  return &penstock::tests::kApi;
}
