#include "tools/bench/augment_bench.h"

#include <chrono>
#include <ctime>
#include <functional>
#include <optional>

#include "augment/simd_target.h"
#include "streamer/core/error.h"
#include "tools/bench/augment_load.h"

namespace penstock::tools::bench {
namespace {

/// Gives the choice back.
class TargetChoice {
 public:
  TargetChoice() = default;
  TargetChoice(const TargetChoice&) = delete;
  TargetChoice& operator=(const TargetChoice&) = delete;
  ~TargetChoice() { augment::force_simd_target("auto"); }
};

double thread_cpu_seconds() {
  timespec now{};
  check_internal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0, "clock_gettime failed");
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

RunTime timed(std::size_t num_samples, const std::function<void(std::size_t)>& sample) {
  const auto start = std::chrono::steady_clock::now();
  const double cpu_start = thread_cpu_seconds();
  for (std::size_t i = 0; i < num_samples; ++i) sample(i);
  const double cpu_seconds = thread_cpu_seconds() - cpu_start;
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return {.seconds = taken.count(), .cpu_seconds = cpu_seconds};
}

/// A side that does one sample off the clock first, so that it pays for no other's leavings in the
/// caches.
Side side_of(std::string name, std::string ceiling, std::size_t num_samples,
             std::function<void()> choose, std::function<void(std::size_t)> sample) {
  return {.name = std::move(name),
          .ceiling = std::move(ceiling),
          .num_samples = num_samples,
          .prepare =
              [choose = std::move(choose), sample] {
                if (choose) choose();
                sample(0);
              },
          .run = [num_samples, sample] { return timed(num_samples, sample); }};
}

std::vector<std::string> targets_of(const AugmentBenchConfig& config) {
  const std::vector<augment::SimdTarget> all = augment::simd_targets();
  if (!config.simd.empty()) {
    augment::check_simd_target(config.simd, all);
    return {config.simd};
  }
  std::vector<std::string> names;
  for (const augment::SimdTarget& target : all) {
    if (target.is_supported) names.push_back(target.name);
  }
  return names;
}

AugmentRowResult bench_row(const AugmentRow& row, const AugmentBenchConfig& config) {
  AugmentLoad load(row, config.layout, config.batch);
  const std::size_t count = load.num_samples();
  std::vector<Side> sides = {
      side_of(kPlanSide, "", count, {}, [&](std::size_t i) { load.plan(i); }),
      side_of(kCopySide, "", count, {}, [&](std::size_t i) { load.copy(i); })};
  if (row.chain != nullptr) {
    sides.push_back(side_of(kOpencvSide, "", count, {}, [&](std::size_t i) { load.opencv(i); }));
  }
  AugmentRowResult result{.row = row, .targets = targets_of(config), .sides = {}};
  const auto add = [&](const std::string& name, const std::string& ceiling,
                       const std::string& target, AugmentLoad& samples) {
    sides.push_back(side_of(
        name, ceiling, samples.num_samples(), [target] { augment::force_simd_target(target); },
        [&samples](std::size_t i) { samples.transform(i); }));
  };
  for (const std::string& target : result.targets) {
    add(target, row.chain != nullptr ? kOpencvSide : "", target, load);
  }
  std::optional<AugmentLoad> base;
  if (!row.on_top_of.empty()) {
    base.emplace(augment_row_named(row.on_top_of), config.layout, config.batch);
    for (const std::string& target : result.targets) {
      add(result.base_side(target), "", target, *base);
    }
  }
  result.sides = run_rounds(sides, config.num_rounds);
  return result;
}

}  // namespace

AugmentBenchResult bench_augment(const AugmentBenchConfig& config) {
  const TargetChoice choice;
  AugmentBenchResult result{.config = config, .rows = {}};
  if (!config.row.empty()) {
    result.rows.push_back(bench_row(augment_row_named(config.row), config));
    return result;
  }
  for (const AugmentRow& row : augment_rows()) result.rows.push_back(bench_row(row, config));
  return result;
}

}  // namespace penstock::tools::bench
