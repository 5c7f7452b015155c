#include "tools/bench/loader_bench.h"

#include <algorithm>
#include <memory>

#include "augment/augment_transform.h"
#include "streamer/core/error.h"
#include "streamer/core/usable_cores.h"
#include "tools/bench/bench_sides.h"
#include "tools/bench/bench_threads.h"
#include "tools/bench/concurrency.h"
#include "train/run/system_memory.h"

namespace penstock::tools::bench {
namespace {

constexpr std::uint64_t kMaxSamples = 50'000;
constexpr std::uint64_t kMaxStoredBytes = 256u << 20;

std::uint32_t num_cores(const LoaderBenchConfig& config) {
  const std::uint32_t there = num_usable_cores();
  if (config.num_threads <= there) return config.num_threads == 0 ? there : config.num_threads;
  throw Error(ErrorCode::kInvalidArgument,
              "bench: --threads: expected at most the " + std::to_string(there) +
                  " cores that this process may use, found " + std::to_string(config.num_threads),
              "--threads " + std::to_string(there));
}

// Whole batches of one epoch, as many as the bounds allow; at least one.
std::uint64_t num_batches_of(const DatasetSplit& split, const LoaderBenchConfig& config,
                             const BatchSpec& spec) {
  std::uint64_t stored_bytes = 0;
  split.scan_index([&](std::uint64_t, std::span<const IndexRecord> records) {
    for (const IndexRecord& record : records) stored_bytes += record.length_bytes;
  });
  const std::uint64_t mean_bytes =
      std::max<std::uint64_t>(stored_bytes / std::max<std::uint64_t>(split.num_samples(), 1), 1);
  std::uint64_t samples = std::min(split.num_samples(), kMaxSamples);
  if (config.num_samples > 0) samples = config.num_samples;
  samples = std::min(samples, kMaxStoredBytes / mean_bytes);
  return std::max<std::uint64_t>(samples / spec.batch, 1);
}

std::string ceiling_of_loader(const std::vector<Side>& ceilings) {
  for (const char* name : {kBareDecodeSide, kBarePadCropSide}) {
    if (std::ranges::find(ceilings, name, &Side::name) != ceilings.end()) return name;
  }
  return "decode";
}

void append(std::vector<Side>& sides, std::vector<Side> more) {
  std::ranges::move(more, std::back_inserter(sides));
}

// The loader, and what it is compared with, on one core.
std::vector<Side> one_core_sides(const BenchSetting& setting, const Side& ceiling,
                                 const Side& loader, const std::vector<Side>& one_thread) {
  BenchSetting one = setting;
  one.threads.num_readers = 1;
  one.threads.num_augmenters = 1;
  const auto bare = std::ranges::find(one_thread, ceiling.name, &Side::name);
  std::vector<Side> sides;
  sides.push_back({.name = std::string(kLoaderSide) + ", one core",
                   .ceiling = kLoaderSide,
                   .num_samples = loader.num_samples,
                   .prepare = loader.prepare,
                   .run = [one] {
                     const CoreLimit limit(1);
                     return run_loader(one.stream, one.threads).time;
                   }});
  if (bare == one_thread.end()) return sides;
  sides.push_back({.name = ceiling.name + ", one core",
                   .ceiling = ceiling.name,
                   .num_samples = bare->num_samples,
                   .prepare = bare->prepare,
                   .run = [run = bare->run] {
                     const CoreLimit limit(1);
                     return run();
                   }});
  return sides;
}

std::optional<Spread> scaling_of(const std::vector<SideResult>& sides, const std::string& name) {
  const auto found = std::ranges::find(sides, name + ", one core", &SideResult::name);
  if (found == sides.end()) return std::nullopt;
  const Spread& ratio = *found->ratio;
  return Spread{.median = 1 / ratio.median, .low = 1 / ratio.high, .high = 1 / ratio.low};
}

ConsumerCheck check_consumer(const BenchSetting& setting, std::uint32_t num_rounds) {
  const auto cpu_us = [&](std::uint64_t hold_us) {
    const LoaderTimes times = run_loader(setting.stream, setting.threads, hold_us);
    return times.time.cpu_seconds * 1e6 / static_cast<double>(times.num_samples);
  };
  const LoaderTimes first = run_loader(setting.stream, setting.threads);
  // Twice as long as a batch takes: the loader waits for the consumer most of the time.
  const auto hold_us = static_cast<std::uint64_t>(
      std::max(2e6 * first.time.seconds / static_cast<double>(setting.stream.num_batches), 1.0));
  std::vector<double> free_us, slow_us, ratios;
  for (std::uint32_t round = 0; round < num_rounds; ++round) {
    free_us.push_back(cpu_us(0));
    slow_us.push_back(cpu_us(hold_us));
    ratios.push_back(slow_us.back() / free_us.back());
  }
  return {.free_cpu_us = spread_of(free_us),
          .slow_cpu_us = spread_of(slow_us),
          .ratio = spread_of(ratios)};
}

void describe(LoaderBenchResult& result, const SampleWindow& window) {
  const auto count = static_cast<double>(window.size());
  for (const SampleTask& task : window.tasks()) {
    result.mean_width_px += task.record.width_px / count;
    result.mean_height_px += task.record.height_px / count;
    result.mean_stored_bytes += task.record.length_bytes / count;
  }
}

}  // namespace

LoaderBenchResult bench_loader(const LoaderBenchConfig& config,
                               const std::function<void(std::string_view)>& say) {
  const Dataset dataset = Dataset::open(config.dataset);
  const DatasetSplit split = dataset.split(config.split);
  const std::uint32_t cores = num_cores(config);
  const CoreLimit limit(cores);
  LoaderBenchResult result{
      .dataset_id = split.dataset_id(),
      .split = split.name(),
      .workload = workload_named(config.workload.empty() ? workload_for(split) : config.workload,
                                 config.wish),
      .threads = threads_for(cores, config.threads),
      .num_threads = cores,
      .num_rounds = config.num_rounds,
      .is_cold = config.is_cold,
      .seed = config.seed,
      .limit_bytes = config.memory_bytes > 0 ? config.memory_bytes
                                             : train::read_system_memory().default_limit_bytes()};
  BenchSetting setting{
      .stream = {.split = split,
                 .spec = result.workload.spec,
                 .transform = std::make_shared<augment::AugmentTransform>(result.workload.augment),
                 .seed = config.seed,
                 .memory_bytes = result.limit_bytes,
                 .num_warm_batches = 2 * std::uint64_t{result.threads.num_slots},
                 .num_batches = num_batches_of(split, config, result.workload.spec)},
      .augment = result.workload.augment,
      .threads = result.threads,
      .num_threads = cores,
      .is_cold = config.is_cold,
      .loader_ceiling = {}};

  say("reading the samples");
  const auto places = record_places(setting.stream, setting.threads);
  const auto window = std::make_shared<const SampleWindow>(setting.stream, places);
  result.num_samples = window->size();
  describe(result, *window);

  std::vector<Side> sides = ceiling_sides(setting, window);
  setting.loader_ceiling = ceiling_of_loader(sides);
  append(sides, stage_sides(setting, window));
  append(sides, whole_sides(setting, window));
  if (cores > 1) {
    BenchSetting one = setting;
    one.num_threads = 1;
    const auto ceiling = std::ranges::find(sides, setting.loader_ceiling, &Side::name);
    append(sides, one_core_sides(setting, *ceiling, sides.back(), ceiling_sides(one, window)));
  }
  say("stages, ceilings and the loader");
  result.sides = run_rounds(sides, config.num_rounds);
  result.loader_scaling = scaling_of(result.sides, kLoaderSide);
  result.ceiling_scaling = scaling_of(result.sides, setting.loader_ceiling);
  say("a slow consumer");
  result.consumer = check_consumer(setting, config.num_rounds);
  result.high_water_bytes = run_loader(setting.stream, setting.threads).high_water_bytes;
  say("other threads and depths");
  result.candidates = try_candidates(setting.stream, result.threads, cores, config.num_rounds);
  result.recommended = recommended(result.candidates, result.threads);
  return result;
}

}  // namespace penstock::tools::bench
