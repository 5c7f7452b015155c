// An arena in the host's memory, for the backends that compute there.
#pragma once

#include "streamer/core/host_memory.h"
#include "train/backend/backend.h"

namespace penstock::train {

/// Its pages are there from the start: a machine that lacks them says so before the first step, no step
/// waits for one, and what the process holds is what was planned.
class HostArena : public DeviceMemory {
 public:
  explicit HostArena(std::size_t bytes) : buffer_(page_aligned_memory(), bytes) {
    for (std::size_t at = 0; at < bytes; at += kPageBytes) {
      *static_cast<volatile std::byte*>(buffer_.data() + at) = std::byte{0};
    }
  }
  std::byte* base() const noexcept override { return buffer_.data(); }
  std::size_t size_bytes() const noexcept override { return buffer_.size_bytes(); }

 private:
  HostBuffer buffer_;
};

}  // namespace penstock::train
