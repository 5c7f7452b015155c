// The flow graph: what happens to a run between its reading and the consumer.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>

#include "streamer/pipeline/batch_stages.h"

namespace penstock {

/// Runs the stages in an arena of its own.
///
/// Threads  push() and cancel() from any thread
/// Errors   what a stage throws is handed to on_error once, and the graph is cancelled
class BatchGraph {
 public:
  struct Stages {
    // In parallel; with the number of the worker that calls it, below num_workers().
    std::function<void(const SampleRun&, std::uint32_t worker)> fill;
    std::function<std::optional<FilledBatch>(const SampleRun&)> collate;  // one at a time
    std::function<void(const FilledBatch&)> finish;                       // in parallel
    std::function<void(const FilledBatch&)> deliver;                      // one at a time, in order
    std::function<void(std::exception_ptr)> on_error;
  };

  BatchGraph(std::uint32_t num_workers, Stages stages);
  ~BatchGraph();  // cancels what is left and joins

  /// Workers that there are: no more than usable cores.
  std::uint32_t num_workers() const noexcept;

  void push(const SampleRun& run);
  void cancel() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
