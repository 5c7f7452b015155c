#include "tools/bench/verify_bench.h"

#include <algorithm>
#include <chrono>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/host_memory.h"
#include "streamer/core/usable_cores.h"
#include "streamer/shard/manifest.h"
#include "tools/bench/bench_threads.h"
#include "tools/care/dataset_check.h"
#include "tools/terminal.h"

namespace penstock::tools::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// As verify reads: a block stays in a core's cache, on pages of its own.
constexpr std::uint64_t kBlockBytes = 256u << 10;

// A part of a shard that one thread reads.
struct Block {
  std::size_t shard_idx = 0;
  std::uint64_t offset_bytes = 0;
};

class Shards {
 public:
  explicit Shards(const fs::path& dataset) {
    const Manifest manifest = read_manifest(dataset);
    for (const ManifestSplit& split : manifest.splits) {
      for (const ManifestShard& shard : split.shards) add(dataset / shard.file);
    }
  }

  std::uint64_t num_bytes() const { return num_bytes_; }
  std::size_t size() const { return files_.size(); }

  RunTime read_all(std::uint32_t num_threads) const {
    return run_on_threads(num_threads, blocks_.size(), [this](const Share& share) {
      const HostBuffer block(page_aligned_memory(), kBlockBytes);
      for (std::size_t i = share.begin; i < share.end; ++i) {
        const Block& place = blocks_[i];
        read_at(files_[place.shard_idx], place.offset_bytes, block.bytes(),
                paths_[place.shard_idx]);
      }
    });
  }

 private:
  void add(const fs::path& path) {
    files_.push_back(open_for_reading(path));
    paths_.push_back(path);
    const std::uint64_t size_bytes = file_size_bytes(files_.back(), path);
    for (std::uint64_t at = 0; at < size_bytes; at += kBlockBytes) {
      blocks_.push_back({files_.size() - 1, at});
    }
    num_bytes_ += size_bytes;
  }

  std::vector<UniqueFd> files_;
  std::vector<fs::path> paths_;
  std::vector<Block> blocks_;
  std::uint64_t num_bytes_ = 0;
};

RunTime verify_once(const VerifyBenchConfig& config) {
  const double cpu_before = process_cpu_seconds();
  const auto start = Clock::now();
  const care::DatasetCheck check =
      care::check_dataset({.dataset = config.dataset, .num_jobs = config.num_threads},
                          [](const care::CheckProgress&) {}, {});
  const RunTime time{.seconds = std::chrono::duration<double>(Clock::now() - start).count(),
                     .cpu_seconds = process_cpu_seconds() - cpu_before};
  if (check.is_whole()) return time;
  throw Error(ErrorCode::kCorruptData,
              "bench verify: " + printable_path(config.dataset) +
                  ": expected a dataset that is whole, found damage",
              "penstock verify names it");
}

}  // namespace

VerifyBenchResult bench_verify(const VerifyBenchConfig& asked) {
  VerifyBenchConfig config = asked;
  if (config.num_threads == 0) config.num_threads = num_usable_cores();
  const Shards shards(config.dataset);
  const std::uint64_t num_mib = shards.num_bytes() >> 20;
  if (num_mib == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "bench verify: " + printable_path(config.dataset) +
                    ": expected at least 1 MiB of shards, found less",
                "a dataset of some hundred MiB gives steady figures");
  }
  return {.num_bytes = shards.num_bytes(),
          .num_shards = shards.size(),
          .num_threads = config.num_threads,
          .num_rounds = config.num_rounds,
          .sides = run_rounds({{.name = kReadSideName,
                                .num_samples = num_mib,
                                .run = [&] { return shards.read_all(config.num_threads); }},
                               {.name = kVerifySideName,
                                .ceiling = kReadSideName,
                                .num_samples = num_mib,
                                .run = [&] { return verify_once(config); }}},
                              config.num_rounds)};
}

}  // namespace penstock::tools::bench
