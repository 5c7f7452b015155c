#include "streamer/read/reader_pool.h"

#include <utility>

#include "streamer/read/read_ahead.h"
#include "streamer/read/sample_reader.h"

namespace penstock {

ReaderPool::ReaderPool(std::uint32_t num_threads, const WorkArena& arena, Callbacks callbacks)
    : arena_(arena), callbacks_(std::move(callbacks)) {
  threads_.reserve(num_threads);
  for (std::uint32_t i = 0; i < num_threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

ReaderPool::~ReaderPool() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void ReaderPool::push(const SampleRun& run) {
  if (must_queue()) read_ahead(run.tasks);
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(run);
  }
  queued_.notify_one();
}

bool ReaderPool::must_queue() {
  const std::scoped_lock lock(mutex_);
  return queue_.size() >= num_waiting_;
}

void ReaderPool::work(const std::stop_token& stop) noexcept {
  try {
    DecoderSet decoders;
    while (const auto run = take(stop)) {
      read_run(*run, arena_.bytes(run->block), decoders, stop);
      if (stop.stop_requested()) return;
      callbacks_.on_decoded(*run);
    }
  } catch (...) {
    callbacks_.on_error(std::current_exception());
  }
}

std::optional<SampleRun> ReaderPool::take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  ++num_waiting_;
  const bool has_run = queued_.wait(lock, stop, [&] { return !queue_.empty(); });
  --num_waiting_;
  if (!has_run) return std::nullopt;
  const SampleRun run = queue_.front();
  queue_.pop_front();
  return run;
}

}  // namespace penstock
