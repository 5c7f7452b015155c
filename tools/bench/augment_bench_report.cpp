#include "tools/bench/augment_bench_report.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "augment/simd_target.h"
#include "tools/bench/bench_facts.h"
#include "tools/build_facts.h"
#include "tools/cpu_name.h"

namespace penstock::tools::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string_view layout_name(PixelLayout layout) {
  return layout == PixelLayout::kNchw ? "nchw" : "nhwc";
}

bool is_reached(const AugmentRowResult& result) {
  const SideResult& widest = result_named(result.sides, result.targets.front());
  const AugmentBar& bar = result.row.bar;
  return (!bar.most_us || widest.cpu_us.median <= *bar.most_us) &&
         (!bar.times_opencv || widest.cpu_ratio->median >= *bar.times_opencv);
}

std::string bar_text(const AugmentRowResult& result) {
  const AugmentBar& bar = result.row.bar;
  if (!bar.most_us && !bar.times_opencv) return "no bar";
  std::string text = "bar: ";
  if (bar.most_us) text += fmt::format("at most {} us", *bar.most_us);
  if (bar.most_us && bar.times_opencv) text += ", ";
  if (bar.times_opencv) text += fmt::format("{} times OpenCV", *bar.times_opencv);
  return text + fmt::format(": {} with {}", is_reached(result) ? "reached" : "missed",
                            result.targets.front());
}

std::string side_line(const AugmentRowResult& result, const SideResult& side) {
  std::string line =
      fmt::format("  {:<22} {:>9.2f} {:>20}", side.name, side.cpu_us.median,
                  fmt::format("{:.2f} to {:.2f}", side.cpu_us.low, side.cpu_us.high));
  if (side.cpu_ratio) {
    line += fmt::format(" {:>13.2f} {:>13.2f} {:>13.2f}", side.cpu_ratio->median,
                        side.cpu_us.median / result.cpu_us(kCopySide),
                        result.cpu_us(result.targets.front()) / side.cpu_us.median);
  }
  return line + "\n";
}

std::string row_text(const AugmentRowResult& result) {
  const AugmentRow& row = result.row;
  std::string text =
      fmt::format("{}: {}; {} x {} to {} x {} px; {}\n", row.name, row.steps, row.picture.width,
                  row.picture.height, row.output.width, row.output.height, bar_text(result));
  for (const SideResult& side : result.sides) text += side_line(result, side);
  return text;
}

Json spread_json(const Spread& spread) {
  return {{"median", spread.median}, {"low", spread.low}, {"high", spread.high}};
}

Json optional_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json row_json(const AugmentRowResult& result) {
  Json sides = Json::array();
  for (const SideResult& side : result.sides) {
    sides.push_back(
        {{"name", side.name},
         {"cpu_us", spread_json(side.cpu_us)},
         {"times_opencv", side.cpu_ratio ? spread_json(*side.cpu_ratio) : Json(nullptr)}});
  }
  const AugmentRow& row = result.row;
  const bool has_bar = row.bar.most_us || row.bar.times_opencv;
  return {{"name", row.name},
          {"steps", row.steps},
          {"picture_px", {row.picture.width, row.picture.height}},
          {"output_px", {row.output.width, row.output.height}},
          {"num_samples", row.num_samples},
          {"bar",
           {{"most_us", optional_json(row.bar.most_us)},
            {"times_opencv", optional_json(row.bar.times_opencv)}}},
          {"is_reached", has_bar ? Json(is_reached(result)) : Json(nullptr)},
          {"sides", sides}};
}

}  // namespace

std::string augment_bench_text(const AugmentBenchResult& result) {
  std::string text = fmt::format(
      "{}; one thread; float32 {}, batches of {}; {}, {}, commit {}\n"
      "us of CPU a sample, median of {} rounds, lowest to highest; times faster than OpenCV's "
      "chain;\n"
      "times the copy; share of the speed of the widest vector unit\n",
      cpu_name(), layout_name(result.config.layout), result.config.batch, kCompiler, kFlags,
      kCommit, result.config.num_rounds);
  text += fmt::format("{:>34} {:>20} {:>13} {:>13} {:>13}\n", "us", "spread", "times OpenCV",
                      "times memcpy", "of the widest");
  for (const AugmentRowResult& row : result.rows) text += row_text(row);
  text.pop_back();
  return text;
}

std::string augment_bench_json(const AugmentBenchResult& result) {
  Json rows = Json::array();
  for (const AugmentRowResult& row : result.rows) rows.push_back(row_json(row));
  return Json{{"version", kVersion},
              {"commit", kCommit},
              {"compiler", kCompiler},
              {"flags", kFlags},
              {"cpu", cpu_name()},
              {"element", "float32"},
              {"layout", layout_name(result.config.layout)},
              {"batch_size", result.config.batch},
              {"num_rounds", result.config.num_rounds},
              {"rows", rows}}
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string simd_list_text() {
  std::string text;
  for (const augment::SimdTarget& target : augment::simd_targets()) {
    text += fmt::format("{}{}{}", text.empty() ? "" : "\n", target.name,
                        target.is_supported ? "" : " (not on this machine)");
  }
  return text;
}

}  // namespace penstock::tools::bench
