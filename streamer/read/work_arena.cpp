#include "streamer/read/work_arena.h"

#include <algorithm>

#include "streamer/core/error.h"

namespace penstock {

WorkArena::WorkArena(std::size_t size_bytes, MemoryBudget& budget, std::size_t max_blocks)
    : share_(budget.draw(align_up(size_bytes), "samples in flight")),
      memory_(page_aligned_memory(), align_up(size_bytes)) {
  free_.reserve(max_blocks + 1);
  free_.push_back({0, memory_.size_bytes()});
}

std::optional<WorkBlock> WorkArena::acquire(std::size_t size_bytes, const std::stop_token& stop) {
  const std::size_t wanted = align_up(std::max<std::size_t>(size_bytes, 1));
  check_internal(wanted <= memory_.size_bytes(), "a request larger than the arena was admitted");
  std::unique_lock lock(mutex_);
  std::optional<WorkBlock> block = take_first_fit(wanted);
  if (block) return block;
  const Stopwatch::Scope waiting(waiting_);
  freed_.wait(lock, stop, [&] {
    block = take_first_fit(wanted);
    return block.has_value();
  });
  return block;
}

std::optional<WorkBlock> WorkArena::take_first_fit(std::size_t size_bytes) {
  const auto fit = std::find_if(free_.begin(), free_.end(), [&](const WorkBlock& free) {
    return free.size_bytes >= size_bytes;
  });
  if (fit == free_.end()) return std::nullopt;
  const WorkBlock block{fit->offset_bytes, size_bytes};
  fit->offset_bytes += size_bytes;
  fit->size_bytes -= size_bytes;
  if (fit->size_bytes == 0) free_.erase(fit);
  used_bytes_ += size_bytes;
  high_water_bytes_ = std::max(high_water_bytes_, used_bytes_);
  return block;
}

void WorkArena::release(const WorkBlock& block) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    used_bytes_ -= block.size_bytes;
    auto next = std::find_if(free_.begin(), free_.end(), [&](const WorkBlock& free) {
      return free.offset_bytes > block.offset_bytes;
    });
    next = free_.insert(next, block);
    const auto joins = [](const WorkBlock& a, const WorkBlock& b) {
      return a.offset_bytes + a.size_bytes == b.offset_bytes;
    };
    if (next + 1 != free_.end() && joins(*next, *(next + 1))) {
      next->size_bytes += (next + 1)->size_bytes;
      free_.erase(next + 1);
    }
    if (next != free_.begin() && joins(*(next - 1), *next)) {
      (next - 1)->size_bytes += next->size_bytes;
      free_.erase(next);
    }
  }
  freed_.notify_one();
}

ArenaStats WorkArena::stats(std::int64_t now_ns) const {
  const std::scoped_lock lock(mutex_);
  return {.in_flight = {.now_bytes = used_bytes_, .most_bytes = high_water_bytes_},
          .wait_ns = waiting_.ns(now_ns)};
}

std::size_t WorkArena::high_water_bytes() const {
  const std::scoped_lock lock(mutex_);
  return high_water_bytes_;
}

}  // namespace penstock
