// What a call into CUDA, cuDNN or cuBLAS came to, as plain values: it crosses the border of the module, which
// throws nothing. Includes no CUDA header.
#pragma once

#include <cstdint>

struct CUstream_st;  // CUDA's own, behind cudaStream_t

namespace penstock::train::cuda {

/// Work on a device in order. The same pointer as cudaStream_t.
using Stream = CUstream_st*;

enum class DeviceLibrary : std::uint8_t { kCuda, kCudnn, kCublas };

/// Texts are static memory of the module.
struct DeviceStatus {
  DeviceLibrary library = DeviceLibrary::kCuda;
  int code = 0;                // the library's own; 0 is success in all of them
  const char* call = nullptr;  // "cudaMalloc"
  const char* name = nullptr;  // "cudaErrorMemoryAllocation"
  const char* text = nullptr;  // "out of memory"

  bool is_ok() const noexcept { return code == 0; }
};

/// Whether a device with this error takes no more calls: only a new process, from the newest checkpoint, does.
bool is_sticky(const DeviceStatus& status) noexcept;
bool is_out_of_memory(const DeviceStatus& status) noexcept;

}  // namespace penstock::train::cuda
