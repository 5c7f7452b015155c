// A queue that allocates nothing once it is as long as it gets: std::deque takes and gives back
// memory for ever.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace penstock {

/// First in, first out, round and round in one array, which doubles when it is full.
///
/// Threads  none: whoever owns it guards it
template <class T>
class RingQueue {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit RingQueue(std::size_t capacity)
      : items_(std::bit_ceil(std::max<std::size_t>(capacity, 1))) {}

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  void push_back(const T& item) {
    if (size_ == items_.size()) grow();
    items_[place(size_)] = item;
    ++size_;
  }
  /// The queue must not be empty.
  const T& front() const noexcept { return items_[first_]; }
  void pop_front() noexcept {
    first_ = place(1);
    --size_;
  }

 private:
  std::size_t place(std::size_t idx) const noexcept {
    return (first_ + idx) & (items_.size() - 1);  // the size is a power of two
  }

  void grow() {
    std::vector<T> larger(2 * items_.size());
    for (std::size_t i = 0; i < size_; ++i) larger[i] = items_[place(i)];
    items_.swap(larger);
    first_ = 0;
  }

  std::vector<T> items_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace penstock
