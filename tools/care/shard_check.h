// Every checksum of one shard: sections, index pages, records, samples.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/core/host_memory.h"
#include "tools/care/care_shard.h"
#include "tools/care/mutual_help.h"
#include "tools/care/sample_run.h"

namespace penstock::care {

/// Bytes that one check reads at a time: they stay in a core's cache until they are hashed.
inline constexpr std::size_t kCheckBlockBytes = 256u << 10;
/// What a check holds for each sample of its shard: place, checksum, length, number, verdict.
inline constexpr std::size_t kCheckSampleBytes = 25;

struct ShardCheck {
  /// Of the shard as a whole, in the words of CareShard::open() and of its sections.
  std::vector<std::string> shard_damage;
  /// By sample number. Samples that no record leads to are among them.
  std::vector<SampleDamage> sample_damage;
  /// By sample: 1 when record and bytes are what was written.
  std::vector<std::uint8_t> is_whole;
  /// By class index, of the records that hold.
  std::vector<std::uint64_t> num_by_class;
  std::uint64_t num_unlabelled = 0;
  std::uint64_t read_bytes = 0;
  /// In how far names and class names hold: by their checksum, or by the uuid where there is none.
  bool are_names_whole = true;
  bool are_class_names_whole = true;
};

/// The checksum of /images is that of bytes which the samples' checksums speak for one by one, where
/// they lie back to back: hashing them once more costs a third of the speed and finds nothing but a
/// wrong number in a header that holds.
enum class ImagesChecksum : std::uint8_t { kWhereSamplesLeaveGaps, kAlways };

struct CheckWatch {
  std::stop_token stop;
  std::atomic<std::uint64_t>* done_bytes = nullptr;  // grows while the shard is read
  ImagesChecksum images = ImagesChecksum::kWhereSamplesLeaveGaps;
};

/// Threads that check shards. Those who help read samples of another's shard, where /images need no
/// checksum of their own.
class CheckCrew {
 public:
  CheckCrew(unsigned num_threads, std::size_t num_shards);

  MutualHelp& help() noexcept { return help_; }
  std::span<std::byte> block(unsigned thread_idx) const { return blocks_[thread_idx].bytes(); }

 private:
  MutualHelp help_;
  // On pages of their own: the kernel copies to an aligned place in two thirds of the time.
  std::vector<HostBuffer> blocks_;
};

/// Checks a shard that was opened; sets CareShard::move_records() where the file was rewritten. The caller is
/// thread_idx of the crew, or alone.
///
/// Errors  Stopped; nothing else: what cannot be read is damage
/// Memory  kCheckBlockBytes a thread and kCheckSampleBytes for each sample
ShardCheck check_shard(CareShard& shard, const CheckWatch& watch, CheckCrew& crew,
                       unsigned thread_idx);
ShardCheck check_shard(CareShard& shard, const CheckWatch& watch);

}  // namespace penstock::care
