#include "train/backend/cuda/device_error.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "streamer/core/error.h"

namespace penstock::train::cuda {
namespace {

struct KnownCause {
  std::string_view name;
  ErrorCode code;
  const char* hint;
};

constexpr std::array kKnownCauses{
    KnownCause{"cudaErrorInsufficientDriver", ErrorCode::kUnsupported,
               "the driver is older than the CUDA runtime of this build: install a newer one, or "
               "--device cpu"},
    KnownCause{"cudaErrorNoDevice", ErrorCode::kUnsupported, "--device cpu"},
    KnownCause{"cudaErrorDevicesUnavailable", ErrorCode::kIo,
               "another process holds the device: wait for it, or --device cpu"},
    KnownCause{"cudaErrorNoKernelImageForDevice", ErrorCode::kUnsupported,
               "this build is for compute capability 7.5, 8.0, 9.0 and later: --device cpu"},
    KnownCause{"cudaErrorSystemNotReady", ErrorCode::kIo,
               "the driver has not started all of its services: try again in a minute"},
    KnownCause{"CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH", ErrorCode::kUnsupported,
               "the parts of cuDNN found are of several versions: set PENSTOCK_CUDA_LIBRARIES to "
               "the folder of one"},
    KnownCause{"CUDNN_STATUS_VERSION_MISMATCH", ErrorCode::kUnsupported,
               "cuDNN found is another version than this build's: set PENSTOCK_CUDA_LIBRARIES to "
               "the folder of the right one"},
};

std::string text_or(const char* text, const char* otherwise) {
  return text != nullptr ? text : otherwise;
}

/// "cudaMalloc: cudaErrorMemoryAllocation (out of memory)"
std::string status_text(const DeviceStatus& status) {
  std::string text = text_or(status.call, "device") + ": expected success, found ";
  text += text_or(status.name, "an error without a name");
  return status.text == nullptr ? text : text + " (" + status.text + ")";
}

}  // namespace

void check_device(const DeviceStatus& status, std::string_view where) {
  if (status.is_ok()) return;
  const std::string message =
      "cuda: " + (where.empty() ? std::string() : std::string(where) + ": ") + status_text(status);
  if (is_out_of_memory(status)) {
    throw Error(ErrorCode::kOutOfMemory, message,
                "a smaller --memory-gpu, --batch-size or --micro-batch, or end other programs on "
                "the device");
  }
  if (is_sticky(status)) {
    throw Error(ErrorCode::kIo, message,
                "nothing on the device can be used any more; the newest checkpoint is whole: the "
                "same command with --resume, in a new process");
  }
  const auto known = std::ranges::find_if(kKnownCauses, [&](const KnownCause& cause) {
    return status.name != nullptr && cause.name == status.name;
  });
  if (known != kKnownCauses.end()) throw Error(known->code, message, known->hint);
  throw Error(ErrorCode::kIo, message, "penstock info shows devices and versions");
}

}  // namespace penstock::train::cuda
