#include "train/run/batch_memory.h"

#include "train/backend/cuda/cuda_module.h"

namespace penstock::train {

std::shared_ptr<HostMemory> batch_memory() {
  return CudaModule::open().pinned_memory();
}

}  // namespace penstock::train
