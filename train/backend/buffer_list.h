// The buffers of a program while it is lowered, and their places once it is bound. Lifetimes follow
// from the steps that use a buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "train/backend/program.h"

namespace penstock::train {

using BufferId = std::uint32_t;
inline constexpr BufferId kNoBuffer = UINT32_MAX;

class BufferList {
 public:
  /// `align` is a power of two.
  BufferId add(std::string name, Role role, std::size_t bytes, std::size_t align = Buffer{}.align);

  /// Says that step `step` reads or writes the buffer.
  void use(BufferId id, std::uint32_t step);

  std::span<const Buffer> buffers() const noexcept { return buffers_; }
  std::size_t bytes(BufferId id) const { return buffers_.at(id).bytes; }

  /// Throws InvalidArgument when the offsets do not fit the buffers or the arena.
  void bind(DeviceMemory& arena, std::span<const std::size_t> offsets);
  bool is_bound() const noexcept { return !places_.empty(); }

  /// Returns where a buffer lies; null for kNoBuffer.
  template <class T>
  T* at(BufferId id) const {
    return id == kNoBuffer ? nullptr : reinterpret_cast<T*>(places_.at(id));
  }

 private:
  std::vector<Buffer> buffers_;
  std::vector<std::byte*> places_;
};

}  // namespace penstock::train
