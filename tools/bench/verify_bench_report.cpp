#include <fmt/core.h>

#include "streamer/core/memory_budget.h"
#include "tools/bench/bench_json.h"
#include "tools/bench/verify_bench.h"
#include "tools/build_facts.h"
#include "tools/cpu_name.h"
#include "tools/terminal.h"

namespace penstock::tools::bench {
namespace {}  // namespace

std::string verify_bench_text(const VerifyBenchResult& result) {
  std::string text = fmt::format(
      "{}, {}; {}; {}, {}, commit {}\n  {:<12} {:>8} {:>18} {:>9}   median of {} rounds; ratio",
      format_counted(result.num_shards, "shard", "shards"), format_bytes(result.num_bytes),
      format_counted(result.num_threads, "thread", "threads"), cpu_name(), kFlags, kCommit, "",
      "MiB/s", "spread", "CPU us", result.num_rounds);
  for (const SideResult& side : result.sides) {
    text += fmt::format(
        "\n  {:<12} {:>8.0f} {:>18} {:>9.1f}", side.name, side.samples_per_s.median,
        fmt::format("{:.0f} to {:.0f}", side.samples_per_s.low, side.samples_per_s.high),
        side.cpu_us.median);
    if (!side.ratio) continue;
    text += fmt::format("   {:.2f} ({:.2f} to {:.2f}), by CPU {:.2f}, of {}", side.ratio->median,
                        side.ratio->low, side.ratio->high, side.cpu_ratio->median, side.ceiling);
  }
  return text;
}

std::string verify_bench_json(const VerifyBenchResult& result) {
  Json sides = Json::array();
  for (const SideResult& side : result.sides) {
    sides.push_back({{"name", side.name},
                     {"ceiling", side.ceiling.empty() ? Json(nullptr) : Json(side.ceiling)},
                     {"mib_per_s", spread_json(side.samples_per_s)},
                     {"cpu_us_per_mib", spread_json(side.cpu_us)},
                     {"ratio", optional_json(side.ratio)},
                     {"cpu_ratio", optional_json(side.cpu_ratio)}});
  }
  return report_json({{"num_shards", result.num_shards},
                      {"num_bytes", result.num_bytes},
                      {"num_threads", result.num_threads},
                      {"num_rounds", result.num_rounds},
                      {"sides", sides}});
}

}  // namespace penstock::tools::bench
