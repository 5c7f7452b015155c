#include "train/backend/cuda/cuda_module.h"

#include <dlfcn.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "train/backend/cuda/cuda_module_api.h"

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

}  // namespace

CudaModule CudaModule::open() {
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
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
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

std::shared_ptr<HostMemory> CudaModule::pinned_memory() const {
  if (!has_device()) return page_aligned_memory();
  return std::make_shared<PinnedMemory>(*api_);
}

}  // namespace penstock::train
