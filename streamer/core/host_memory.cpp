#include "streamer/core/host_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"

namespace penstock {
namespace {

constexpr std::size_t kLargeBytes = 4u << 20;  // holds a huge page of 2 MiB wherever it begins

class PageAlignedMemory final : public HostMemory {
 public:
  void* allocate(std::size_t bytes) override {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      const int error_number = errno;
      throw Error(ErrorCode::kOutOfMemory,
                  "allocate host memory: mmap: expected " + format_bytes(bytes) +
                      ", found: " + std::generic_category().message(error_number),
                  "", error_number);
    }
    // Buffers that are walked through from end to end at memory's speed: looking up their pages cost
    // 1 % of a cropped photograph. Fails where the system has no huge pages.
    if (bytes >= kLargeBytes) static_cast<void>(madvise(memory, bytes, MADV_HUGEPAGE));
    return memory;
  }
  void free(void* memory, std::size_t bytes) noexcept override { munmap(memory, bytes); }
  std::string_view kind() const noexcept override { return "page-aligned"; }
};

}  // namespace

std::shared_ptr<HostMemory> page_aligned_memory() {
  static const auto memory = std::make_shared<PageAlignedMemory>();
  return memory;
}

void discard_pages(std::span<std::byte> pages) noexcept {
  if (pages.empty()) return;
  // First, so that no huge page put together over their beginning brings some back. Fails where there
  // are none.
  static_cast<void>(madvise(pages.data(), pages.size(), MADV_NOHUGEPAGE));
  // Fails for addresses that are not mapped only, and these are.
  static_cast<void>(madvise(pages.data(), pages.size(), MADV_DONTNEED));
}

HostBuffer::HostBuffer(std::shared_ptr<HostMemory> memory, std::size_t bytes)
    : memory_(std::move(memory)), bytes_(bytes) {
  if (bytes_ > 0) data_ = static_cast<std::byte*>(memory_->allocate(bytes_));
}

HostBuffer::HostBuffer(HostBuffer&& other) noexcept
    : memory_(std::move(other.memory_)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)) {}

HostBuffer& HostBuffer::operator=(HostBuffer&& other) noexcept {
  HostBuffer taken(std::move(other));
  std::swap(memory_, taken.memory_);
  std::swap(data_, taken.data_);
  std::swap(bytes_, taken.bytes_);
  return *this;
}

HostBuffer::~HostBuffer() {
  if (data_ != nullptr) memory_->free(data_, bytes_);
}

}  // namespace penstock
