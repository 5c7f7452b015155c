#include "tests/train/backend/cuda/on_device/device_under_test.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "streamer/core/error.h"
#include "train/backend/cuda/device_backend.h"
#include "train/backend/cuda/device_error.h"
#include "train/backend/cuda/planned_products.h"

namespace penstock::tests {
namespace {

std::filesystem::path module_path() {
  const char* const named = std::getenv(train::kCudaModuleVariable);
  return named != nullptr && *named != '\0' ? named : PENSTOCK_BUILT_CUDA_MODULE;
}

/// Of a module that is loaded.
const train::CudaModuleApi* functions_of(const std::filesystem::path& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  check_internal(library != nullptr, "a module that was opened is loaded");
  const auto entry =
      reinterpret_cast<train::CudaModuleEntry>(dlsym(library, train::kCudaModuleEntry));
  check_internal(entry != nullptr, "a module that was opened has an entry");
  return entry();
}

}  // namespace

DeviceUnderTest& DeviceUnderTest::get() {
  static DeviceUnderTest& device = *new DeviceUnderTest;  // the driver goes before statics do
  return device;
}

DeviceUnderTest::DeviceUnderTest() : module_(train::CudaModule::open_file(module_path())) {
  if (!module_.has_device()) return;
  functions_ = functions_of(module_path());
  train::cuda::check_device(functions_->open_device(0, &api_), "device 0");
  train::cuda::check_device(api_->create_stream(&stream_), "a stream");
}

namespace {

struct Products {
  Products(const train::CudaModuleApi& functions, train::cuda::DeviceApi& api,
           const std::string& plans)
      : book(plans), library(make_planned_products(api, *functions.products, book)) {}

  train::cuda::PlanBook book;
  std::unique_ptr<train::cuda::ProductLibrary> library;
};

}  // namespace

std::unique_ptr<train::Backend> DeviceUnderTest::backend(
    const train::cuda::DeviceProgramOptions& options, const std::string& plans) const {
  const auto products = std::make_shared<Products>(functions(), api(), plans);
  return train::cuda::make_device_backend({.api = api(),
                                           .kernels = kernels(),
                                           .products = *products->library,
                                           .plans = &products->book,
                                           .batch_memory = module_.pinned_memory()},
                                          options, products);
}

bool DeviceUnderTest::is_there(const char* test) const {
  if (!module_.has_device()) {
    std::cout << "SKIPPED: " << test << ": " << module_.reason() << std::endl;
  }
  return module_.has_device();
}

}  // namespace penstock::tests
