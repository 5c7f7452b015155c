// The module's table: what it says of devices and versions here, and what the files of module/ and kernels/ do.
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <cstring>

#include "train/backend/cuda/cuda_module_api.h"
#include "train/backend/cuda/module/cuda_device.h"

namespace penstock::train {
namespace {

const char* text_of(cudaError_t error) {
  if (error == cudaSuccess) return nullptr;
  cudaGetLastError();  // clears it: the next call shall not report this one
  return cudaGetErrorString(error);
}

int runtime_version() {
  int version = 0;
  return cudaRuntimeGetVersion(&version) == cudaSuccess ? version : 0;
}

int driver_version() {
  int version = 0;
  return cudaDriverGetVersion(&version) == cudaSuccess ? version : 0;
}

std::size_t cudnn_version() {
  return cudnnGetVersion();
}

const char* count_devices(int* num_devices) {
  *num_devices = 0;
  return text_of(cudaGetDeviceCount(num_devices));
}

const char* device_name(int device_idx, char* name, std::size_t capacity_bytes) {
  cudaDeviceProp properties;
  if (const char* error = text_of(cudaGetDeviceProperties(&properties, device_idx))) return error;
  std::strncpy(name, properties.name, capacity_bytes - 1);
  name[capacity_bytes - 1] = '\0';
  return nullptr;
}

const char* allocate_pinned(std::size_t bytes, void** memory) {
  return text_of(cudaHostAlloc(memory, bytes, cudaHostAllocPortable));
}

// An error here has no one to tell: the process is ending or the driver is gone.
void free_pinned(void* memory) {
  static_cast<void>(text_of(cudaFreeHost(memory)));
}

cuda::DeviceStatus open_device(int device_idx, cuda::DeviceApi** device) {
  cuda::DeviceStatus status;
  *device = cuda::open_cuda_device(device_idx, &status).release();
  return status;
}

void close_device(cuda::DeviceApi* device) {
  delete device;
}

const cuda::KernelTable* kernels() {
  return &cuda::kernel_table();
}

constexpr cuda::ProductFunctions kProducts = {.open = cuda::open_product_libraries,
                                              .close = cuda::close_product_libraries,
                                              .find_convolution = cuda::find_candidates,
                                              .find_dense = cuda::find_candidates,
                                              .num_candidates = cuda::num_candidates,
                                              .close_candidates = cuda::close_candidates,
                                              .make_plan = cuda::make_plan,
                                              .restore_plan = cuda::restore_plan,
                                              .destroy_plan = cuda::destroy_plan,
                                              .plan_facts = cuda::plan_facts,
                                              .run_plan = cuda::run_plan};

constexpr CudaModuleApi kApi = {.version = kCudaModuleVersion,
                                .runtime_version = runtime_version,
                                .driver_version = driver_version,
                                .cudnn_version = cudnn_version,
                                .count_devices = count_devices,
                                .device_name = device_name,
                                .allocate_pinned = allocate_pinned,
                                .free_pinned = free_pinned,
                                .open_device = open_device,
                                .close_device = close_device,
                                .kernels = kernels,
                                .products = &kProducts};

}  // namespace
}  // namespace penstock::train

extern "C" __attribute__((visibility("default"))) const penstock::train::CudaModuleApi*
penstock_cuda_module() {
  return &penstock::train::kApi;
}
