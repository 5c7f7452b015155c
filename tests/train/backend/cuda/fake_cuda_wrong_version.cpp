// A module of a later version than this program knows.
#include "train/backend/cuda/cuda_module_api.h"

extern "C" const penstock::train::CudaModuleApi* penstock_cuda_module() {
  static const penstock::train::CudaModuleApi api = [] {
    penstock::train::CudaModuleApi later{};
    later.version = penstock::train::kCudaModuleVersion + 1;
    return later;
  }();
  return &api;
}
