#include "train/run/settings/device_choice.h"

#include "streamer/core/error.h"
#include "train/backend/backend.h"
#include "train/backend/cuda/cuda_module.h"

namespace penstock::train {
namespace {

/// Less is no GPU to train on.
constexpr std::size_t kLeastRoomBytes = std::size_t{64} << 20;

}  // namespace

DeviceChoice choose_device(std::string_view device, std::string_view cpu_backend) {
  if (device != "auto") return {std::string(device)};
  if (cpu_backend == "reference") return {"cpu"};
  const CudaModule module = CudaModule::open();
  if (!module.has_device()) return {"cpu"};
  try {
    // One that is another's alone, too old or full answers all the same.
    static_cast<void>(module.make_backend({})->allocate(kLeastRoomBytes));
  } catch (const Error& error) {
    return {"cpu", "the GPU is not taken: " + std::string(error.what())};
  }
  return {"cuda"};
}

std::string backend_on(std::string_view chosen_device, std::string_view cpu_backend) {
  return std::string(chosen_device == "cuda" ? "cuda" : cpu_backend);
}

}  // namespace penstock::train
