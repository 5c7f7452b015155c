// Samples of a shard that lie one behind another, read block by block and compared with their checksums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "streamer/core/checksum.h"

namespace penstock::care {

/// Where a sample lies and what it must hash to.
struct PlacedSample {
  std::uint64_t offset_bytes = 0;
  std::uint64_t xxh3 = 0;
  std::uint32_t length_bytes = 0;
  std::uint32_t sample_idx = 0;  // within the shard

  std::uint64_t end_bytes() const noexcept { return offset_bytes + length_bytes; }
};

struct SampleDamage {
  std::uint64_t sample_idx = 0;  // within the shard
  std::string what;
};

class SampleRun {
 public:
  /// `samples` by offset, none within another. `is_whole`, by sample of the shard, gets a 1 for each that
  /// holds. Both are borrowed.
  SampleRun(std::span<const PlacedSample> samples, std::span<std::uint8_t> is_whole)
      : samples_(samples), is_whole_(is_whole) {}

  /// Takes what lies at `offset_bytes`, behind what was taken before; `why` where it could not be read.
  void take(std::uint64_t offset_bytes, std::span<const std::byte> block, const std::string* why);

  std::vector<SampleDamage>& damage() noexcept { return damage_; }

 private:
  void conclude(const PlacedSample& sample, std::uint64_t found);

  std::span<const PlacedSample> samples_;
  std::span<std::uint8_t> is_whole_;
  std::size_t next_ = 0;  // the sample that comes next in the file
  StreamHasher hasher_;   // of one that reaches over several blocks
  std::string unread_;    // why a part of the next sample could not be read
  std::vector<SampleDamage> damage_;
};

/// Cuts samples into runs of at least `run_bytes`, but for the last.
std::vector<std::span<const PlacedSample>> cut_runs(std::span<const PlacedSample> samples,
                                                    std::uint64_t run_bytes);

}  // namespace penstock::care
