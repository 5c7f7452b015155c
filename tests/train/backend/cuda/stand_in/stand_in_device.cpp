#include "tests/train/backend/cuda/stand_in/stand_in_device.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace penstock::tests {

/// A piece of work, or a wait for the n-th record of an event.
struct StandInWork {
  std::function<void()> run;
  CUevent_st* awaited = nullptr;
  std::uint64_t record = 0;
};

}  // namespace penstock::tests

struct CUevent_st {
  std::uint64_t num_recorded = 0;
  std::uint64_t num_done = 0;
};

struct CUstream_st {
  std::deque<penstock::tests::StandInWork> queue;
  std::vector<std::function<void()>> captured;
};

struct CUgraphExec_st {
  std::vector<std::function<void()>> work;
};

namespace penstock::tests {
namespace {

constexpr std::size_t kGuardBytes = 256;
constexpr std::size_t kAlignment = 256;  // cudaMalloc's
constexpr int kGuardByte = 0xA5;

/// cudaErrorMemoryAllocation, of cudaMalloc.
DeviceStatus out_of_memory(const char* call) {
  return {.code = 2, .call = call, .name = "cudaErrorMemoryAllocation", .text = "out of memory"};
}

}  // namespace

StandInDevice::StandInDevice(std::uint64_t seed)
    : random_(seed), launches_([this](Stream stream, std::function<void()> run) {
        enqueue(stream, std::move(run));
      }) {
  seed_host_gpu(seed);
  std::strncpy(properties_.name, "Stand-in", sizeof(properties_.name) - 1);
  properties_.compute_major = 9;
  properties_.num_multiprocessors = 132;
  properties_.memory_bytes = memory_bytes;
}

StandInDevice::~StandInDevice() = default;

DeviceStatus StandInDevice::fault(const std::string& call, const char* name) {
  faults_.push_back(call + ": " + name);
  return {.code = 900, .call = "stand-in", .name = name, .text = faults_.back().c_str()};
}

DeviceStatus StandInDevice::lost(const char* call) {
  return {.code = 700,
          .call = call,
          .name = "cudaErrorIllegalAddress",
          .text = "an illegal memory access was encountered"};
}

void StandInDevice::enqueue(Stream stream, std::function<void()> work) {
  if (stream == capturing_ && stream != nullptr) {
    stream->captured.push_back(std::move(work));
    return;
  }
  stream->queue.push_back({.run = std::move(work)});
  run_some();
}

void StandInDevice::run_some() {
  if (is_capturing()) return;
  for (auto count = random_() % 3; count > 0; --count) run_one();
}

/// False when nothing may run.
bool StandInDevice::run_one() {
  if (is_lost()) return false;
  std::vector<CUstream_st*> ready;
  for (const auto& stream : streams_) {
    if (stream->queue.empty()) continue;
    const StandInWork& head = stream->queue.front();
    const bool may_run =
        head.awaited == nullptr || ignores_waits || head.awaited->num_done >= head.record;
    if (may_run) ready.push_back(stream.get());
  }
  if (ready.empty()) return false;
  CUstream_st& stream = *ready[random_() % ready.size()];
  const StandInWork work = std::move(stream.queue.front());
  stream.queue.pop_front();
  if (work.run) work.run();
  return true;
}

DeviceStatus StandInDevice::memory_info(std::size_t* free_bytes, std::size_t* total_bytes) {
  *free_bytes = memory_bytes - allocated_bytes_;
  *total_bytes = memory_bytes;
  return {};
}

DeviceStatus StandInDevice::allocate_in(std::map<void*, Block>& blocks, const char* call,
                                        std::size_t bytes, void** memory) {
  if (is_capturing()) return fault(call, "cudaErrorStreamCaptureUnsupported");
  if (forbids_allocation) return fault(call, "allocation within a step");
  const std::size_t rounded = (bytes + kGuardBytes + kAlignment - 1) / kAlignment * kAlignment;
  Block block{{static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded)), {}}, bytes};
  std::memset(block.memory.get(), 0xFF, bytes);  // NaN in every type
  std::memset(block.memory.get() + bytes, kGuardByte, kGuardBytes);
  *memory = block.memory.get();
  blocks.emplace(*memory, std::move(block));
  return {};
}

DeviceStatus StandInDevice::allocate(std::size_t bytes, void** memory) {
  if (is_lost()) return lost("cudaMalloc");
  if (allocated_bytes_ + bytes + hidden_bytes > memory_bytes) return out_of_memory("cudaMalloc");
  const DeviceStatus status = allocate_in(device_blocks_, "cudaMalloc", bytes, memory);
  if (status.is_ok()) allocated_bytes_ += bytes;
  return status;
}

DeviceStatus StandInDevice::free(void* memory) {
  if (is_capturing()) return fault("cudaFree", "cudaErrorStreamCaptureUnsupported");
  while (run_one()) {
  }  // as cudaFree does: it waits for the device
  const auto block = device_blocks_.find(memory);
  if (block == device_blocks_.end()) return fault("cudaFree", "memory of another");
  const std::byte* guard = block->second.memory.get() + block->second.bytes;
  if (std::any_of(guard, guard + kGuardBytes,
                  [](std::byte byte) { return byte != std::byte{kGuardByte}; })) {
    static_cast<void>(fault("cudaFree", "written behind the end of device memory"));
  }
  allocated_bytes_ -= block->second.bytes;
  device_blocks_.erase(block);
  return {};
}

