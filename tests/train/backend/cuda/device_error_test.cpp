#include "train/backend/cuda/device_error.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"

namespace penstock::train::cuda {
namespace {

struct Found {
  ErrorCode code = ErrorCode::kInternal;
  std::string what;
  std::string hint;
};

Found error_of(const DeviceStatus& status, std::string_view where = {}) {
  try {
    check_device(status, where);
  } catch (const Error& error) {
    return {error.code(), error.what(), error.hint()};
  }
  return {.what = "no error", .hint = {}};
}

BOOST_AUTO_TEST_SUITE(device_error)

BOOST_AUTO_TEST_CASE(a_status_names_call_operation_and_what_the_library_said) {
  BOOST_TEST(error_of({}).what == "no error");
  const Found found = error_of({.code = 9,
                                .call = "affine_forward",
                                .name = "cudaErrorInvalidConfiguration",
                                .text = "invalid configuration argument"},
                               "bn1: forward, 32 samples");
  BOOST_TEST(found.what ==
             "cuda: bn1: forward, 32 samples: affine_forward: expected success, found "
             "cudaErrorInvalidConfiguration (invalid configuration argument)");
  BOOST_TEST((found.code == ErrorCode::kIo));
  BOOST_TEST(found.hint == "penstock info shows devices and versions");
}

BOOST_AUTO_TEST_CASE(memory_that_ran_out_is_told_apart_in_every_library) {
  for (const char* name :
       {"cudaErrorMemoryAllocation", "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
        "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", "CUBLAS_STATUS_ALLOC_FAILED"}) {
    const DeviceStatus status{.code = 2, .call = "cudaMalloc", .name = name};
    BOOST_TEST(is_out_of_memory(status));
    BOOST_TEST(!is_sticky(status));
    BOOST_TEST((error_of(status).code == ErrorCode::kOutOfMemory));
    BOOST_TEST(error_of(status).hint.starts_with("a smaller --memory-gpu"));
  }
}

BOOST_AUTO_TEST_CASE(a_lost_device_says_what_is_safe) {
  const DeviceStatus status{
      .code = 700, .call = "cudaStreamSynchronize", .name = "cudaErrorIllegalAddress"};
  BOOST_TEST(is_sticky(status));
  BOOST_TEST(error_of(status).hint ==
             "nothing on the device can be used any more; the newest checkpoint is whole: the same "
             "command with --resume, in a new process");
}

// Source: CUDA 13.0, driver_types.h: all that leaves "the process in an inconsistent state".
BOOST_AUTO_TEST_CASE(every_error_that_ends_a_process_is_sticky) {
  for (const char* name :
       {"cudaErrorContained", "cudaErrorIllegalAddress", "cudaErrorLaunchTimeout",
        "cudaErrorExternalDevice", "cudaErrorHardwareStackError", "cudaErrorIllegalInstruction",
        "cudaErrorMisalignedAddress", "cudaErrorInvalidAddressSpace", "cudaErrorInvalidPc",
        "cudaErrorLaunchFailure", "cudaErrorTensorMemoryLeak"}) {
    BOOST_TEST(is_sticky({.code = 1, .call = "cudaStreamSynchronize", .name = name}), name);
  }
  BOOST_TEST(!is_sticky({.code = 1, .name = "cudaErrorInvalidValue"}));
  BOOST_TEST(!is_sticky({.code = 1, .name = "CUDNN_STATUS_EXECUTION_FAILED"}));
}

BOOST_AUTO_TEST_CASE(a_driver_that_is_too_old_says_so) {
  const Found found =
      error_of({.code = 35, .call = "cudaGetDeviceCount", .name = "cudaErrorInsufficientDriver"});
  BOOST_TEST((found.code == ErrorCode::kUnsupported));
  BOOST_TEST(found.hint.starts_with("the driver is older than the CUDA runtime of this build"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
