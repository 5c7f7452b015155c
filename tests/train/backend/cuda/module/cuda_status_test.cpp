// What a failure of cuDNN or cuBLASLt came of, at the module's border. The names are the libraries' own.
#include "train/backend/cuda/module/cuda_status.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>

#include "tests/train/backend/cuda/described_device.h"
#include "tests/train/backend/cuda/recorded_cudnn.h"
#include "train/backend/cuda/product_plans.h"

namespace penstock::tests {
namespace {

using namespace train::cuda;

const ConvolutionProblem kProblem{.pass = ProductPass::kDataGradient,
                                  .type = ValueType::kFloat16,
                                  .batch = 4,
                                  .in_channels = 64,
                                  .height = 14,
                                  .width = 14,
                                  .filters = 32,
                                  .window = {.kernel = {1, 1}, .stride = {1, 1}}};

struct Fixture {
  DescribedLibraries libraries{80};
  ProductCandidates* candidates = nullptr;
  ProductPlan* plan = nullptr;
  float memory = 0;
  RecordedCudnn& recorded = RecordedCudnn::current();

  Fixture() { recorded = {}; }
  ~Fixture() {
    destroy_plan(plan);
    close_candidates(candidates);
    recorded = {};
  }

  DeviceStatus found() { return find_candidates(libraries.get(), kProblem, {}, &candidates); }
  DeviceStatus made() {
    if (candidates == nullptr) BOOST_REQUIRE(found().is_ok());
    std::uint32_t idx = 0;
    while (is_compiled_for(*candidates, idx)) ++idx;
    return make_plan(*candidates, idx, &plan);
  }
  DeviceStatus ran() {
    const ProductOperands operands{.w = &memory, .dy = &memory, .result = &memory};
    return run_plan(*plan, operands, nullptr, nullptr);
  }
};

BOOST_FIXTURE_TEST_SUITE(cuda_status, Fixture)

BOOST_AUTO_TEST_CASE(the_libraries_names_for_memory_that_ran_out_are_known) {
  for (const cudnnStatus_t code : {CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED,
                                   CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED}) {
    BOOST_TEST(is_out_of_memory(status_of(code, "cudnnCreate")), cudnnGetErrorString(code));
  }
  BOOST_TEST(is_out_of_memory(status_of(CUBLAS_STATUS_ALLOC_FAILED, "cublasLtCreate")));
  BOOST_TEST(is_out_of_memory(status_of(cudaErrorMemoryAllocation, "cudaMalloc")));
  BOOST_TEST(!is_out_of_memory(status_of(CUDNN_STATUS_EXECUTION_FAILED, "cudnnBackendExecute")));
}

BOOST_AUTO_TEST_CASE(the_runtimes_names_for_a_lost_device_are_known) {
  for (const cudaError_t error :
       {cudaErrorIllegalAddress, cudaErrorLaunchFailure, cudaErrorLaunchTimeout,
        cudaErrorHardwareStackError, cudaErrorIllegalInstruction, cudaErrorMisalignedAddress,
        cudaErrorInvalidAddressSpace, cudaErrorInvalidPc, cudaErrorECCUncorrectable,
        cudaErrorAssert, cudaErrorExternalDevice}) {
    BOOST_TEST(is_sticky(status_of(error, "cudaStreamSynchronize")), cudaGetErrorName(error));
  }
}

BOOST_AUTO_TEST_CASE(work_that_failed_on_a_lost_device_says_so) {
  BOOST_REQUIRE(made().is_ok());
  give_handle(libraries.get());
  recorded.executed = CUDNN_STATUS_EXECUTION_FAILED_CUDART;
  const DeviceStatus failed = ran();
  BOOST_TEST(failed.name == std::string("CUDNN_STATUS_EXECUTION_FAILED_CUDART"));
  // cuDNN has a runtime of its own: that of the module hears of it when it asks the device.
  recorded.device_state = cudaErrorIllegalAddress;
  const DeviceStatus lost = ran();
  BOOST_TEST(lost.name == std::string("cudaErrorIllegalAddress"));
  BOOST_TEST(lost.call == std::string("cudnnBackendExecute"));
  BOOST_TEST(is_sticky(lost));
}

BOOST_AUTO_TEST_CASE(a_failure_of_cublaslt_on_a_lost_device_says_so) {
  const DeviceStatus failed = status_of(CUBLAS_STATUS_EXECUTION_FAILED, "cublasLtMatmul");
  BOOST_TEST(cause_of(failed).name == std::string("CUBLAS_STATUS_EXECUTION_FAILED"));
  recorded.device_state = cudaErrorIllegalAddress;
  BOOST_TEST(is_sticky(cause_of(failed)));
  BOOST_TEST(cause_of({}).is_ok());
}

BOOST_AUTO_TEST_CASE(cudas_last_error_is_told_where_it_is_the_cause) {
  BOOST_REQUIRE(made().is_ok());
  give_handle(libraries.get());
  recorded.executed = CUDNN_STATUS_EXECUTION_FAILED;
  recorded.last_error = cudaErrorMemoryAllocation;
  BOOST_TEST(is_out_of_memory(ran()));
  recorded.last_error = cudaErrorLaunchFailure;
  BOOST_TEST(is_sticky(ran()));
  recorded.last_error = cudaErrorInvalidConfiguration;
  BOOST_TEST(ran().name == std::string("CUDNN_STATUS_EXECUTION_FAILED"));
}

// Own kernels report CUDA's last error when they are started.
BOOST_AUTO_TEST_CASE(after_a_failure_cuda_has_no_last_error) {
  recorded.last_error = cudaErrorInvalidConfiguration;
  recorded.finalized = CUDNN_STATUS_NOT_SUPPORTED;
  BOOST_TEST(!found().is_ok());
  BOOST_TEST(recorded.last_error == cudaSuccess);

  recorded.finalized.reset();
  BOOST_REQUIRE(found().is_ok());
  recorded.last_error = cudaErrorInvalidConfiguration;
  recorded.finalized = CUDNN_STATUS_NOT_SUPPORTED;
  BOOST_TEST(!made().is_ok());
  BOOST_TEST(recorded.last_error == cudaSuccess);

  recorded.finalized.reset();
  BOOST_REQUIRE(made().is_ok());
  give_handle(libraries.get());
  recorded.last_error = cudaErrorInvalidConfiguration;
  recorded.executed = CUDNN_STATUS_EXECUTION_FAILED;
  BOOST_TEST(!ran().is_ok());
  BOOST_TEST(recorded.last_error == cudaSuccess);
}

BOOST_AUTO_TEST_CASE(success_leaves_cudas_last_error_to_whom_it_belongs) {
  recorded.last_error = cudaErrorInvalidConfiguration;
  BOOST_TEST(found().is_ok());
  BOOST_TEST(recorded.last_error == cudaErrorInvalidConfiguration);
}

BOOST_AUTO_TEST_CASE(what_is_of_the_device_goes_through_cudnns_frontend) {
  recorded.finalized = CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
  BOOST_TEST(is_out_of_memory(found()));
  recorded.finalized.reset();
  BOOST_REQUIRE(found().is_ok());
  recorded.finalized = CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
  BOOST_TEST(is_out_of_memory(made()));
  recorded.finalized = CUDNN_STATUS_EXECUTION_FAILED_CUDART;
  BOOST_TEST(made().name == std::string("CUDNN_STATUS_EXECUTION_FAILED_CUDART"));
  recorded.finalized = CUDNN_STATUS_BAD_PARAM;
  BOOST_TEST(made().name == std::string("CUDNN_STATUS_NOT_SUPPORTED"));
  recorded.finalized = CUDNN_STATUS_EXECUTION_FAILED_CUDART;
  recorded.device_state = cudaErrorIllegalAddress;
  BOOST_TEST(is_sticky(made()));
}

// With a handle there are older calls to ask, which would answer.
BOOST_AUTO_TEST_CASE(without_memory_the_older_calls_are_not_asked) {
  give_handle(libraries.get());
  recorded.finalized = CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
  BOOST_TEST(is_out_of_memory(found()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
