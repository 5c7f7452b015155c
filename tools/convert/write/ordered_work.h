// Work on many threads whose results arrive in order on one: what is made of them does not depend
// on the number of threads. Knows nothing of pictures.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace penstock::convert {

struct OrderedWorkConfig {
  std::size_t num_items = 0;
  unsigned num_threads = 1;
  /// Results that may wait for an earlier one: bounds the memory they hold.
  std::size_t window = 16;
};

/// Calls produce(thread_idx, item_idx) for every item, each on one of the threads, and
/// consume(item_idx, result) on the calling thread, by item_idx. The first exception of either, by
/// item, stops the work, joins the threads and is thrown on.
template <class Result>
class OrderedWork {
 public:
  using Produce = std::function<Result(unsigned thread_idx, std::size_t item_idx)>;
  using Consume = std::function<void(std::size_t item_idx, Result result)>;

  OrderedWork(OrderedWorkConfig config, Produce produce)
      : config_(config), produce_(std::move(produce)), slots_(config.window) {}

  void run(const Consume& consume) {
    std::vector<std::jthread> threads;
    const Halt halt_before_join(*this);  // destroyed first
    for (unsigned t = 0; t < config_.num_threads; ++t) {
      threads.emplace_back([this, t] { work(t); });
    }
    for (std::size_t i = 0; i < config_.num_items; ++i) consume(i, take(i));
  }

 private:
  struct Slot {
    std::optional<Result> result;
    std::exception_ptr error;
  };

  class Halt {
   public:
    explicit Halt(OrderedWork& work) : work_(work) {}
    ~Halt() {
      const std::lock_guard lock(work_.mutex_);
      work_.is_halted_ = true;
      work_.changed_.notify_all();
    }

   private:
    OrderedWork& work_;
  };

  void work(unsigned thread_idx) {
    while (const std::optional<std::size_t> item = next_item()) {
      Slot slot;
      try {
        slot.result.emplace(produce_(thread_idx, *item));
      } catch (...) {
        slot.error = std::current_exception();
      }
      const std::lock_guard lock(mutex_);
      slots_[*item % slots_.size()] = std::move(slot);
      changed_.notify_all();
    }
  }

  std::optional<std::size_t> next_item() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] {
      return is_halted_ || next_ == config_.num_items || next_ < num_taken_ + slots_.size();
    });
    if (is_halted_ || next_ == config_.num_items) return std::nullopt;
    return next_++;
  }

  Result take(std::size_t item) {
    std::unique_lock lock(mutex_);
    Slot& slot = slots_[item % slots_.size()];
    changed_.wait(lock, [&] { return slot.result || slot.error; });
    if (slot.error) std::rethrow_exception(slot.error);
    Result result = std::move(*slot.result);
    slot = {};
    num_taken_ = item + 1;
    changed_.notify_all();
    return result;
  }

  const OrderedWorkConfig config_;
  const Produce produce_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot> slots_;    // guarded by mutex_; item i lies in slot i % window
  std::size_t next_ = 0;       // guarded by mutex_
  std::size_t num_taken_ = 0;  // guarded by mutex_
  bool is_halted_ = false;     // guarded by mutex_
};

}  // namespace penstock::convert