DeviceStatus StandInDevice::allocate_pinned(std::size_t bytes, void** memory) {
  return allocate_in(pinned_blocks_, "cudaHostAlloc", bytes, memory);
}

DeviceStatus StandInDevice::free_pinned(void* memory) {
  while (run_one()) {
  }
  if (pinned_blocks_.erase(memory) == 0) return fault("cudaFreeHost", "memory of another");
  return {};
}

DeviceStatus StandInDevice::create_stream(Stream* stream) {
  streams_.push_back(std::make_unique<CUstream_st>());
  *stream = streams_.back().get();
  return {};
}

DeviceStatus StandInDevice::destroy_stream(Stream stream) {
  static_cast<void>(synchronize(stream));
  std::erase_if(streams_, [&](const auto& owned) { return owned.get() == stream; });
  return {};
}

DeviceStatus StandInDevice::synchronize(Stream stream) {
  if (is_lost()) return lost("cudaStreamSynchronize");
  if (is_capturing()) return fault("cudaStreamSynchronize", "cudaErrorStreamCaptureUnsupported");
  while (!stream->queue.empty()) {
    if (!run_one()) return fault("cudaStreamSynchronize", "waits for ever");
  }
  return {};
}

DeviceStatus StandInDevice::create_event(Event* event) {
  events_.push_back(std::make_unique<CUevent_st>());
  *event = events_.back().get();
  return {};
}

DeviceStatus StandInDevice::destroy_event(Event event) {
  while (run_one()) {
  }  // CUDA keeps an event until what was recorded is done
  std::erase_if(events_, [&](const auto& owned) { return owned.get() == event; });
  return {};
}

DeviceStatus StandInDevice::record(Event event, Stream stream) {
  if (is_lost()) return lost("cudaEventRecord");
  if (is_capturing()) return fault("cudaEventRecord", "cudaErrorStreamCaptureUnsupported");
  const std::uint64_t record = ++event->num_recorded;
  enqueue(stream, [event, record] { event->num_done = std::max(event->num_done, record); });
  return {};
}

DeviceStatus StandInDevice::wait(Stream stream, Event event) {
  if (is_lost()) return lost("cudaStreamWaitEvent");
  if (is_capturing()) return fault("cudaStreamWaitEvent", "cudaErrorStreamCaptureIsolation");
  stream->queue.push_back({.run = {}, .awaited = event, .record = event->num_recorded});
  return {};
}

DeviceStatus StandInDevice::query(Event event, bool* is_done) {
  if (is_lost()) return lost("cudaEventQuery");
  if (is_capturing()) return fault("cudaEventQuery", "cudaErrorStreamCaptureUnsupported");
  run_one();  // who asks often enough sees the end
  *is_done = event->num_done == event->num_recorded;
  return {};
}

DeviceStatus StandInDevice::copy_to_device(void* to, const void* from, std::size_t bytes,
                                           Stream stream) {
  if (is_lost()) return lost("cudaMemcpyAsync");
  enqueue(stream, [=] { std::memcpy(to, from, bytes); });
  return {};
}

DeviceStatus StandInDevice::copy_to_host(void* to, const void* from, std::size_t bytes,
                                         Stream stream) {
  return copy_to_device(to, from, bytes, stream);
}

DeviceStatus StandInDevice::copy_on_device(void* to, const void* from, std::size_t bytes,
                                           Stream stream) {
  return copy_to_device(to, from, bytes, stream);
}

DeviceStatus StandInDevice::set_zero(void* to, std::size_t bytes, Stream stream) {
  if (is_lost()) return lost("cudaMemsetAsync");
  enqueue(stream, [=] { std::memset(to, 0, bytes); });
  return {};
}

DeviceStatus StandInDevice::begin_capture(Stream stream) {
  if (is_lost()) return lost("cudaStreamBeginCapture");
  if (is_capturing()) return fault("cudaStreamBeginCapture", "cudaErrorIllegalState");
  capturing_ = stream;
  return {};
}

DeviceStatus StandInDevice::end_capture(Stream stream, Graph* graph) {
  if (capturing_ != stream) return fault("cudaStreamEndCapture", "cudaErrorIllegalState");
  capturing_ = nullptr;
  if (fails_captures) {
    stream->captured.clear();
    return {.code = 901,
            .call = "cudaStreamEndCapture",
            .name = "cudaErrorStreamCaptureInvalidated",
            .text = "operation failed due to a previous error during capture"};
  }
  ++num_captures_;
  *graph = new CUgraphExec_st{std::exchange(stream->captured, {})};
  return {};
}

DeviceStatus StandInDevice::launch(Graph graph, Stream stream) {
  if (is_lost()) return lost("cudaGraphLaunch");
  ++num_graph_launches_;
  for (const auto& work : graph->work) enqueue(stream, work);
  return {};
}

DeviceStatus StandInDevice::destroy_graph(Graph graph) {
  delete graph;
  return {};
}

}  // namespace penstock::tests
