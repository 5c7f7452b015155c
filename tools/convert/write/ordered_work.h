// Work on many threads whose results arrive in order on one: what is made of them does not depend
// on the number of threads. Knows nothing of pictures.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
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
  /// Items that are worked on, or whose results wait for an earlier one's.
  std::size_t window = 16;
  /// Called once when the work ends, before the threads are joined: wakes whoever waits elsewhere.
  std::function<void()> on_halt = {};
};

/// Calls produce(thread_idx, item_idx, emit) for every item, each on one of the threads, and
/// consume(item_idx, result) on the calling thread for whatever was emitted, by item_idx and, within an
/// item, in the order of emission; the consumer sees an item's first results while it is still worked
/// on. The first exception of either, by item, stops the work, joins the threads and is thrown on.
template <class Result>
class OrderedWork {
 public:
  using Emit = std::function<void(Result result)>;
  using Produce = std::function<void(unsigned thread_idx, std::size_t item_idx, const Emit& emit)>;
  using Consume = std::function<void(std::size_t item_idx, Result result)>;

  OrderedWork(OrderedWorkConfig config, Produce produce)
      : config_(std::move(config)), produce_(std::move(produce)), slots_(config_.window) {}

  void run(const Consume& consume) {
    std::vector<std::jthread> threads;
    const Halt halt_before_join(*this);  // destroyed first
    for (unsigned t = 0; t < config_.num_threads; ++t) {
      threads.emplace_back([this, t] { work(t); });
    }
    for (std::size_t i = 0; i < config_.num_items; ++i) {
      while (std::optional<Result> result = take(i)) consume(i, std::move(*result));
    }
  }

 private:
  struct Slot {
    std::deque<Result> results;
    std::exception_ptr error;
    bool is_done = false;
  };

  class Halt {
   public:
    explicit Halt(OrderedWork& work) : work_(work) {}
    ~Halt() {
      {
        const std::lock_guard lock(work_.mutex_);
        work_.is_halted_ = true;
      }
      work_.room_.notify_all();
      if (work_.config_.on_halt) work_.config_.on_halt();
    }

   private:
    OrderedWork& work_;
  };

  void work(unsigned thread_idx) {
    while (const std::optional<std::size_t> item = next_item()) {
      std::exception_ptr error;
      try {
        produce_(thread_idx, *item, [&](Result result) { put(*item, std::move(result)); });
      } catch (...) {
        error = std::current_exception();
      }
      const std::lock_guard lock(mutex_);
      Slot& slot = slots_[*item % slots_.size()];
      slot.error = error;
      slot.is_done = true;
      if (*item == num_taken_) result_.notify_one();
    }
  }

  void put(std::size_t item, Result result) {
    const std::lock_guard lock(mutex_);
    slots_[item % slots_.size()].results.push_back(std::move(result));
    if (item == num_taken_) result_.notify_one();
  }

  std::optional<std::size_t> next_item() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] {
      return is_halted_ || next_ == config_.num_items || next_ < num_taken_ + slots_.size();
    });
    if (is_halted_ || next_ == config_.num_items) return std::nullopt;
    return next_++;
  }

  // Nothing when the item has no more results.
  std::optional<Result> take(std::size_t item) {
    std::unique_lock lock(mutex_);
    Slot& slot = slots_[item % slots_.size()];
    result_.wait(lock, [&] { return !slot.results.empty() || slot.is_done; });
    if (!slot.results.empty()) {
      Result result = std::move(slot.results.front());
      slot.results.pop_front();
      return result;
    }
    if (slot.error) std::rethrow_exception(slot.error);
    slot = {};
    num_taken_ = item + 1;
    room_.notify_all();
    return std::nullopt;
  }

  const OrderedWorkConfig config_;
  const Produce produce_;
  std::mutex mutex_;
  std::condition_variable room_;    // the window has moved on
  std::condition_variable result_;  // for the item that the consumer waits for
  std::vector<Slot> slots_;         // guarded by mutex_; item i lies in slot i % window
  std::size_t next_ = 0;            // guarded by mutex_
  std::size_t num_taken_ = 0;       // guarded by mutex_
  bool is_halted_ = false;          // guarded by mutex_
};

}  // namespace penstock::convert
