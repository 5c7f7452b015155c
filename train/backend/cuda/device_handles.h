// Streams, events, graphs and memory of a device as owners: what was made is given back.
#pragma once

#include <cstddef>
#include <utility>

#include "streamer/core/memory_budget.h"
#include "train/backend/cuda/device_api.h"
#include "train/backend/cuda/device_error.h"

namespace penstock::train::cuda {

/// Owns one handle. An error while it is destroyed has no one to tell: the device is lost anyhow.
template <class Handle, DeviceStatus (DeviceApi::*kDestroy)(Handle)>
class UniqueDeviceHandle {
 public:
  UniqueDeviceHandle() = default;
  UniqueDeviceHandle(DeviceApi& api, Handle handle) noexcept : api_(&api), handle_(handle) {}
  UniqueDeviceHandle(UniqueDeviceHandle&& other) noexcept
      : api_(other.api_), handle_(std::exchange(other.handle_, nullptr)) {}
  UniqueDeviceHandle& operator=(UniqueDeviceHandle&& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~UniqueDeviceHandle() {
    if (handle_ != nullptr) static_cast<void>((api_->*kDestroy)(handle_));
  }

  Handle get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return handle_ != nullptr; }

 private:
  DeviceApi* api_ = nullptr;
  Handle handle_ = nullptr;
};

using UniqueStream = UniqueDeviceHandle<Stream, &DeviceApi::destroy_stream>;
using UniqueEvent = UniqueDeviceHandle<Event, &DeviceApi::destroy_event>;
using UniqueGraph = UniqueDeviceHandle<Graph, &DeviceApi::destroy_graph>;
using UniqueDeviceBytes = UniqueDeviceHandle<void*, &DeviceApi::free>;
using UniquePinnedBytes = UniqueDeviceHandle<void*, &DeviceApi::free_pinned>;

inline UniqueStream make_stream(DeviceApi& api) {
  Stream stream = nullptr;
  check_device(api.create_stream(&stream));
  return {api, stream};
}

inline UniqueEvent make_event(DeviceApi& api) {
  Event event = nullptr;
  check_device(api.create_event(&event));
  return {api, event};
}

inline UniqueDeviceBytes allocate_on_device(DeviceApi& api, std::size_t bytes) {
  void* memory = nullptr;
  check_device(api.allocate(bytes, &memory), "device memory: " + format_bytes(bytes));
  return {api, memory};
}

inline UniquePinnedBytes allocate_pinned(DeviceApi& api, std::size_t bytes) {
  void* memory = nullptr;
  check_device(api.allocate_pinned(bytes, &memory), "pinned memory: " + format_bytes(bytes));
  return {api, memory};
}

}  // namespace penstock::train::cuda
