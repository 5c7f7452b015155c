#include "tools/bench/concurrency.h"

#include <algorithm>
#include <string>

#include "streamer/core/error.h"
#include "streamer/pipeline/loader_depth.h"

namespace penstock::tools::bench {
namespace {

// Whether the loader with these threads is within its memory limit.
bool fits(const Stream& stream, const LoaderThreads& threads) {
  Stream one = stream;
  one.num_warm_batches = 0;
  one.num_batches = 1;
  try {
    (void)run_loader(one, threads);
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kOutOfMemory) throw;
    return false;
  }
}

std::vector<LoaderThreads> combinations(const LoaderThreads& measured, std::uint32_t num_cores) {
  std::vector<LoaderThreads> all = {measured};
  const auto add = [&all](const LoaderThreads& threads) {
    if (std::ranges::find(all, threads) == all.end()) all.push_back(threads);
  };
  for (const std::uint32_t readers : {1u, std::max(num_cores / 2, 1u), num_cores}) {
    for (const std::uint32_t workers : {std::max(num_cores / 2, 1u), num_cores}) {
      add({.num_readers = readers, .num_workers = workers, .num_slots = measured.num_slots});
    }
  }
  for (const std::uint32_t slots : {3u, 4u, 8u}) {
    LoaderThreads threads = measured;
    threads.num_slots = slots;
    add(threads);
  }
  return all;
}

}  // namespace

LoaderThreads threads_for(std::uint32_t num_cores, const LoaderThreads& wish) {
  const LoaderConfig ruled = with_ruled_threads(
      {.num_readers = wish.num_readers, .num_workers = wish.num_workers}, num_cores);
  return {.num_readers = ruled.num_readers,
          .num_workers = ruled.num_workers,
          .num_slots = wish.num_slots > 0 ? wish.num_slots : ruled.num_slots};
}

std::vector<Candidate> try_candidates(const Stream& stream, const LoaderThreads& measured,
                                      std::uint32_t num_cores, std::uint32_t num_rounds,
                                      const std::function<void()>& prepare) {
  // Half the samples: it is many times the same.
  Stream shorter = stream;
  shorter.num_batches = std::max<std::uint64_t>(stream.num_batches / 2, 1);
  std::vector<LoaderThreads> all = combinations(measured, num_cores);
  std::erase_if(all, [&](const LoaderThreads& threads) { return !fits(shorter, threads); });
  std::vector<Side> sides;
  for (const LoaderThreads& threads : all) {
    sides.push_back({.name = std::to_string(sides.size()),
                     .ceiling = "0",
                     .num_samples = shorter.num_batches * shorter.spec.batch,
                     .prepare = prepare,
                     .run = [&shorter, threads] { return run_loader(shorter, threads).time; }});
  }
  const std::vector<SideResult> results = run_rounds(sides, num_rounds);
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!results[i].ratio) continue;  // other samples failed: not the same work
    candidates.push_back(
        {.threads = all[i], .samples_per_s = results[i].samples_per_s, .ratio = *results[i].ratio});
  }
  return candidates;
}

LoaderThreads recommended(std::span<const Candidate> candidates, const LoaderThreads& measured,
                          std::uint32_t num_rounds) {
  constexpr double kClearlyFaster = 1.03;
  if (num_rounds < kLeastRounds) return measured;
  LoaderThreads best = measured;
  double best_ratio = kClearlyFaster;
  for (const Candidate& candidate : candidates) {
    if (candidate.ratio.median <= best_ratio || candidate.ratio.low <= 1) continue;
    best = candidate.threads;
    best_ratio = candidate.ratio.median;
  }
  return best;
}

}  // namespace penstock::tools::bench
