// Opens the CUDA module at run time, or says why not. Includes no CUDA header: the program starts
// and trains on the CPU without any CUDA library.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "streamer/core/host_memory.h"

namespace penstock::train {

class Backend;
struct BackendSettings;
struct CudaModuleApi;

/// Versions as CUDA and cuDNN write them (13000, 91900); 0 where there is none.
struct CudaVersions {
  int runtime = 0;
  int driver = 0;
  std::size_t cudnn = 0;
};

/// The CUDA module of this machine, loaded or not. A small value; copies share the module.
///
/// Lifetime  once loaded it stays until the process ends, as the CUDA runtime expects
/// Threads   immutable; every member may be called from any thread
class CudaModule {
 public:
  /// Opens the file that PENSTOCK_CUDA_MODULE names; without it, looks beside the program, then in the usual
  /// library path. Absence is no error: reason() says what was found instead.
  static CudaModule open();
  /// Opens the module at `path` and nowhere else. Libraries that it needs are found as library_search.h says.
  static CudaModule open_file(const std::filesystem::path& path);

  bool is_loaded() const noexcept { return api_ != nullptr; }
  bool has_device() const noexcept { return !device_names_.empty(); }
  /// Why there is no module, or no device in it; empty when a device answers.
  const std::string& reason() const noexcept { return reason_; }

  const CudaVersions& versions() const noexcept { return versions_; }
  /// One name for each device that answers.
  const std::vector<std::string>& device_names() const noexcept { return device_names_; }

  /// Returns a backend on a device that answers.
  ///
  /// Errors  Unsupported with reason() when there is no such device; CorruptData for plans that nobody wrote
  std::unique_ptr<Backend> make_backend(const BackendSettings& settings) const;

  /// Returns page-locked memory (cudaHostAlloc) when a device answers, else page_aligned_memory().
  std::shared_ptr<HostMemory> pinned_memory() const;

 private:
  void ask_for_devices();

  const CudaModuleApi* api_ = nullptr;  // static memory of the module
  CudaVersions versions_;
  std::vector<std::string> device_names_;
  std::string reason_;
};

}  // namespace penstock::train
