// Every checksum of one shard: sections, index pages, records, samples.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/care/care_shard.h"
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
  /// That share the samples of the shard, where /images need no checksum of their own.
  unsigned num_threads = 1;
};

/// Checks a shard that was opened; sets CareShard::move_records() where the file was rewritten.
///
/// Errors  Stopped; nothing else: what cannot be read is damage
/// Memory  kCheckBlockBytes a thread and kCheckSampleBytes for each sample
ShardCheck check_shard(CareShard& shard, const CheckWatch& watch);

}  // namespace penstock::care
