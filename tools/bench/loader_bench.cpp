#include "tools/bench/loader_bench.h"

#include <algorithm>
#include <memory>

#include "augment/augment_transform.h"
#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/usable_cores.h"
#include "tools/bench/bench_memory.h"
#include "tools/bench/bench_sides.h"
#include "tools/bench/bench_threads.h"
#include "tools/bench/concurrency.h"
#include "tools/bench/stream_length.h"
#include "tools/terminal.h"
#include "train/run/memory/system_memory.h"

namespace penstock::tools::bench {
namespace {

std::uint32_t num_cores(const LoaderBenchConfig& config) {
  const std::uint32_t there = num_usable_cores();
  if (config.num_threads <= there) return config.num_threads == 0 ? there : config.num_threads;
  throw Error(ErrorCode::kInvalidArgument,
              "bench: --threads: expected at most the " + std::to_string(there) +
                  " cores that this process may use, found " + std::to_string(config.num_threads),
              "--threads " + std::to_string(there));
}

// What fills the cache would bring the shards back into the page cache.
void check_is_warm(const LoaderBenchConfig& config) {
  if (config.cache == CacheForm::kNone || !config.is_cold) return;
  throw Error(ErrorCode::kInvalidArgument,
              "bench: --cold: expected --cache none, found " +
                  std::string(cache_form_name(config.cache)) +
                  ": the shards are read before the clock starts, to fill the cache",
              "leave out --cold or --cache");
}

// Puts what fills the cache before the clock.
void warm_cache(Stream& stream, const LoaderThreads& threads, std::vector<std::string>& notes) {
  const CacheFill fill = fill_cache(stream, threads);
  const std::string option = "--cache " + std::string(cache_form_name(stream.cache)) + ": ";
  if (!fill.has_room) {
    stream.cache = CacheForm::kNone;
    notes.push_back(option + "no room for a cache within " + format_bytes(stream.memory_bytes));
    return;
  }
  stream.num_warm_batches += fill.num_batches;
  const std::string epochs =
      format_counted(fill.num_epochs, "epoch", "epochs") + " before each clock";
  notes.push_back(option + (fill.is_full ? "filled by " + epochs
                                         : "not full after " + epochs + ", where it still grew"));
}

StreamLength length_of(const DatasetSplit& split, const LoaderBenchConfig& config,
                       const LoaderBenchResult& result, std::uint64_t usable_bytes) {
  StreamBounds bounds{.num_samples = split.num_samples(),
                      .batch = result.workload.spec.batch,
                      .num_slots = result.threads.num_slots,
                      .wanted_samples = config.num_samples,
                      .is_cold = config.is_cold};
  split.scan_index([&](std::uint64_t, std::span<const IndexRecord> records) {
    for (const IndexRecord& record : records) bounds.stored_bytes += record.length_bytes;
  });
  StreamLength length = stream_length(bounds);
  // Refused before the samples are streamed once to see which they are.
  const std::uint64_t bytes_per_sample =
      bounds.stored_bytes / std::max<std::uint64_t>(bounds.num_samples, 1) +
      SampleWindow::kHeldBytesPerSample;
  const std::uint64_t samples =
      std::min(length.num_batches, UINT64_MAX / 4 / bytes_per_sample / bounds.batch) * bounds.batch;
  check_memory({.loader_bytes = result.limit_bytes, .samples_bytes = samples * bytes_per_sample},
               usable_bytes);
  return length;
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
  one.threads.num_workers = 1;
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
  if (bare == one_thread.end() || !setting.is_loader_compared) return sides;
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

std::optional<Spread> inverse(const std::optional<Spread>& ratio) {
  if (!ratio) return std::nullopt;
  return Spread{.median = 1 / ratio->median, .low = 1 / ratio->high, .high = 1 / ratio->low};
}

std::optional<Spread> scaling_of(const std::vector<SideResult>& sides, const std::string& name) {
  const auto found = std::ranges::find(sides, name + ", one core", &SideResult::name);
  return found == sides.end() ? std::nullopt : inverse(found->ratio);
}

ConsumerCheck check_consumer(const BenchSetting& setting, const Side& loader,
                             std::uint32_t num_rounds) {
  if (loader.prepare) loader.prepare();
  const RunTime first = loader.run();
  // Twice as long as a batch takes: the loader waits for the consumer most of the time.
  const auto hold_us = static_cast<std::uint64_t>(
      std::max(2e6 * first.seconds / static_cast<double>(setting.stream.num_batches), 1.0));
  const auto side = [&](const char* name, const char* ceiling, std::uint64_t held_us) {
    return Side{.name = name,
                .ceiling = ceiling,
                .num_samples = loader.num_samples,
                .prepare = loader.prepare,
                .run = [&setting, held_us] {
                  return run_loader(setting.stream, setting.threads, held_us).time;
                }};
  };
  const auto results = run_rounds({side("free", "", 0), side("slow", "free", hold_us)}, num_rounds);
  return {.free_cpu_us = results[0].cpu_us,
          .slow_cpu_us = results[1].cpu_us,
          .ratio = inverse(results[1].cpu_ratio)};
}

void describe(LoaderBenchResult& result, const SampleWindow& window) {
  const auto count = static_cast<double>(window.size());
  for (const SampleTask& task : window.tasks()) {
    result.mean_width_px += task.record.width_px / count;
    result.mean_height_px += task.record.height_px / count;
    result.mean_stored_bytes += task.record.length_bytes / count;
  }
}

// Whole batches are measured; a loader would name a setting that this command does not have.
void check_has_a_batch(const DatasetSplit& split, const BatchSpec& spec) {
  if (split.num_samples() >= spec.batch) return;
  const std::string most = std::to_string(split.num_samples());
  throw Error(ErrorCode::kInvalidArgument,
              "bench: --batch-size: expected at most " + most + ", the samples of split " +
                  split.name() + ", found " + std::to_string(spec.batch),
              "--batch-size " + most);
}

}  // namespace

LoaderBenchResult bench_loader(const LoaderBenchConfig& config,
                               const std::function<void(std::string_view)>& say) {
  check_is_warm(config);
  const Dataset dataset = Dataset::open(config.dataset);
  const DatasetSplit split = dataset.split(config.split);
  const std::uint32_t cores = num_cores(config);
  const CoreLimit limit(cores);
  const train::SystemMemory system = train::read_system_memory();
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
      .limit_bytes = config.memory_bytes > 0 ? config.memory_bytes : system.default_limit_bytes()};
  check_has_a_batch(split, result.workload.spec);
  StreamLength length = length_of(split, config, result, system.usable_bytes());
  result.notes = std::move(length.notes);
  BenchSetting setting{
      .stream = {.split = split,
                 .spec = result.workload.spec,
                 .transform = std::make_shared<augment::AugmentTransform>(result.workload.augment),
                 .seed = config.seed,
                 .memory_bytes = result.limit_bytes,
                 .cache = config.cache,
                 .num_warm_batches = length.num_warm_batches,
                 .num_batches = length.num_batches},
      .augment = result.workload.augment,
      .threads = result.threads,
      .num_threads = cores,
      .is_cold = config.is_cold,
      .buffers = {},
      .loader_stats = std::make_shared<LoaderStats>(),
      .loader_ceiling = {}};

