#include "train/run/settings/device_choice.h"

#include "train/backend/cuda/cuda_module.h"

namespace penstock::train {

std::string chosen_device(std::string_view device, std::string_view cpu_backend) {
  if (device != "auto") return std::string(device);
  if (cpu_backend == "reference") return "cpu";
  return CudaModule::open().has_device() ? "cuda" : "cpu";
}

std::string backend_on(std::string_view chosen_device, std::string_view cpu_backend) {
  return std::string(chosen_device == "cuda" ? "cuda" : cpu_backend);
}

}  // namespace penstock::train
