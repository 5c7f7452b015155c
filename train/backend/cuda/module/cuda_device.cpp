#include "train/backend/cuda/module/cuda_device.h"

#include <cuda_runtime_api.h>

#include <cstdio>

#include "train/backend/cuda/module/cuda_status.h"

namespace penstock::train::cuda {
namespace {

/// An error that is told of is no longer CUDA's last one, unless it stays: the next call shall not report it.
DeviceStatus taken(cudaError_t error, const char* call) {
  if (error != cudaSuccess) cudaGetLastError();
  return status_of(error, call);
}

class CudaDevice final : public DeviceApi {
 public:
  CudaDevice(int device_idx, const DeviceProperties& properties)
      : device_idx_(device_idx), properties_(properties) {}

  const DeviceProperties& properties() const noexcept override { return properties_; }

  DeviceStatus memory_info(std::size_t* free_bytes, std::size_t* total_bytes) override {
    if (const DeviceStatus status = select(); !status.is_ok()) return status;
    return taken(cudaMemGetInfo(free_bytes, total_bytes), "cudaMemGetInfo");
  }

  DeviceStatus allocate(std::size_t bytes, void** memory) override {
    if (const DeviceStatus status = select(); !status.is_ok()) return status;
    return taken(cudaMalloc(memory, bytes), "cudaMalloc");
  }
  DeviceStatus free(void* memory) override { return taken(cudaFree(memory), "cudaFree"); }
  DeviceStatus allocate_pinned(std::size_t bytes, void** memory) override {
    if (const DeviceStatus status = select(); !status.is_ok()) return status;
    return taken(cudaHostAlloc(memory, bytes, cudaHostAllocPortable), "cudaHostAlloc");
  }
  DeviceStatus free_pinned(void* memory) override {
    return taken(cudaFreeHost(memory), "cudaFreeHost");
  }

  DeviceStatus create_stream(Stream* stream) override {
    if (const DeviceStatus status = select(); !status.is_ok()) return status;
    // Not ordered with the default stream, which nobody here uses.
    return taken(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking),
                 "cudaStreamCreateWithFlags");
  }
  DeviceStatus destroy_stream(Stream stream) override {
    return taken(cudaStreamDestroy(stream), "cudaStreamDestroy");
  }
  DeviceStatus synchronize(Stream stream) override {
    return taken(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  }

  DeviceStatus create_event(Event* event) override {
    if (const DeviceStatus status = select(); !status.is_ok()) return status;
    return taken(cudaEventCreateWithFlags(event, cudaEventDisableTiming),
                 "cudaEventCreateWithFlags");
  }
  DeviceStatus destroy_event(Event event) override {
    return taken(cudaEventDestroy(event), "cudaEventDestroy");
  }
  DeviceStatus record(Event event, Stream stream) override {
    return taken(cudaEventRecord(event, stream), "cudaEventRecord");
  }
  DeviceStatus wait(Stream stream, Event event) override {
    return taken(cudaStreamWaitEvent(stream, event, 0), "cudaStreamWaitEvent");
  }
  DeviceStatus query(Event event, bool* is_done) override {
    const cudaError_t error = cudaEventQuery(event);
    *is_done = error == cudaSuccess;
    if (error != cudaErrorNotReady) return taken(error, "cudaEventQuery");
    cudaGetLastError();  // an answer, not an error
    return {};
  }

  DeviceStatus copy_to_device(void* to, const void* from, std::size_t bytes,
                              Stream stream) override {
    return copy(to, from, bytes, cudaMemcpyHostToDevice, stream);
  }
  DeviceStatus copy_to_host(void* to, const void* from, std::size_t bytes, Stream stream) override {
    return copy(to, from, bytes, cudaMemcpyDeviceToHost, stream);
  }
  DeviceStatus copy_on_device(void* to, const void* from, std::size_t bytes,
                              Stream stream) override {
    return copy(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
  }
  DeviceStatus set_zero(void* to, std::size_t bytes, Stream stream) override {
    return taken(cudaMemsetAsync(to, 0, bytes, stream), "cudaMemsetAsync");
  }

  DeviceStatus begin_capture(Stream stream) override {
    // Of this thread: a loader that takes page-locked memory meanwhile disturbs nothing.
    return taken(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
                 "cudaStreamBeginCapture");
  }
  DeviceStatus end_capture(Stream stream, Graph* graph) override {
    *graph = nullptr;
    cudaGraph_t captured = nullptr;
    const DeviceStatus ended =
        taken(cudaStreamEndCapture(stream, &captured), "cudaStreamEndCapture");
    if (!ended.is_ok()) return ended;
    const DeviceStatus made =
        taken(cudaGraphInstantiate(graph, captured, 0), "cudaGraphInstantiate");
    cudaGraphDestroy(captured);  // the executable one is a copy
    return made;
  }
  DeviceStatus launch(Graph graph, Stream stream) override {
    return taken(cudaGraphLaunch(graph, stream), "cudaGraphLaunch");
  }
  DeviceStatus destroy_graph(Graph graph) override {
    return taken(cudaGraphExecDestroy(graph), "cudaGraphExecDestroy");
  }

 private:
  /// The current device belongs to the thread, and callers may come from several, one at a time.
  DeviceStatus select() const { return taken(cudaSetDevice(device_idx_), "cudaSetDevice"); }

  static DeviceStatus copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                           Stream stream) {
    return taken(cudaMemcpyAsync(to, from, bytes, kind, stream), "cudaMemcpyAsync");
  }

  int device_idx_;
  DeviceProperties properties_;
};

}  // namespace

std::unique_ptr<DeviceApi> open_cuda_device(int device_idx, DeviceStatus* status) {
  cudaDeviceProp found;
  *status = taken(cudaGetDeviceProperties(&found, device_idx), "cudaGetDeviceProperties");
  if (!status->is_ok()) return nullptr;
  *status = taken(cudaSetDevice(device_idx), "cudaSetDevice");
  if (!status->is_ok()) return nullptr;
  DeviceProperties properties;
  std::snprintf(properties.name, sizeof(properties.name), "%s", found.name);
  properties.compute_major = static_cast<std::uint32_t>(found.major);
  properties.compute_minor = static_cast<std::uint32_t>(found.minor);
  properties.num_multiprocessors = static_cast<std::uint32_t>(found.multiProcessorCount);
  properties.memory_bytes = found.totalGlobalMem;
  return std::make_unique<CudaDevice>(device_idx, properties);
}

}  // namespace penstock::train::cuda
