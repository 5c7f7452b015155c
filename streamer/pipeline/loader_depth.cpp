#include "streamer/pipeline/loader_depth.h"

#include <algorithm>

namespace penstock {
namespace {

constexpr std::uint32_t kMaxRuledThreads = 64;
constexpr std::uint64_t kMinWorkBytes = 16u << 20;
// What a run is given memory for: 16 samples, or more of them as long as they take 512 KiB.
constexpr std::uint64_t kRuledRunSamples = 16;
constexpr std::uint64_t kSmallRunBytes = 512u << 10;
constexpr std::uint64_t kMaxRuledRunBytes = 4u << 20;

std::uint64_t ruled_run_bytes(std::uint64_t max_samples, const SampleCosts& costs) noexcept {
  // Stored bytes add up, the rest is there once.
  const auto bytes_of = [&](std::uint64_t num_samples) {
    return costs.mean_bytes + (num_samples - 1) * costs.mean_encoded_bytes;
  };
  const std::uint64_t some = bytes_of(std::min(max_samples, kRuledRunSamples));
  const std::uint64_t many = std::min(bytes_of(max_samples), kSmallRunBytes);
  return std::max<std::uint64_t>(costs.mean_bytes,
                                 std::min(std::max(some, many), kMaxRuledRunBytes));
}

// Runs that the arena should hold at a time.
std::uint64_t num_runs_held(const LoaderConfig& config) noexcept {
  return std::max<std::uint64_t>(2 * std::uint64_t{config.num_readers} + config.num_workers, 4);
}

}  // namespace

LoaderConfig with_ruled_threads(LoaderConfig config, std::uint32_t num_cores) noexcept {
  const std::uint32_t ruled = std::clamp(num_cores, 1u, kMaxRuledThreads);
  if (config.num_readers == 0) config.num_readers = ruled;
  if (config.num_workers == 0) config.num_workers = ruled;
  config.num_workers = std::min(config.num_workers, std::max(num_cores, 1u));
  return config;
}

std::uint64_t ruled_work_bytes(const LoaderConfig& config, const SampleCosts& costs) noexcept {
  const std::uint64_t run_bytes = ruled_run_bytes(config.max_run_samples, costs);
  return std::max(costs.costliest.bytes + num_runs_held(config) * run_bytes, kMinWorkBytes);
}

RunBounds run_bounds(const LoaderConfig& config, std::size_t arena_bytes) noexcept {
  const std::uint64_t num_runs =
      2 * std::uint64_t{std::max(config.num_readers, config.num_workers)};
  const std::uint64_t places = std::uint64_t{config.batch.batch} * (config.num_slots - 1);
  const std::uint64_t fair_share = std::max<std::uint64_t>(places / num_runs, 1);
  return {.max_samples = static_cast<std::uint32_t>(
              std::min<std::uint64_t>(config.max_run_samples, fair_share)),
          .max_bytes = arena_bytes / num_runs_held(config)};
}

}  // namespace penstock
