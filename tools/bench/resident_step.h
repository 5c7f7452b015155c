// A training step on a batch that stays in memory: a network, its program, and pixels made up once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/host_memory.h"
#include "tools/bench/bench_threads.h"
#include "train/backend/backend.h"

namespace penstock::tools::bench {

/// Pixels of mean 0 and deviation 1, rounded to the elements of `spec`, or bytes of any value, and labels, drawn
/// from the seed.
class MadeUpBatch {
 public:
  MadeUpBatch(const BatchSpec& spec, std::uint32_t num_classes, unsigned seed,
              const std::shared_ptr<HostMemory>& memory = page_aligned_memory());
  /// A lease that owns nothing: the batch must outlive it.
  BatchLease lease() const;
  std::uint64_t size_bytes() const { return pixels_.size_bytes(); }

 private:
  BatchSpec spec_;
  HostBuffer pixels_;
  std::vector<std::uint32_t> labels_;
  std::vector<float> weights_;
};

/// One training step: the batch up, all phases, the slot given back, reports taken. Waits for none of it where the
/// backend need not; `idx` counts steps, which take slots in turn.
void begin_step(train::Backend& backend, train::Program& program, BatchLease lease,
                std::uint64_t idx);

/// Weights are the graph's initial ones; each step moves them.
class ResidentStep {
 public:
  ResidentStep(train::Backend& backend, const train::ModelGraph& graph,
               const train::Lowering& lowering);
  ResidentStep(const ResidentStep&) = delete;
  ResidentStep& operator=(const ResidentStep&) = delete;

  /// Forward, backward, update; waits for the end.
  void take();
  /// Takes `num_steps`, waits for the last, and returns their time.
  RunTime take_timed(std::uint32_t num_steps);

  train::Program& program() { return *program_; }
  /// As planned, before it was there.
  std::uint64_t arena_bytes() const { return arena_->size_bytes(); }
  /// What came to be held when the arena was made: by the process, as the kernel counts it, or on the backend's
  /// device.
  std::uint64_t arena_held_bytes() const { return arena_held_bytes_; }
  std::uint64_t batch_bytes() const { return batch_.size_bytes(); }
  /// Of the largest tensor: beside its place while initial weights are drawn.
  std::uint64_t drawing_bytes() const;

 private:
  train::Backend& backend_;
  std::unique_ptr<train::BoundArena> arena_;  // outlives the program
  std::unique_ptr<train::Program> program_;
  MadeUpBatch batch_;
  std::uint64_t arena_held_bytes_ = 0;
  std::uint64_t num_taken_ = 0;
};

}  // namespace penstock::tools::bench
