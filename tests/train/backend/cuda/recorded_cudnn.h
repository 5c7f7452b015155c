// Calls of cuDNN that need a device, in the place of the library's own: they note what they are given. Descriptors
// and plans stay cuDNN's.
#pragma once

#include <cudnn.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
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

  static RecordedCudnn& current();
};

/// Makes libraries that have a handle, which only the calls here take.
void give_handle(train::cuda::ProductLibraries& libraries);

}  // namespace penstock::tests
