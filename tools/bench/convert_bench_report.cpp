#include "tools/bench/convert_bench_report.h"

#include <fmt/core.h>

#include "streamer/core/memory_budget.h"
#include "tools/bench/bench_json.h"
#include "tools/build_facts.h"
#include "tools/cpu_name.h"
#include "tools/terminal.h"

namespace penstock::tools::bench {
namespace {

std::string side_line(const SideResult& side) {
  std::string line =
      fmt::format("\n  {:<40} {:>8.0f} {:>18} {:>9.1f}", side.name, side.samples_per_s.median,
                  fmt::format("{:.0f} to {:.0f}", side.samples_per_s.low, side.samples_per_s.high),
                  side.cpu_us.median);
  if (side.ratio) {
    line += fmt::format("   {:.2f} ({:.2f} to {:.2f}), by CPU {:.2f}, of {}", side.ratio->median,
                        side.ratio->low, side.ratio->high, side.cpu_ratio->median, side.ceiling);
  }
  if (side.num_failed > 0) line += fmt::format("   failed: {}", side.num_failed);
  return line;
}

}  // namespace

std::string convert_bench_text(const ConvertBenchResult& result) {
  std::string text = fmt::format(
      "{} files, {}; {} threads, {}; {}, {}, commit {}\n  {:<40} {:>8} {:>18} {:>9}   median of {} "
      "rounds; ratio",
      format_count(result.num_files), format_bytes(result.num_bytes), result.num_threads,
      cpu_name(), kCompiler, kFlags, kCommit, "", "files/s", "spread", "CPU us", result.num_rounds);
  for (const SideResult& side : result.sides) text += side_line(side);
  if (result.num_optimized_bytes > 0) {
    text += fmt::format("\n  optimized: {} of {}", format_bytes(result.num_optimized_bytes),
                        format_bytes(result.num_found_bytes));
  }
  return text;
}

std::string convert_bench_json(const ConvertBenchResult& result) {
  Json sides = Json::array();
  for (const SideResult& side : result.sides) {
    sides.push_back({{"name", side.name},
                     {"ceiling", side.ceiling.empty() ? Json(nullptr) : Json(side.ceiling)},
                     {"files_per_s", spread_json(side.samples_per_s)},
                     {"cpu_us", spread_json(side.cpu_us)},
                     {"num_failed", side.num_failed},
                     {"ratio", optional_json(side.ratio)},
                     {"cpu_ratio", optional_json(side.cpu_ratio)}});
  }
  return report_json({{"num_files", result.num_files},
                      {"num_bytes", result.num_bytes},
                      {"num_found_bytes", result.num_found_bytes},
                      {"num_optimized_bytes", result.num_optimized_bytes},
                      {"num_threads", result.num_threads},
                      {"num_rounds", result.num_rounds},
                      {"sides", sides}});
}

}  // namespace penstock::tools::bench
