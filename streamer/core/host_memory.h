// Where large buffers come from: page-aligned memory here, pinned memory when a CUDA module is
// loaded (train/backend/cuda), without the engine knowing which.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace penstock {

/// Largest alignment that any buffer of the engine asks for: one page.
inline constexpr std::size_t kPageBytes = 4096;

/// Allocates large, long-lived buffers.
///
/// Threads   every member may be called from any thread
/// Lifetime  must outlive the buffers taken from it; they share its ownership
class HostMemory {
 public:
  virtual ~HostMemory() = default;

  /// Returns zeroed memory aligned to kPageBytes; throws OutOfMemory.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void free(void* memory, std::size_t bytes) noexcept = 0;
  /// What the memory is, for reports: "page-aligned", "pinned (cudaHostAlloc)".
  virtual std::string_view kind() const noexcept = 0;
};

/// Returns the process's page-aligned memory (anonymous mmap).
std::shared_ptr<HostMemory> page_aligned_memory();

/// Gives whole pages of page_aligned_memory() back to the system; they read as zero.
void discard_pages(std::span<std::byte> pages) noexcept;

/// Owns one allocation of a HostMemory. Move-only.
class HostBuffer {
 public:
  HostBuffer() = default;
  HostBuffer(std::shared_ptr<HostMemory> memory, std::size_t bytes);
  HostBuffer(HostBuffer&& other) noexcept;
  HostBuffer& operator=(HostBuffer&& other) noexcept;
  ~HostBuffer();

  std::byte* data() const noexcept { return data_; }
  std::size_t size_bytes() const noexcept { return bytes_; }
  std::span<std::byte> bytes() const noexcept { return {data_, bytes_}; }

 private:
  std::shared_ptr<HostMemory> memory_;  // shared: the memory outlives its buffers
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace penstock
