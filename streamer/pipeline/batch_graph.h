// The flow graph: what happens to a run between its decoding and the consumer.
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
    std::function<void(const SampleRun&)> augment;                        // in parallel
    std::function<std::optional<FilledBatch>(const SampleRun&)> collate;  // one at a time
    std::function<void(const FilledBatch&)> deliver;                      // one at a time, in order
    std::function<void(std::exception_ptr)> on_error;
  };

  BatchGraph(std::uint32_t num_augmenters, Stages stages);
  ~BatchGraph();  // cancels what is left and joins

  void push(const SampleRun& run);
  void cancel() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
