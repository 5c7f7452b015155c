#include "train/backend/cuda/module/cuda_status.h"

namespace penstock::train::cuda {

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

DeviceStatus refusal(cudnnStatus_t code, const char* call, std::string text) noexcept {
  return {.library = DeviceLibrary::kCudnn,
          .code = static_cast<int>(code),
          .call = call,
          .name = cudnnGetErrorString(code),
          .text = keep_text(std::move(text))};
}

}  // namespace penstock::train::cuda
