// The module that the environment names, and the first device in it, for tests that call it as the program does.
#pragma once

#include <memory>
#include <string>

#include "train/backend/backend.h"
#include "train/backend/cuda/cuda_module.h"
#include "train/backend/cuda/cuda_module_api.h"
#include "train/backend/cuda/device_program.h"

namespace penstock::tests {

/// Opened once for the process: PENSTOCK_CUDA_MODULE, else the module that was built.
class DeviceUnderTest {
 public:
  static DeviceUnderTest& get();

  const train::CudaModule& module() const noexcept { return module_; }
  /// False where no device answers: prints "SKIPPED: test: reason", which tools/gpu_check.sh reads.
  bool is_there(const char* test) const;

  // Where a device answers.
  const train::CudaModuleApi& functions() const noexcept { return *functions_; }
  train::cuda::DeviceApi& api() const noexcept { return *api_; }
  /// Kernels run on the CPU, hundreds of times slower.
  bool is_stand_in() const { return std::string(api_->properties().name) == "Stand-in"; }
  const train::cuda::KernelTable& kernels() const { return *functions_->kernels(); }
  train::cuda::Stream stream() const noexcept { return stream_; }
  /// As CudaModule::make_backend() makes one, with every choice that it does not offer.
  std::unique_ptr<train::Backend> backend(const train::cuda::DeviceProgramOptions& options = {},
                                          const std::string& plans = {}) const;

  DeviceUnderTest(const DeviceUnderTest&) = delete;
  DeviceUnderTest& operator=(const DeviceUnderTest&) = delete;

 private:
  DeviceUnderTest();

  train::CudaModule module_;
  const train::CudaModuleApi* functions_ = nullptr;
  train::cuda::DeviceApi* api_ = nullptr;  // open until the process ends
  train::cuda::Stream stream_ = nullptr;
};

}  // namespace penstock::tests
