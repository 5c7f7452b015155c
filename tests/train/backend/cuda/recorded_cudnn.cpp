#include "tests/train/backend/cuda/recorded_cudnn.h"

#include <dlfcn.h>

#include <utility>

namespace penstock::tests {
namespace {

int stands_for_handle = 0;

Sides sides_of(cudnnTensorDescriptor_t tensor) {
  cudnnDataType_t type{};
  Sides sides{};
  Sides strides{};
  cudnnGetTensor4dDescriptor(tensor, &type, &sides[0], &sides[1], &sides[2], &sides[3], &strides[0],
                             &strides[1], &strides[2], &strides[3]);
  return sides;
}

Sides sides_of(cudnnFilterDescriptor_t filter) {
  cudnnDataType_t type{};
  cudnnTensorFormat_t format{};
  Sides sides{};
  cudnnGetFilter4dDescriptor(filter, &type, &format, &sides[0], &sides[1], &sides[2], &sides[3]);
  return sides;
}

cudnnStatus_t note(RecordedCall call) {
  RecordedCudnn::current().calls.push_back(std::move(call));
  return CUDNN_STATUS_SUCCESS;
}

// The fastest needs too much, the next is not the same every time.
template <class Perf>
cudnnStatus_t give_algorithms(int* count, Perf* found) {
  *count = 3;
  for (int i = 0; i < 3; ++i) {
    found[i] = {};
    found[i].status = CUDNN_STATUS_SUCCESS;
    found[i].algo = static_cast<decltype(found[i].algo)>(i);
    found[i].memory = i == 0 ? std::size_t{300} << 20 : std::size_t{1} << 20;
    found[i].determinism = i == 1 ? CUDNN_NON_DETERMINISTIC : CUDNN_DETERMINISTIC;
    found[i].mathType = CUDNN_FMA_MATH;
  }
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

RecordedCudnn& RecordedCudnn::current() {
  static RecordedCudnn recorded;
  return recorded;
}

void give_handle(train::cuda::ProductLibraries& libraries) {
  RecordedCudnn::current() = {};
  libraries.cudnn.reset(reinterpret_cast<cudnnHandle_t>(&stands_for_handle));
}

}  // namespace penstock::tests

using namespace penstock::tests;

extern "C" cudnnStatus_t cudnnDestroy(cudnnHandle_t) {
  return CUDNN_STATUS_SUCCESS;
}

extern "C" cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t stream) {
  RecordedCudnn::current().streams.push_back(stream);
  return CUDNN_STATUS_SUCCESS;
}

// A variant pack does not say what was put into it, so it is noted on its way to cuDNN.
extern "C" cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor,
                                                  cudnnBackendAttributeName_t name,
                                                  cudnnBackendAttributeType_t type,
                                                  std::int64_t count, const void* values) {
  static const auto of_cudnn = reinterpret_cast<decltype(&cudnnBackendSetAttribute)>(
      dlsym(RTLD_NEXT, "cudnnBackendSetAttribute"));
  auto& packs = RecordedCudnn::current().packs;
  if (name == CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS) {
    const auto* const uids = static_cast<const std::int64_t*>(values);
    packs[descriptor].uids.assign(uids, uids + count);
  } else if (name == CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS) {
    const auto* const pointers = static_cast<void* const*>(values);
    packs[descriptor].pointers.assign(pointers, pointers + count);
  } else if (name == CUDNN_ATTR_VARIANT_PACK_WORKSPACE) {
    packs[descriptor].workspace = *static_cast<void* const*>(values);
  }
  return of_cudnn(descriptor, name, type, count, values);
}

extern "C" cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  static const auto of_cudnn =
      reinterpret_cast<decltype(&cudnnBackendFinalize)>(dlsym(RTLD_NEXT, "cudnnBackendFinalize"));
  const auto& finalized = RecordedCudnn::current().finalized;
  return finalized ? *finalized : of_cudnn(descriptor);
}

extern "C" cudaError_t CUDARTAPI cudaPeekAtLastError() {
  return RecordedCudnn::current().last_error;
}

extern "C" cudaError_t CUDARTAPI cudaGetLastError() {
  RecordedCudnn& recorded = RecordedCudnn::current();
  return std::exchange(recorded.last_error, recorded.device_state);
}

extern "C" cudaError_t CUDARTAPI cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  *free_bytes = *total_bytes = 0;
  return RecordedCudnn::current().device_state;
}

