#include "tools/bench/shard_train_bench.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/usable_cores.h"
#include "tools/bench/resident_step.h"
#include "train/run/run_setup.h"

namespace penstock::tools::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Waits until the process does nothing: the loader has filled its slots.
void wait_for_idle_loader() {
  constexpr auto kLook = std::chrono::milliseconds(20);
  constexpr double kIdleCpuSeconds = 0.001;
  for (int i = 0; i < 500; ++i) {
    const double before = process_cpu_seconds();
    std::this_thread::sleep_for(kLook);
    if (process_cpu_seconds() - before < kIdleCpuSeconds) return;
  }
}

/// A run that is set up as `penstock train` sets it up, and its steps from either source.
class ShardRun {
 public:
  explicit ShardRun(train::RunConfig config)
      : setup_(with_endless_epochs(std::move(config))),
        batch_(setup_.pipeline.batch, setup_.graph.num_classes(), 1,
               setup_.backend->batch_memory()) {
    const std::uint64_t num_samples = setup_.train_split.num_samples();
    if (num_samples < batch_size()) {
      throw Error(ErrorCode::kInvalidArgument,
                  "bench train: split train: expected samples for a whole batch of " +
                      std::to_string(batch_size()) + ", found " + std::to_string(num_samples),
                  "--batch-size " + std::to_string(num_samples));
    }
    const train::BatchChoice& fitted = setup_.batch;
    if (fitted.micro_batch == fitted.step_samples) return;
    throw Error(
        ErrorCode::kOutOfMemory,
        "bench train: expected a step that fits the memory limit whole, found " + setup_.batch_note,
        "--batch-size " + std::to_string(fitted.micro_batch) + ", or a higher --memory");
  }

  RunTime take_resident(std::uint32_t num_steps) {
    return timed([&] {
      for (std::uint32_t i = 0; i < num_steps; ++i) take(batch_.lease());
    });
  }

  RunTime take_streamed(std::uint32_t num_steps) {
    waiting_s_ = 0;
    return timed([&] {
      for (std::uint32_t i = 0; i < num_steps; ++i) take(next());
    });
  }

  /// Seconds of the last take_streamed() that went into waiting for batches.
  double waiting_s() const { return waiting_s_; }
  train::RunSetup& setup() { return setup_; }
  std::uint32_t batch_size() const { return setup_.config.batch_size; }

 private:
  static train::RunConfig with_endless_epochs(train::RunConfig config) {
    config.epochs = 100'000;
    return config;
  }

  RunTime timed(const auto& work) {
    const double cpu_before = process_cpu_seconds();
    const auto start = Clock::now();
    work();
    setup_.backend->finish();
    return {.seconds = seconds_since(start), .cpu_seconds = process_cpu_seconds() - cpu_before};
  }

  /// The next whole batch: a round is so many pictures. The epoch's shorter last one is passed over.
  BatchLease next() {
    const auto asked = Clock::now();
    BatchLease lease = setup_.train_loader->next();
    while (lease && lease->num_valid < batch_size()) lease = setup_.train_loader->next();
    waiting_s_ += seconds_since(asked);
    check_internal(static_cast<bool>(lease), "a stream of 100,000 epochs that ended");
    return lease;
  }

  void take(BatchLease lease) {
    begin_step(*setup_.backend, setup_.programs->train_program(batch_size()), std::move(lease),
               num_taken_++);
  }

  train::RunSetup setup_;
  MadeUpBatch batch_;
  std::uint64_t num_taken_ = 0;
  double waiting_s_ = 0;
};

/// From shards, in mid-stream: the pipeline is full before and goes on after.
Side streamed_side(ShardRun& run, const std::string& name, std::uint32_t num_steps) {
  const std::uint32_t num_slots = run.setup().pipeline.num_slots;
  return {.name = name,
          .num_samples = std::uint64_t{num_steps} * run.batch_size(),
          .prepare = [&run, num_slots] { run.take_streamed(num_slots); },
          .run = [&run, num_steps] { return run.take_streamed(num_steps); }};
}

/// Null when a step no longer fits beside the loader.
std::unique_ptr<ShardRun> run_if_it_fits(const train::RunConfig& config) {
  try {
    return std::make_unique<ShardRun>(config);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kOutOfMemory) throw;
    return nullptr;
  }
}

