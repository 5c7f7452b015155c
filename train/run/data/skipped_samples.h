// The samples that a run left out because their data failed: each one named once.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/shard/dataset.h"

namespace penstock::train {

inline constexpr const char* kSkippedName = "skipped.csv";

struct SkippedSample {
  std::uint32_t epoch_idx = 0;  // of the first time
  std::string split;
  std::uint64_t sample_id = 0;
  std::string name;   // path relative to the conversion's source; empty when that was left out
  std::string shard;  // file name
  SampleFault fault;
};

/// "sample 17 of split train (cat/17.jpg, train-00000.h5): checksum: stored 12, found 34"
std::string skipped_text(const SkippedSample& sample);

class SkippedSamples {
 public:
  /// More are counted by the pass, but no longer listed: a list has to end within memory.
  static constexpr std::size_t kMaxListed = 10'000;

  /// Notes a failed sample. Returns it when it is new, else null; valid until the next call.
  const SkippedSample* add(const DatasetSplit& split, std::uint32_t epoch_idx,
                           const SampleEvent& event);

  /// In the order in which they were met.
  const std::vector<SkippedSample>& list() const noexcept { return list_; }
  /// A line of names, then `epoch,split,sample_id,name,shard,reason,detail` for each.
  std::string csv() const;

 private:
  std::set<std::pair<std::string, std::uint64_t>> seen_;  // split and sample
  std::vector<SkippedSample> list_;
};

}  // namespace penstock::train
