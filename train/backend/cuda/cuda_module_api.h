// What the program and its CUDA module say to each other: plain C functions and a version, so that
// each can be built without the other. Includes no CUDA header.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/device_api.h"
#include "train/backend/cuda/kernel_table.h"
#include "train/backend/cuda/product_functions.h"

namespace penstock::train {

/// Counts up with every change of CudaModuleApi; the program refuses a module of another number.
inline constexpr std::uint32_t kCudaModuleVersion = 4;

/// File name of the module, and the name of the one function that it exports.
inline constexpr const char* kCudaModuleFile = "libpenstock_cuda.so";
inline constexpr const char* kCudaModuleEntry = "penstock_cuda_module";

/// Environment variable with the path of the module, where it lies elsewhere.
inline constexpr const char* kCudaModuleVariable = "PENSTOCK_CUDA_MODULE";

/// The module's functions. Those that can fail return nullptr, or the error's text (static memory).
///
/// Threads  all of them may be called from any thread
struct CudaModuleApi {
  std::uint32_t version;
  /// Versions as CUDA and cuDNN write them: 13000 for CUDA 13.0, 91900 for cuDNN 9.19.0. The
  /// driver's is 0 without a driver.
  int (*runtime_version)();
  int (*driver_version)();
  std::size_t (*cudnn_version)();
  const char* (*count_devices)(int* num_devices);
  /// Copies the name, cut to `capacity_bytes` with its final zero.
  const char* (*device_name)(int device_idx, char* name, std::size_t capacity_bytes);
  /// Page-locked memory that every device may copy from; its content is undefined.
  const char* (*allocate_pinned)(std::size_t bytes, void** memory);
  void (*free_pinned)(void* memory);
  /// A device to compute on; to be closed when all that was made on it is gone.
  cuda::DeviceStatus (*open_device)(int device_idx, cuda::DeviceApi** device);
  void (*close_device)(cuda::DeviceApi* device);
  const cuda::KernelTable* (*kernels)();
  /// Of the device that was opened last.
  const cuda::ProductFunctions* products;
};

using CudaModuleEntry = const CudaModuleApi* (*)();

}  // namespace penstock::train
