// Calls of cuDNN that need a device, in the place of the library's own: they note what they are given, and fail as a
// test says. Descriptors and plans stay cuDNN's. CUDA's last error is here, too.
#pragma once

#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "train/backend/cuda/module/product_libraries.h"

namespace penstock::tests {

/// Batch, channels, rows and columns; of weights: filters, channels of a group, rows, columns.
using Sides = std::array<int, 4>;

/// One argument of a call: the memory and what it is said to be.
struct RecordedOperand {
  const void* memory = nullptr;
  Sides sides{};
};

struct RecordedCall {
  std::string name;
  std::map<std::string, RecordedOperand> operands{};  // by the name in cuDNN's manual
  std::map<std::int64_t, const void*> by_uid{};       // cudnnBackendExecute
  const void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
  int algorithm = -1;
};

/// What was put into a variant pack.
struct RecordedPack {
  std::vector<std::int64_t> uids;
  std::vector<void*> pointers;
  void* workspace = nullptr;
};

/// Since give_handle().
struct RecordedCudnn {
  std::vector<RecordedCall> calls;
  std::vector<cudaStream_t> streams;  // of cudnnSetStream
  std::map<cudnnBackendDescriptor_t, RecordedPack> packs;
  /// What cudnnBackendExecute was given last: the same pack again was not made anew.
  const void* last_pack = nullptr;
  /// What every cudnnBackendFinalize and cudnnBackendExecute comes to: the library's own, and success.
  std::optional<cudnnStatus_t> finalized{};
  cudnnStatus_t executed = CUDNN_STATUS_SUCCESS;
  /// CUDA's last error, which stays where device_state is one, and what a device says when it is asked.
  cudaError_t last_error = cudaSuccess;
  cudaError_t device_state = cudaSuccess;

  static RecordedCudnn& current();
};

/// Makes libraries that have a handle, which only the calls here take.
void give_handle(train::cuda::ProductLibraries& libraries);

}  // namespace penstock::tests
