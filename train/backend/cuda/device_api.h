// What the program asks of a device: memory, work in order, events, captured graphs. The module implements it with
// the CUDA runtime, the tests with a machine that takes every liberty CUDA may take. Includes no CUDA header.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/device_status.h"

struct CUevent_st;      // CUDA's own, behind cudaEvent_t
struct CUgraphExec_st;  // and behind cudaGraphExec_t

namespace penstock::train::cuda {

using Event = CUevent_st*;
using Graph = CUgraphExec_st*;  // ready to launch

struct DeviceProperties {
  char name[256] = {};
  std::uint32_t compute_major = 0;  // 9.0: Hopper
  std::uint32_t compute_minor = 0;
  std::uint32_t num_multiprocessors = 0;
  std::uint64_t memory_bytes = 0;
};

/// One device.
///
/// Order    calls with a stream enqueue and return; work of one stream runs in order, that of several in any order
///          that record() and wait() allow
/// Capture  between begin_capture() and end_capture() calls with that stream are kept instead of run. Nothing may
///          be allocated, freed, queried or waited for by the host then
/// Errors   as statuses; nothing is thrown. Work that fails is told of by a later call
/// Threads  one caller at a time
class DeviceApi {
 public:
  virtual ~DeviceApi() = default;

  virtual const DeviceProperties& properties() const noexcept = 0;
  virtual DeviceStatus memory_info(std::size_t* free_bytes, std::size_t* total_bytes) = 0;

  /// Content is undefined.
  virtual DeviceStatus allocate(std::size_t bytes, void** memory) = 0;
  virtual DeviceStatus free(void* memory) = 0;
  /// Page-locked memory of the host.
  virtual DeviceStatus allocate_pinned(std::size_t bytes, void** memory) = 0;
  virtual DeviceStatus free_pinned(void* memory) = 0;

  virtual DeviceStatus create_stream(Stream* stream) = 0;
  virtual DeviceStatus destroy_stream(Stream stream) = 0;
  /// The host waits for all work of the stream.
  virtual DeviceStatus synchronize(Stream stream) = 0;

  virtual DeviceStatus create_event(Event* event) = 0;
  virtual DeviceStatus destroy_event(Event event) = 0;
  virtual DeviceStatus record(Event event, Stream stream) = 0;
  /// Later work of the stream waits for what was recorded last; the host does not.
  virtual DeviceStatus wait(Stream stream, Event event) = 0;
  /// An event that was never recorded is done.
  virtual DeviceStatus query(Event event, bool* is_done) = 0;

  /// Host memory is page-locked, and is read when the work runs, not before.
  virtual DeviceStatus copy_to_device(void* to, const void* from, std::size_t bytes,
                                      Stream stream) = 0;
  virtual DeviceStatus copy_to_host(void* to, const void* from, std::size_t bytes,
                                    Stream stream) = 0;
  virtual DeviceStatus copy_on_device(void* to, const void* from, std::size_t bytes,
                                      Stream stream) = 0;
  virtual DeviceStatus set_zero(void* to, std::size_t bytes, Stream stream) = 0;

  virtual DeviceStatus begin_capture(Stream stream) = 0;
  virtual DeviceStatus end_capture(Stream stream, Graph* graph) = 0;
  virtual DeviceStatus launch(Graph graph, Stream stream) = 0;
  virtual DeviceStatus destroy_graph(Graph graph) = 0;
};

}  // namespace penstock::train::cuda
