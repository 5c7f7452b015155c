#include "train/backend/cuda/cuda_module.h"

#include <dlfcn.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "train/backend/cuda/cuda_module_api.h"
#include "train/backend/cuda/device_backend.h"
#include "train/backend/cuda/device_error.h"
#include "train/backend/cuda/library_search.h"
#include "train/backend/cuda/planned_products.h"

namespace penstock::train {
namespace {

class PinnedMemory final : public HostMemory {
 public:
  explicit PinnedMemory(const CudaModuleApi& api) : api_(api) {}

  void* allocate(std::size_t bytes) override {
    void* memory = nullptr;
    if (const char* error = api_.allocate_pinned(bytes, &memory)) {
      throw Error(ErrorCode::kOutOfMemory,
                  "allocate pinned memory: cudaHostAlloc: expected " + format_bytes(bytes) +
                      ", found: " + error,
                  "use less memory, or --device cpu");
    }
    check_internal(reinterpret_cast<std::uintptr_t>(memory) % kPageBytes == 0,
                   "cudaHostAlloc returns whole pages");
    std::memset(memory, 0, bytes);
    return memory;
  }
  void free(void* memory, std::size_t) noexcept override { api_.free_pinned(memory); }
  std::string_view kind() const noexcept override { return "pinned (cudaHostAlloc)"; }

 private:
  const CudaModuleApi& api_;  // static memory of the module, which is never unloaded
};

/// A device of the module, and the products on it.
class ModuleMachine {
 public:
  ModuleMachine(const CudaModuleApi& api, int device_idx, const std::string& plans)
      : plans_(plans),
        device_(open(api, device_idx), api.close_device),
        products_(cuda::make_planned_products(*device_, *api.products, plans_)) {}

  cuda::DeviceApi& device() const noexcept { return *device_; }
  cuda::ProductLibrary& products() const noexcept { return *products_; }
  const cuda::PlanBook& plans() const noexcept { return plans_; }

 private:
  static cuda::DeviceApi* open(const CudaModuleApi& api, int device_idx) {
    cuda::DeviceApi* device = nullptr;
    cuda::check_device(api.open_device(device_idx, &device),
                       "device " + std::to_string(device_idx));
    return device;
  }

  cuda::PlanBook plans_;
  std::unique_ptr<cuda::DeviceApi, void (*)(cuda::DeviceApi*)> device_;
  std::unique_ptr<cuda::ProductLibrary> products_;
};

/// "CUDA 13.0, cuDNN 9.19.0". Source: cudaRuntimeGetVersion(), cudnn_version.h of cuDNN 9
std::string libraries_text(const CudaVersions& versions) {
  return "CUDA " + std::to_string(versions.runtime / 1000) + "." +
         std::to_string(versions.runtime % 1000 / 10) + ", cuDNN " +
         std::to_string(versions.cudnn / 10000) + "." +
         std::to_string(versions.cudnn % 10000 / 100) + "." + std::to_string(versions.cudnn % 100);
}

/// The file beside the running program, or an empty path where /proc cannot tell.
std::filesystem::path file_beside_program() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path{} : program.parent_path() / kCudaModuleFile;
}

/// What dlopen or dlsym has to say.
std::string loader_message() {
  const char* message = dlerror();
  return message != nullptr ? message : "no reason given by the loader";
}

/// Loads the module with the libraries that it needs; null when the loader refuses, and dlerror() says why.
void* load_module(const std::filesystem::path& path) {
  const LibraryPlaces places = LibraryPlaces::of_environment();
  load_needed_libraries(path, named_library_folders(places));
  void* const module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module != nullptr || load_needed_libraries(path, python_library_folders(places)).empty()) {
    return module;
  }
  return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
}

}  // namespace

CudaModule CudaModule::open() {
  if (const char* named = std::getenv(kCudaModuleVariable); named != nullptr && *named != '\0') {
    return open_file(named);
  }
  CudaModule beside;
  if (const auto path = file_beside_program(); !path.empty()) {
    beside = open_file(path);
    std::error_code ignored;
    // A module that is there but does not load tells more than the search that follows.
    if (beside.is_loaded() || std::filesystem::exists(path, ignored)) return beside;
  }
  return open_file(kCudaModuleFile);
}

CudaModule CudaModule::open_file(const std::filesystem::path& path) {
  CudaModule module;
  const std::string where = "CUDA module: " + path.string() + ": ";
  void* const library = load_module(path);
  if (library == nullptr) {
    module.reason_ = where + "expected a module that loads, found: " + loader_message();
    return module;
  }
  const auto entry = reinterpret_cast<CudaModuleEntry>(dlsym(library, kCudaModuleEntry));
  if (entry == nullptr) {
    module.reason_ =
        where + "expected the function " + kCudaModuleEntry + ", found: " + loader_message();
    dlclose(library);
    return module;
  }
  const CudaModuleApi* const api = entry();
  if (api->version != kCudaModuleVersion) {
    module.reason_ = where + "expected version " + std::to_string(kCudaModuleVersion) + ", found " +
                     std::to_string(api->version);
    dlclose(library);
    return module;
  }
  module.api_ = api;
  module.versions_ = {.runtime = api->runtime_version(),
                      .driver = api->driver_version(),
                      .cudnn = api->cudnn_version()};
  module.ask_for_devices();
  return module;
}

void CudaModule::ask_for_devices() {
  int num_devices = 0;
  const char* error = api_->count_devices(&num_devices);
  for (int device_idx = 0; error == nullptr && device_idx < num_devices; ++device_idx) {
    std::array<char, 256> name{};
    error = api_->device_name(device_idx, name.data(), name.size());
    if (error == nullptr) device_names_.emplace_back(name.data());
  }
  if (has_device()) return;
  reason_ = "CUDA devices: no device answers: expected at least one, found none";
  if (error != nullptr) reason_ += std::string(" (") + error + ")";
}

std::unique_ptr<Backend> CudaModule::make_backend(const BackendSettings& settings) const {
  if (settings.device_idx >= device_names_.size()) {
    throw Error(ErrorCode::kUnsupported,
                has_device() ? "cuda: device " + std::to_string(settings.device_idx) +
                                   ": expected 0 to " + std::to_string(device_names_.size() - 1)
                             : reason_,
                "--device cpu");
  }
  const auto machine =
      std::make_shared<ModuleMachine>(*api_, static_cast<int>(settings.device_idx), settings.plans);
  const cuda::DeviceProperties& device = machine->device().properties();
  if (device.compute_major * 10 + device.compute_minor < 75) {
    throw Error(
        ErrorCode::kUnsupported,
        "cuda: " + std::string(device.name) + ": expected compute capability 7.5 or later, found " +
            std::to_string(device.compute_major) + "." + std::to_string(device.compute_minor),
        "--device cpu");
  }
  return cuda::make_device_backend(
      {.api = machine->device(),
       .kernels = *api_->kernels(),
       .products = machine->products(),
       .plans = &machine->plans(),
       .libraries = libraries_text(versions_),
       .batch_memory = pinned_memory()},
      {.plan_limits = {.workspace_bytes = settings.workspace_cap_bytes,
                       .is_deterministic = settings.is_deterministic},
       .batch_element = settings.batch_element.value_or(ElementType::kUint8),
       .crop_bytes = settings.crop_bytes},
      machine);
}

std::shared_ptr<HostMemory> CudaModule::pinned_memory() const {
  if (!has_device()) return page_aligned_memory();
  return std::make_shared<PinnedMemory>(*api_);
}

}  // namespace penstock::train
