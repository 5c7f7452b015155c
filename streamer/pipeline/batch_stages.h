// What the nodes of the flow graph do, as plain functions that know nothing of the graph.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>

#include "streamer/core/batch_transform.h"
#include "streamer/core/sample_transform.h"
#include "streamer/pipeline/batch_ring.h"
#include "streamer/read/decoder_set.h"
#include "streamer/read/run_timer.h"
#include "streamer/read/sample_run.h"
#include "streamer/read/work_arena.h"

namespace penstock {

/// A batch whose places are all filled.
struct FilledBatch {
  std::uint64_t seq = 0;
  std::uint32_t slot_idx = 0;
};

/// What fill_run() works with.
struct FillTools {
  const SampleTransform& transform;
  BatchRing& ring;
  WorkArena& arena;
  DecoderSet& decoders;  // the thread's own
};

/// Decodes each picture of `run` and samples it straight into its place of the slot, one after the
/// other, so that pixels are still in the core's cache when they are sampled; zero-fills the places
/// of those that failed. Gives the run's block back. Returns how long decoding and sampling took.
/// Once `stop` is requested places are left as they are.
RunTimes fill_run(const SampleRun& run, const FillTools& tools,
                  const std::stop_token& stop = {}) noexcept;

/// Counts the run's places down; returns the batch when it was the last run.
std::optional<FilledBatch> collate_run(const SampleRun& run, BatchRing& ring) noexcept;

/// Counts failed samples, epoch by epoch, against the stated share.
class BadSampleLimit {
 public:
  struct Config {
    double max_fraction = 0.001;
    std::uint64_t samples_per_epoch = 0;
  };

  explicit BadSampleLimit(Config config) noexcept;

  /// Throws TooManyBad once an epoch has more than the share. A share above 0 allows one sample at
  /// least, so that one bad picture does not end a run on a small split.
  void count(const BatchSlot& slot);

 private:
  std::uint64_t max_bad_;
  std::uint64_t num_bad_ = 0;
  std::uint32_t epoch_ = 0;
};

/// Completes labels, targets, weights, ids and events of a filled slot, clears its padding. `loss_weights` are
/// those of the split's samples, by id; empty: 1 each.
void finish_batch(BatchSlot& slot, const BatchSpec& spec,
                  std::span<const float> loss_weights = {}) noexcept;

/// Hands a finished slot to `transform`, with draws of `seed` at the slot's first position. A batch
/// without samples is left alone.
void transform_batch(BatchSlot& slot, const BatchSpec& spec, std::uint64_t seed,
                     const BatchTransform& transform, const std::stop_token& stop = {}) noexcept;

}  // namespace penstock
