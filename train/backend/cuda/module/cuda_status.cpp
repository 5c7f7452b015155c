#include "train/backend/cuda/module/cuda_status.h"

namespace penstock::train::cuda {
namespace {

/// Not a refusal: the library tried, and something did not work.
bool is_failure(const DeviceStatus& status) {
  switch (status.library) {
    case DeviceLibrary::kCudnn:
      return status.code >= CUDNN_STATUS_INTERNAL_ERROR;
    case DeviceLibrary::kCublas:
      return status.code == CUBLAS_STATUS_EXECUTION_FAILED ||
             status.code == CUBLAS_STATUS_INTERNAL_ERROR;
    case DeviceLibrary::kCuda:
      break;
  }
  return false;
}

}  // namespace

const char* keep_text(std::string text) noexcept {
  thread_local std::string kept;
  kept = std::move(text);
  return kept.c_str();
}

DeviceStatus status_of(cudaError_t code, const char* call) noexcept {
  if (code == cudaSuccess) return {};
  return {.library = DeviceLibrary::kCuda,
          .code = static_cast<int>(code),
          .call = call,
          .name = cudaGetErrorName(code),
          .text = cudaGetErrorString(code)};
}

DeviceStatus status_of(cudnnStatus_t code, const char* call) noexcept {
  if (code == CUDNN_STATUS_SUCCESS) return {};
  // The last error's own words are more than the code's name, where there are any.
  char words[512] = "";
  cudnnGetLastErrorString(words, sizeof(words));
  return refusal(code, call, words[0] != '\0' ? words : cudnnGetErrorString(code));
}

DeviceStatus status_of(cublasStatus_t code, const char* call) noexcept {
  if (code == CUBLAS_STATUS_SUCCESS) return {};
  return {.library = DeviceLibrary::kCublas,
          .code = static_cast<int>(code),
          .call = call,
          .name = cublasLtGetStatusName(code),
          .text = cublasLtGetStatusString(code)};
}

bool is_of_device(const DeviceStatus& status) noexcept {
  const bool has_failed_work =
      status.library == DeviceLibrary::kCudnn && status.code >= CUDNN_STATUS_EXECUTION_FAILED;
  return has_failed_work || is_out_of_memory(status) || is_sticky(status);
}

DeviceStatus cause_of(const DeviceStatus& failed) noexcept {
  if (failed.is_ok()) return failed;
  const DeviceStatus last = status_of(cudaPeekAtLastError(), failed.call);
  DeviceStatus state;
  if (is_failure(failed)) {
    // A device that is lost answers nobody; the runtime of this module may not have heard of it yet.
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    state = status_of(cudaMemGetInfo(&free_bytes, &total_bytes), failed.call);
  }
  static_cast<void>(cudaGetLastError());
  if (is_sticky(state)) return state;
  return is_sticky(last) || is_out_of_memory(last) ? last : failed;
}

DeviceStatus refusal(cudnnStatus_t code, const char* call, std::string text) noexcept {
  return {.library = DeviceLibrary::kCudnn,
          .code = static_cast<int>(code),
          .call = call,
          .name = cudnnGetErrorString(code),
          .text = keep_text(std::move(text))};
}

}  // namespace penstock::train::cuda
