// Asks the system to fetch what admitted runs will read, while readers are busy with those before.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "streamer/read/sample_run.h"

namespace penstock {

/// Consecutive bytes of one shard.
struct ReadRange {
  const ShardFile* shard = nullptr;
  std::uint64_t offset_bytes = 0;
  std::uint64_t length_bytes = 0;

  friend bool operator==(const ReadRange&, const ReadRange&) = default;
};

/// The ranges worth a system call, by shard and offset.
class ReadRanges {
 public:
  /// Samples nearer to each other than this are one range: a page more costs less than a call more.
  static constexpr std::uint64_t kMaxGapBytes = 4096;
  /// Shorter ranges are left out: a call for each would cost what decoding so small a sample does.
  static constexpr std::uint64_t kMinRangeBytes = 8192;

  /// Of the samples that the cache does not serve. None when they, two or more, are one range: the
  /// system reads ahead by itself there, and further.
  /// Cost  allocates nothing
  explicit ReadRanges(std::span<const SampleTask> tasks) noexcept;

  std::span<const ReadRange> get() const noexcept { return std::span(ranges_).first(num_ranges_); }

 private:
  std::array<ReadRange, kMaxRunSamples> ranges_;
  std::size_t num_ranges_ = 0;
};

/// Asks for what the samples of a run will be read from; returns before it is there.
void read_ahead(std::span<const SampleTask> tasks) noexcept;

}  // namespace penstock
