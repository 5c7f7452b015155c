// Return codes of CUDA, cuDNN and cuBLAS as a DeviceStatus, and as an exception inside of the module. At its border
// no_throw() makes a status of whatever was thrown.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <exception>
#include <new>
#include <string>
#include <utility>

#include "train/backend/cuda/device_status.h"

namespace penstock::train::cuda {

/// The text until the thread's next keep_text().
const char* keep_text(std::string text) noexcept;

/// Success costs nothing: a code is turned into texts only when it is an error. `call` is static.
DeviceStatus status_of(cudaError_t code, const char* call) noexcept;
DeviceStatus status_of(cudnnStatus_t code, const char* call) noexcept;
DeviceStatus status_of(cublasStatus_t code, const char* call) noexcept;

/// What the libraries cannot do, or were asked wrongly, in the words of `text`.
DeviceStatus refusal(cudnnStatus_t code, const char* call, std::string text) noexcept;

/// Whether it is about the device, out of memory or with work that failed, and not about what was asked.
bool is_of_device(const DeviceStatus& status) noexcept;

/// What a library's failure came of: the libraries run CUDA runtimes of their own and say only that something
/// failed. The device's own error where it is lost or has no memory left, `failed` otherwise. Afterwards CUDA's last
/// error is none, unless it stays: the next kernel's start shall not report it.
DeviceStatus cause_of(const DeviceStatus& failed) noexcept;

/// A DeviceStatus on its way to the module's border.
class DeviceFault : public std::exception {
 public:
  explicit DeviceFault(const DeviceStatus& status) noexcept : status_(status) {}
  const DeviceStatus& status() const noexcept { return status_; }
  const char* what() const noexcept override { return status_.text; }

 private:
  DeviceStatus status_;
};

inline void check(const DeviceStatus& status) {
  if (!status.is_ok()) throw DeviceFault(status);
}
template <class Code>
void check(Code code, const char* call) {
  check(status_of(code, call));
}

/// Calls `work`, which may throw.
template <class Work>
DeviceStatus no_throw(const char* call, Work&& work) noexcept {
  try {
    std::forward<Work>(work)();
    return {};
  } catch (const DeviceFault& fault) {
    return fault.status();
  } catch (const std::bad_alloc&) {
    return status_of(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED, call);
  } catch (const std::exception& error) {
    return refusal(CUDNN_STATUS_INTERNAL_ERROR, call, error.what());
  } catch (...) {
    return status_of(CUDNN_STATUS_INTERNAL_ERROR, call);
  }
}

}  // namespace penstock::train::cuda
