#include "train/run/data/batch_memory.h"

#include "streamer/core/error.h"
#include "train/backend/cuda/cuda_module.h"

namespace penstock::train {

std::shared_ptr<HostMemory> batch_memory(std::string_view device) {
  if (device == "cpu") return page_aligned_memory();
  std::shared_ptr<HostMemory> memory = CudaModule::open().pinned_memory();
  try {
    const HostBuffer trial(memory, kPageBytes);
  } catch (const Error&) {
    return page_aligned_memory();  // a device that answers but is full, or another's alone
  }
  return memory;
}

}  // namespace penstock::train
