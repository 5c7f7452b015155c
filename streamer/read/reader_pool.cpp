#include "streamer/read/reader_pool.h"

#include <utility>

#include "streamer/read/read_ahead.h"
#include "streamer/read/sample_reader.h"

namespace penstock {

ReaderPool::ReaderPool(std::uint32_t num_threads, const WorkArena& arena, Callbacks callbacks)
    : arena_(arena),
      callbacks_(std::move(callbacks)),
      counters_(std::make_unique<Counters[]>(num_threads)) {
  threads_.reserve(num_threads);
  for (std::uint32_t i = 0; i < num_threads; ++i) {
    threads_.emplace_back(
        [this, &counters = counters_[i]](const std::stop_token& stop) { work(counters, stop); });
  }
}

ReaderPool::~ReaderPool() {
  request_stop();
}

void ReaderPool::request_stop() noexcept {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void ReaderPool::push(const SampleRun& run) {
  if (must_queue()) read_ahead(run.tasks);
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(run);
    queued_bytes_.enter(run.block.size_bytes);
  }
  queued_.notify_one();
}

bool ReaderPool::must_queue() {
  const std::scoped_lock lock(mutex_);
  return queue_.size() >= num_waiting_;
}

ReaderStats ReaderPool::stats(std::int64_t now_ns) const {
  ReaderStats stats{.num_threads = static_cast<std::uint32_t>(threads_.size()),
                    .queued = queued_bytes_.stats()};
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    stats.wait_ns += counters_[i].waiting.ns(now_ns);
    for (std::size_t part = 0; part < kNumRunParts; ++part) {
      stats.busy_ns[part] += counters_[i].busy_ns[part].sum();
    }
  }
  return stats;
}

void ReaderPool::work(Counters& counters, const std::stop_token& stop) noexcept {
  try {
    StreamHasher hasher;
    while (const auto run = take(counters, stop)) {
      add_times(read_run(*run, arena_.bytes(run->block), hasher, stop), counters.busy_ns);
      if (stop.stop_requested()) return;
      callbacks_.on_read(*run);
    }
  } catch (...) {
    callbacks_.on_error(std::current_exception());
  }
}

std::optional<SampleRun> ReaderPool::take(Counters& counters, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (queue_.empty()) {
    const Stopwatch::Scope waiting(counters.waiting);
    ++num_waiting_;
    const bool has_run = queued_.wait(lock, stop, [&] { return !queue_.empty(); });
    --num_waiting_;
    if (!has_run) return std::nullopt;
  }
  const SampleRun run = queue_.front();
  queue_.pop_front();
  queued_bytes_.leave(run.block.size_bytes);
  return run;
}

}  // namespace penstock