std::vector<SplitCandidate> try_splits(const ShardTrainConfig& config, ShardRun& measured,
                                       std::uint32_t num_steps) {
  const train::CoreSplit ours = measured.setup().resolved.cores;
  std::vector<SplitCandidate> candidates;
  // A second run would want the device's memory once more.
  if (measured.setup().backend->device_room()) return candidates;
  const auto add = [&](std::uint32_t num_compute, std::uint32_t num_loader) {
    if (num_compute < 1 || num_loader < 2) return;
    const train::CoreSplit cores = train::split_cores(
        num_usable_cores(), {.threads = num_compute, .loader_threads = num_loader});
    const bool is_measured =
        cores.num_compute == ours.num_compute && cores.num_loader() == ours.num_loader();
    if (is_measured) return;
    train::RunConfig other = config.run;
    other.threads = num_compute;
    other.loader_threads = num_loader;
    const auto run = run_if_it_fits(other);
    if (run == nullptr) return;
    Side base = streamed_side(measured, "measured", num_steps);
    Side side = streamed_side(*run, "candidate", num_steps);
    side.ceiling = "measured";
    // The loader of the other one must not work meanwhile.
    for (Side* each : {&base, &side}) {
      each->prepare = [fill = each->prepare] {
        wait_for_idle_loader();
        fill();
      };
    }
    const auto results = run_rounds({base, side}, config.num_rounds);
    candidates.push_back({run->setup().resolved.cores, *results[1].ratio});
  };
  add(ours.num_compute, ours.num_loader() * 2);
  add(ours.num_compute - 1, ours.num_loader());
  return candidates;
}

}  // namespace

train::CoreSplit recommended_split(const std::vector<SplitCandidate>& candidates,
                                   const train::CoreSplit& measured, std::uint32_t num_rounds) {
  constexpr double kClearlyFaster = 1.03;
  const SplitCandidate* best = nullptr;
  for (const SplitCandidate& candidate : candidates) {
    if (num_rounds < kLeastRounds || candidate.ratio.low <= kClearlyFaster) continue;
    if (best == nullptr || candidate.ratio.median > best->ratio.median) best = &candidate;
  }
  return best == nullptr ? measured : best->cores;
}

ShardTrainResult bench_shard_train(const ShardTrainConfig& config) {
  const auto start = Clock::now();
  ShardRun run(config.run);
  run.take_streamed(1);
  ShardTrainResult result{.run = run.setup().config,
                          .num_cores = num_usable_cores(),
                          .num_rounds = config.num_rounds,
                          .cores = run.setup().resolved.cores,
                          .backend = run.setup().backend->description(),
                          .batch_note = run.setup().batch_note,
                          .start_s = seconds_since(start)};
  constexpr double kRoundSeconds = 0.5;
  const double step_s = run.take_resident(1).seconds;
  result.num_steps = static_cast<std::uint32_t>(std::clamp(kRoundSeconds / step_s, 4.0, 1000.0));

  std::vector<double> shares;
  Side streamed = streamed_side(run, kStreamedSideName, result.num_steps);
  streamed.ceiling = kResidentSideName;
  streamed.run = [&] {
    const RunTime time = run.take_streamed(result.num_steps);
    shares.push_back(run.waiting_s() / time.seconds);
    return time;
  };
  result.sides = run_rounds({{.name = kResidentSideName,
                              .num_samples = streamed.num_samples,
                              .prepare = wait_for_idle_loader,
                              .run = [&] { return run.take_resident(result.num_steps); }},
                             streamed},
                            config.num_rounds);
  result.waiting_share = spread_of({shares.begin() + 1, shares.end()});  // the first is not counted
  const SideResult& resident = result_named(result.sides, kResidentSideName);
  const SideResult& shards = result_named(result.sides, kStreamedSideName);
  result.loader_cpu_us = std::max(0.0, shards.cpu_us.median - resident.cpu_us.median);
  result.ratio_less_loader =
      (1e6 / resident.samples_per_s.median + result.loader_cpu_us / result.num_cores) /
      (1e6 / shards.samples_per_s.median);
  result.loader_verdict = verdict(run.setup().train_loader->detailed_stats()).text;
  result.candidates = try_splits(config, run, result.num_steps);
  result.recommended = recommended_split(result.candidates, result.cores, config.num_rounds);
  result.explanation = run.setup().programs->any_program().explain();
  return result;
}

}  // namespace penstock::tools::bench
