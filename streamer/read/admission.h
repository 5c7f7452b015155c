// From positions of an epoch to priced sample runs. No I/O, no threads: the loader's admission
// thread calls this and then waits for memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "streamer/core/batch.h"
#include "streamer/read/cache_form.h"
#include "streamer/read/sample_costs.h"
#include "streamer/read/sample_run.h"
#include "streamer/shard/dataset.h"

namespace penstock {

/// What a transform is told of a sample before anything of it is read.
SampleInfo sample_info(const IndexRecord& record, std::uint64_t sample_id) noexcept;

/// Plans samples: looks up the index, asks the transform for its plan and the codec for its price.
///
/// Threads  immutable
class Admission {
 public:
  struct Config {
    BatchSpec spec = {};
    std::uint64_t seed = 0;
    std::size_t max_run_bytes = 0;  // a run above it holds a single sample
    std::uint32_t max_run_samples = kMaxRunSamples;
  };

  struct Place {
    std::uint64_t sample_id = 0;
    std::uint64_t position = 0;
    std::uint32_t epoch = 0;
  };

  Admission(DatasetSplit split, Config config, std::shared_ptr<const SampleTransform> transform);

  /// Fills `task` for `place`.
  /// Errors  those of DatasetSplit::record(), with the sample before them
  void plan(const Place& place, SampleTask& task) const;

  /// Returns how many of the leading `tasks` make the next run, at least 1.
  std::uint32_t next_run_size(std::span<const SampleTask> tasks) const noexcept;

 private:
  DatasetSplit split_;
  Config config_;
  std::shared_ptr<const SampleTransform> transform_;  // shared with the loader
};

/// Computes what the samples of a split hold while they are in flight, and what a cache would keep
/// of them.
///
/// Cost    one pass over the index, in constant memory
/// Errors  those of DatasetSplit::scan_index
SampleCosts sample_costs(const DatasetSplit& split, const BatchSpec& spec,
                         const SampleTransform& transform, CacheForm cache = CacheForm::kNone);

}  // namespace penstock
