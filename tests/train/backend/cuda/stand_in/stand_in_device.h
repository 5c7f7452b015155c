// A device that takes every liberty that CUDA may take: work is left lying until somebody must have it, streams
// run in an order that a seed draws, host memory is read when the copy runs, new memory is full of NaN.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/train/backend/cuda/host_gpu/host_gpu.h"
#include "train/backend/cuda/device_api.h"

namespace penstock::tests {

using train::cuda::DeviceStatus;

/// Only one at a time: it takes the launches of all kernels.
class StandInDevice final : public train::cuda::DeviceApi {
 public:
  using Stream = train::cuda::Stream;
  using Event = train::cuda::Event;
  using Graph = train::cuda::Graph;

  explicit StandInDevice(std::uint64_t seed);
  ~StandInDevice() override;

  const train::cuda::DeviceProperties& properties() const noexcept override { return properties_; }
  DeviceStatus memory_info(std::size_t* free_bytes, std::size_t* total_bytes) override;
  DeviceStatus allocate(std::size_t bytes, void** memory) override;
  DeviceStatus free(void* memory) override;
  DeviceStatus allocate_pinned(std::size_t bytes, void** memory) override;
  DeviceStatus free_pinned(void* memory) override;
  DeviceStatus create_stream(Stream* stream) override;
  DeviceStatus destroy_stream(Stream stream) override;
  DeviceStatus synchronize(Stream stream) override;
  DeviceStatus create_event(Event* event) override;
  DeviceStatus destroy_event(Event event) override;
  DeviceStatus record(Event event, Stream stream) override;
  DeviceStatus wait(Stream stream, Event event) override;
  DeviceStatus query(Event event, bool* is_done) override;
  DeviceStatus copy_to_device(void* to, const void* from, std::size_t bytes,
                              Stream stream) override;
  DeviceStatus copy_to_host(void* to, const void* from, std::size_t bytes, Stream stream) override;
  DeviceStatus copy_on_device(void* to, const void* from, std::size_t bytes,
                              Stream stream) override;
  DeviceStatus set_zero(void* to, std::size_t bytes, Stream stream) override;
  DeviceStatus begin_capture(Stream stream) override;
  DeviceStatus end_capture(Stream stream, Graph* graph) override;
  DeviceStatus launch(Graph graph, Stream stream) override;
  DeviceStatus destroy_graph(Graph graph) override;

  /// Work of any kind, in its order.
  void enqueue(Stream stream, std::function<void()> work);

  // What a test sets.
  /// What the device's memory comes to.
  std::size_t memory_bytes = std::size_t{1} << 30;
  /// Of these, what is gone by the time that somebody allocates: a forecast that was wrong.
  std::size_t hidden_bytes = 0;
  /// Graphs that are launched before one of them reads memory that is nobody's; 0: none does. Nothing runs any more
  /// then, and every call fails in the same way.
  std::uint64_t lost_after_launches = 0;
  /// What was captured cannot become a graph.
  bool fails_captures = false;
  /// Allocations are refused with an error of their own: between steps there are none.
  bool forbids_allocation = false;
  /// Waits of streams for events do nothing: a planted fault.
  bool ignores_waits = false;
  train::cuda::DeviceProperties& editable_properties() { return properties_; }

  // What a test asks.
  std::size_t allocated_bytes() const noexcept { return allocated_bytes_; }
  std::uint64_t num_graph_launches() const noexcept { return num_graph_launches_; }
  std::uint64_t num_captures() const noexcept { return num_captures_; }
  /// What a library finds wrong with what it was given.
  void note_fault(const std::string& what) { faults_.push_back(what); }
  /// Calls that CUDA forbids: during a capture, or with what is not the device's.
  const std::vector<std::string>& faults() const noexcept { return faults_; }

 private:
  struct FreeMemory {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };
  struct Block {
    std::unique_ptr<std::byte, FreeMemory> memory;
    std::size_t bytes;
  };

  DeviceStatus fault(const std::string& call, const char* name);
  bool is_lost() const noexcept {
    return lost_after_launches > 0 && num_graph_launches_ > lost_after_launches;
  }
  static DeviceStatus lost(const char* call);
  bool is_capturing() const noexcept { return capturing_ != nullptr; }
  /// Runs some work that may run, or none.
  void run_some();
  bool run_one();
  DeviceStatus allocate_in(std::map<void*, Block>& blocks, const char* call, std::size_t bytes,
                           void** memory);

  train::cuda::DeviceProperties properties_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<CUstream_st>> streams_;
  std::vector<std::unique_ptr<CUevent_st>> events_;
  std::map<void*, Block> device_blocks_;
  std::map<void*, Block> pinned_blocks_;
  std::size_t allocated_bytes_ = 0;
  std::uint64_t num_graph_launches_ = 0;
  std::uint64_t num_captures_ = 0;
  Stream capturing_ = nullptr;
  std::vector<std::string> faults_;
  HostLaunchTaker launches_;
};

}  // namespace penstock::tests
