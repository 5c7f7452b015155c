// Work on many threads while the calling one tells how it goes.
#pragma once

#include <cstddef>
#include <functional>

namespace penstock::care {

struct ParallelItems {
  std::size_t num_items = 0;
  unsigned num_threads = 1;  // no more than items are started
};

/// Calls work(thread_idx, item_idx) once for every item, in rising order of their start, each on one
/// of the threads, and tick() on the calling thread ten times a second. The first exception of either
/// stops the rest and is thrown on once all threads have ended.
void run_items(const ParallelItems& items,
               const std::function<void(unsigned thread_idx, std::size_t item_idx)>& work,
               const std::function<void()>& tick);

}  // namespace penstock::care
