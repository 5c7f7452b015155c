#include "train/backend/buffer_list.h"

#include <algorithm>
#include <utility>

#include "streamer/core/error.h"
#include "train/backend/backend.h"

namespace penstock::train {

BufferId BufferList::add(std::string name, Role role, std::size_t bytes, std::size_t align) {
  const bool stays = is_persistent(role);
  buffers_.push_back({.name = std::move(name),
                      .role = role,
                      .bytes = bytes,
                      .align = align,
                      .first_step = stays ? 0 : UINT32_MAX,
                      .last_step = stays ? UINT32_MAX : 0});
  return static_cast<BufferId>(buffers_.size() - 1);
}

void BufferList::use(BufferId id, std::uint32_t step) {
  if (id == kNoBuffer) return;
  Buffer& buffer = buffers_.at(id);
  buffer.first_step = std::min(buffer.first_step, step);
  buffer.last_step = std::max(buffer.last_step, step);
}

void BufferList::bind(DeviceMemory& arena, std::span<const std::size_t> offsets) {
  if (offsets.size() != buffers_.size()) {
    throw Error(ErrorCode::kInvalidArgument,
                "program: bind: expected " + std::to_string(buffers_.size()) + " offsets, found " +
                    std::to_string(offsets.size()));
  }
  std::vector<std::byte*> places;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const Buffer& buffer = buffers_[i];
    if (offsets[i] > arena.size_bytes() || buffer.bytes > arena.size_bytes() - offsets[i]) {
      throw Error(ErrorCode::kInvalidArgument,
                  "program: bind: " + buffer.name + ": expected an arena of at least " +
                      std::to_string(offsets[i] + buffer.bytes) + " bytes, found " +
                      std::to_string(arena.size_bytes()));
    }
    places.push_back(arena.base() + offsets[i]);
  }
  places_ = std::move(places);
}

}  // namespace penstock::train
