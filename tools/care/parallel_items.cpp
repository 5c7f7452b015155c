#include "tools/care/parallel_items.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace penstock::care {

void run_items(const ParallelItems& items,
               const std::function<void(unsigned thread_idx, std::size_t item_idx)>& work,
               const std::function<void()>& tick) {
  const auto num_threads =
      static_cast<unsigned>(std::min<std::size_t>(items.num_threads, items.num_items));
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::condition_variable ended;
  unsigned num_running = num_threads;  // guarded by mutex
  std::exception_ptr failure;          // guarded by mutex
  const auto halt = [&] { next = items.num_items; };
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < num_threads; ++t) {
      threads.emplace_back([&, t] {
        std::exception_ptr caught;
        try {
          for (std::size_t i = next++; i < items.num_items; i = next++) work(t, i);
        } catch (...) {
          caught = std::current_exception();
          halt();
        }
        const std::lock_guard lock(mutex);
        if (caught && !failure) failure = caught;
        --num_running;
        ended.notify_all();
      });
    }
    constexpr std::chrono::milliseconds kTick(100);
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, kTick, [&] { return num_running == 0; })) {
      lock.unlock();
      std::exception_ptr caught;
      try {
        tick();
      } catch (...) {
        caught = std::current_exception();
        halt();
      }
      lock.lock();
      if (caught && !failure) failure = caught;
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace penstock::care