extern "C" cudnnStatus_t cudnnBackendExecute(cudnnHandle_t, cudnnBackendDescriptor_t,
                                             cudnnBackendDescriptor_t descriptor) {
  const RecordedPack& pack = RecordedCudnn::current().packs[descriptor];
  if (pack.uids.size() != pack.pointers.size()) return CUDNN_STATUS_BAD_PARAM;
  RecordedCall call{.name = "cudnnBackendExecute", .workspace = pack.workspace};
  for (std::size_t i = 0; i < pack.uids.size(); ++i) call.by_uid[pack.uids[i]] = pack.pointers[i];
  RecordedCudnn::current().last_pack = descriptor;
  note(std::move(call));
  return RecordedCudnn::current().executed;
}

extern "C" cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(
    cudnnHandle_t, const cudnnTensorDescriptor_t, const cudnnFilterDescriptor_t,
    const cudnnConvolutionDescriptor_t, const cudnnTensorDescriptor_t, const int, int* count,
    cudnnConvolutionFwdAlgoPerf_t* found) {
  return give_algorithms(count, found);
}

extern "C" cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(
    cudnnHandle_t, const cudnnFilterDescriptor_t, const cudnnTensorDescriptor_t,
    const cudnnConvolutionDescriptor_t, const cudnnTensorDescriptor_t, const int, int* count,
    cudnnConvolutionBwdDataAlgoPerf_t* found) {
  return give_algorithms(count, found);
}

extern "C" cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(
    cudnnHandle_t, const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t,
    const cudnnConvolutionDescriptor_t, const cudnnFilterDescriptor_t, const int, int* count,
    cudnnConvolutionBwdFilterAlgoPerf_t* found) {
  return give_algorithms(count, found);
}

extern "C" cudnnStatus_t cudnnConvolutionForward(
    cudnnHandle_t, const void*, const cudnnTensorDescriptor_t x_sides, const void* x,
    const cudnnFilterDescriptor_t w_sides, const void* w, const cudnnConvolutionDescriptor_t,
    cudnnConvolutionFwdAlgo_t algorithm, void* workspace, std::size_t workspace_bytes, const void*,
    const cudnnTensorDescriptor_t y_sides, void* y) {
  return note({.name = "cudnnConvolutionForward",
               .operands = {{"x", {x, sides_of(x_sides)}},
                            {"w", {w, sides_of(w_sides)}},
                            {"y", {y, sides_of(y_sides)}}},
               .workspace = workspace,
               .workspace_bytes = workspace_bytes,
               .algorithm = algorithm});
}

extern "C" cudnnStatus_t cudnnConvolutionBackwardData(
    cudnnHandle_t, const void*, const cudnnFilterDescriptor_t w_sides, const void* w,
    const cudnnTensorDescriptor_t dy_sides, const void* dy, const cudnnConvolutionDescriptor_t,
    cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace, std::size_t workspace_bytes,
    const void*, const cudnnTensorDescriptor_t dx_sides, void* dx) {
  return note({.name = "cudnnConvolutionBackwardData",
               .operands = {{"w", {w, sides_of(w_sides)}},
                            {"dy", {dy, sides_of(dy_sides)}},
                            {"dx", {dx, sides_of(dx_sides)}}},
               .workspace = workspace,
               .workspace_bytes = workspace_bytes,
               .algorithm = algorithm});
}

extern "C" cudnnStatus_t cudnnConvolutionBackwardFilter(
    cudnnHandle_t, const void*, const cudnnTensorDescriptor_t x_sides, const void* x,
    const cudnnTensorDescriptor_t dy_sides, const void* dy, const cudnnConvolutionDescriptor_t,
    cudnnConvolutionBwdFilterAlgo_t algorithm, void* workspace, std::size_t workspace_bytes,
    const void*, const cudnnFilterDescriptor_t dw_sides, void* dw) {
  return note({.name = "cudnnConvolutionBackwardFilter",
               .operands = {{"x", {x, sides_of(x_sides)}},
                            {"dy", {dy, sides_of(dy_sides)}},
                            {"dw", {dw, sides_of(dw_sides)}}},
               .workspace = workspace,
               .workspace_bytes = workspace_bytes,
               .algorithm = algorithm});
}

extern "C" cudnnStatus_t cudnnAddTensor(cudnnHandle_t, const void*,
                                        const cudnnTensorDescriptor_t a_sides, const void* a,
                                        const void*, const cudnnTensorDescriptor_t c_sides,
                                        void* c) {
  return note({.name = "cudnnAddTensor",
               .operands = {{"A", {a, sides_of(a_sides)}}, {"C", {c, sides_of(c_sides)}}}});
}
