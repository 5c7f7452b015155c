#include "tools/bench/rounds.h"

#include <algorithm>

#include "streamer/core/error.h"

namespace penstock::tools::bench {
namespace {

RunTime time_of(const Side& side) {
  if (side.prepare) side.prepare();
  return side.run();
}

std::size_t index_named(const std::vector<Side>& sides, const std::string& name) {
  const auto found = std::ranges::find(sides, name, &Side::name);
  check_internal(found != sides.end(), "a benchmark's ceiling that is not measured");
  return static_cast<std::size_t>(found - sides.begin());
}

std::vector<double> quotients(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> result;
  for (std::size_t i = 0; i < a.size(); ++i) result.push_back(a[i] / b[i]);
  return result;
}

}  // namespace

std::vector<SideResult> run_rounds(const std::vector<Side>& sides, std::uint32_t num_rounds) {
  for (const Side& side : sides) time_of(side);  // pages in, clocks up
  std::vector<std::vector<double>> speeds(sides.size());
  std::vector<std::vector<double>> cpu_us(sides.size());
  std::vector<std::uint64_t> num_failed(sides.size());
  for (std::uint32_t round = 0; round < num_rounds; ++round) {
    for (std::size_t i = 0; i < sides.size(); ++i) {
      const std::size_t at = round % 2 == 0 ? i : sides.size() - 1 - i;
      const auto count = static_cast<double>(sides[at].num_samples);
      const RunTime time = time_of(sides[at]);
      speeds[at].push_back(count / time.seconds);
      cpu_us[at].push_back(time.cpu_seconds * 1e6 / count);
      num_failed[at] = std::max(num_failed[at], time.num_failed);
    }
  }
  std::vector<SideResult> results;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    SideResult result{.name = sides[i].name,
                      .ceiling = sides[i].ceiling,
                      .samples_per_s = spread_of(speeds[i]),
                      .cpu_us = spread_of(cpu_us[i]),
                      .num_failed = num_failed[i]};
    if (!sides[i].ceiling.empty()) {
      const std::size_t above = index_named(sides, sides[i].ceiling);
      if (num_failed[above] == num_failed[i]) {
        result.ratio = spread_of(quotients(speeds[i], speeds[above]));
        result.cpu_ratio = spread_of(quotients(cpu_us[above], cpu_us[i]));
      }
    }
    results.push_back(std::move(result));
  }
  return results;
}

std::string too_few_rounds_note(std::uint32_t num_rounds) {
  if (num_rounds >= kLeastRounds) return {};
  return "nothing is recommended by fewer than " + std::to_string(kLeastRounds) + " --rounds";
}

const SideResult& result_named(const std::vector<SideResult>& results, const std::string& name) {
  const auto found = std::ranges::find(results, name, &SideResult::name);
  check_internal(found != results.end(), "a benchmark's side that was not measured");
  return *found;
}

}  // namespace penstock::tools::bench
