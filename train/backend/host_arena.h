// An arena in the host's memory, for the backends that compute there.
#pragma once

#include "streamer/core/host_memory.h"
#include "train/backend/backend.h"

namespace penstock::train {

class HostArena : public DeviceMemory {
 public:
  explicit HostArena(std::size_t bytes) : buffer_(page_aligned_memory(), bytes) {}
  std::byte* base() const noexcept override { return buffer_.data(); }
  std::size_t size_bytes() const noexcept override { return buffer_.size_bytes(); }

 private:
  HostBuffer buffer_;
};

}  // namespace penstock::train