  if (config.cache != CacheForm::kNone) {
    say("filling the cache");
    warm_cache(setting.stream, setting.threads, result.notes);
  }
  result.cache = setting.stream.cache;
  say("reading the samples");
  const auto places = record_places(setting.stream, setting.threads);
  const auto planned = std::make_shared<SampleWindow>(setting.stream, places);
  check_memory(bench_memory(*planned, setting.stream, setting.threads, cores),
               system.usable_bytes());
  planned->read_samples();
  const std::shared_ptr<const SampleWindow> window = planned;
  setting.buffers = std::make_shared<BenchBuffers>(*window, setting.stream.spec, cores,
                                                   setting.threads.num_slots);
  result.num_samples = window->size();
  describe(result, *window);

  std::vector<Side> sides = ceiling_sides(setting, window);
  setting.loader_ceiling = ceiling_of_loader(sides);
  if (setting.stream.cache == CacheForm::kDecoded && setting.loader_ceiling != kBarePadCropSide) {
    setting.is_loader_compared = false;
    result.notes.push_back("no ratio of the loader: its cache holds pictures decoded, and " +
                           setting.loader_ceiling + " decodes each of them");
  }
  append(sides, stage_sides(setting, window));
  append(sides, whole_sides(setting, window));
  const Side loader = sides.back();
  if (cores > 1) {
    BenchSetting one = setting;
    one.num_threads = 1;
    const auto ceiling = std::ranges::find(sides, setting.loader_ceiling, &Side::name);
    append(sides, one_core_sides(setting, *ceiling, loader, ceiling_sides(one, window)));
  }
  say("stages, ceilings and the loader");
  result.sides = run_rounds(sides, config.num_rounds);
  result.loader_scaling = scaling_of(result.sides, kLoaderSide);
  result.ceiling_scaling = scaling_of(result.sides, setting.loader_ceiling);
  result.loader_stats = *setting.loader_stats;
  say("a slow consumer");
  result.consumer = check_consumer(setting, loader, config.num_rounds);
  say("other threads and depths");
  result.candidates =
      try_candidates(setting.stream, result.threads, cores, config.num_rounds, loader.prepare);
  result.recommended = recommended(result.candidates, result.threads, config.num_rounds);
  if (const std::string note = too_few_rounds_note(config.num_rounds); !note.empty()) {
    result.notes.push_back(note);
  }
  return result;
}

}  // namespace penstock::tools::bench
