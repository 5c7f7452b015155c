// Every checksum of a dataset: manifest, shards against it, and what each holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/care/shard_check.h"

namespace penstock::care {

enum class CheckReach : std::uint8_t {
  kBytes,    // every checksum
  kDecoded,  // and every sample by the loader's decoders
};

struct DatasetCheckConfig {
  std::filesystem::path dataset{};
  CheckReach reach = CheckReach::kBytes;
  /// Threads; 0: one per core. Shards are read side by side, samples are decoded so.
  unsigned num_jobs = 0;
  /// The most that decoding may hold at a time, at least 1 MiB; fewer threads decode where that is
  /// little.
  std::uint64_t memory_bytes = 1ull << 30;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// One thing that is wrong: of a sample, of a shard, or of the dataset.
struct Damage {
  std::string split;  // empty: of the whole dataset
  std::string file;   // the shard's; the same
  /// Within the split, as `inspect --sample` and the loader count.
  std::optional<std::uint64_t> sample_idx = std::nullopt;
  std::string name;  // the sample's, where it is known
  std::string what;
};

/// A shard in a form that is not read here, as one that another tool compressed: whole, for all that is known.
struct OtherForm {
  std::string split;
  std::string file;
  std::uint64_t num_samples = 0;  // by the manifest
  std::string what;
  std::string hint;  // the way back
};

struct DatasetCheck {
  std::uint64_t num_shards = 0;
  std::uint64_t num_samples = 0;  // by the manifest
  std::uint64_t num_damaged_samples = 0;
  std::uint64_t num_decoded = 0;
  std::uint64_t read_bytes = 0;
  /// By split, shard, and first what concerns the whole of it.
  std::vector<Damage> damage;
  /// No damage, but no loader reads them either.
  std::vector<OtherForm> other_forms;
  /// Shards in the folder that neither the manifest nor a change of the dataset names: no damage, and nobody
  /// reads them.
  std::vector<std::string> strangers;
  /// A change of the dataset was cut short, or is on its way: no damage.
  bool has_unfinished_change = false;
  std::chrono::duration<double> elapsed{};

  /// Every sample is there and can be read.
  bool is_whole() const noexcept { return damage.empty() && other_forms.empty(); }
};

struct CheckProgress {
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t num_decoded = 0;  // of num_samples; 0 and 0 while checksums are read
  std::uint64_t num_samples = 0;
  std::chrono::duration<double> elapsed{};
};
/// Called on the calling thread.
using CheckListener = std::function<void(const CheckProgress&)>;

/// Checks a dataset. Damage is in the result, not an error. Nobody is kept from changing it meanwhile; what is
/// amiss for that alone is no damage.
///
/// Errors  NotFound, InvalidArgument (no dataset), CorruptData (its manifest, with nothing to go by), Io (what
///         was amiss is of a dataset that was changed meanwhile),
///         OutOfMemory when one sample alone takes more than memory_bytes to decode; Stopped
/// Memory  for each thread what check_shard() says; with kDecoded memory_bytes beside that
DatasetCheck check_dataset(const DatasetCheckConfig& config, const CheckListener& listener,
                           const std::stop_token& stop);

}  // namespace penstock::care
