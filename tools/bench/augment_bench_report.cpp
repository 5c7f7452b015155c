#include "tools/bench/augment_bench_report.h"

#include <fmt/core.h>

#include <algorithm>
#include "augment/simd_target.h"
#include "tools/bench/bench_json.h"
#include "tools/bench/element_name.h"
#include "tools/build_facts.h"
#include "tools/cpu_name.h"

namespace penstock::tools::bench {
namespace {

std::string_view layout_name(PixelLayout layout) {
  return layout == PixelLayout::kNchw ? "nchw" : "nhwc";
}

bool has_bar(const AugmentBar& bar) {
  return bar.most_us || bar.times_opencv || bar.most_us_more;
}

bool is_reached(const AugmentRowResult& result) {
  const std::string& target = result.targets.front();
  const SideResult& widest = result_named(result.sides, target);
  const AugmentBar& bar = result.row.bar;
  return (!bar.most_us || widest.cpu_us.median <= *bar.most_us) &&
         (!bar.times_opencv || widest.cpu_ratio->median >= *bar.times_opencv) &&
         (!bar.most_us_more || result.more_us(target) <= *bar.most_us_more);
}

std::string bar_text(const AugmentRowResult& result) {
  const AugmentBar& bar = result.row.bar;
  if (!has_bar(bar)) return "no bar";
  std::string parts;
  const auto add = [&parts](const std::string& part) {
    parts += (parts.empty() ? "" : ", ") + part;
  };
  if (bar.most_us) add(fmt::format("at most {} us", *bar.most_us));
  if (bar.times_opencv) add(fmt::format("{} times OpenCV", *bar.times_opencv));
  if (bar.most_us_more) {
    add(fmt::format("at most {} us more than {}", *bar.most_us_more, result.row.on_top_of));
  }
  return fmt::format("bar: {}: {} with {}", parts, is_reached(result) ? "reached" : "missed",
                     result.targets.front());
}

bool is_target(const AugmentRowResult& result, const SideResult& side) {
  return std::ranges::find(result.targets, side.name) != result.targets.end();
}

std::string side_line(const AugmentRowResult& result, const SideResult& side) {
  std::string line =
      fmt::format("  {:<22} {:>9.2f} {:>20}", side.name, side.cpu_us.median,
                  fmt::format("{:.2f} to {:.2f}", side.cpu_us.low, side.cpu_us.high));
  if (is_target(result, side)) {
    line += fmt::format(" {:>13} {:>13.2f} {:>13.2f}",
                        side.cpu_ratio ? fmt::format("{:.2f}", side.cpu_ratio->median) : "-",
                        side.cpu_us.median / result.cpu_us(kCopySide),
                        result.cpu_us(result.targets.front()) / side.cpu_us.median);
    if (!result.row.on_top_of.empty()) line += fmt::format(" {:>13.2f}", result.more_us(side.name));
  }
  return line + "\n";
}

std::string row_text(const AugmentRowResult& result) {
  const AugmentRow& row = result.row;
  std::string text = fmt::format("{}: {}; {} x {} to {} x {} px, {}; {}\n", row.name, row.steps,
                                 row.picture.width, row.picture.height, row.output.width,
                                 row.output.height, element_name(row.element), bar_text(result));
  for (const SideResult& side : result.sides) text += side_line(result, side);
  return text;
}

Json number_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json row_json(const AugmentRowResult& result) {
  Json sides = Json::array();
  for (const SideResult& side : result.sides) {
    sides.push_back({{"name", side.name},
                     {"cpu_us", spread_json(side.cpu_us)},
                     {"times_opencv", optional_json(side.cpu_ratio)},
                     {"us_more", is_target(result, side) && !result.row.on_top_of.empty()
                                     ? Json(result.more_us(side.name))
                                     : Json(nullptr)}});
  }
  const AugmentRow& row = result.row;
  return {{"name", row.name},
          {"steps", row.steps},
          {"picture_px", {row.picture.width, row.picture.height}},
          {"output_px", {row.output.width, row.output.height}},
          {"element", element_name(row.element)},
          {"on_top_of", row.on_top_of.empty() ? Json(nullptr) : Json(row.on_top_of)},
          {"num_samples", row.num_samples},
          {"bar",
           {{"most_us", number_json(row.bar.most_us)},
            {"times_opencv", number_json(row.bar.times_opencv)},
            {"most_us_more", number_json(row.bar.most_us_more)}}},
          {"is_reached", has_bar(row.bar) ? Json(is_reached(result)) : Json(nullptr)},
          {"sides", sides}};
}

}  // namespace

std::string augment_bench_text(const AugmentBenchResult& result) {
  std::string text = fmt::format(
      "{}; one thread; {}, batches of {}; {}, {}, commit {}\n"
      "us of CPU a sample, median of {} rounds, lowest to highest; times faster than OpenCV's "
      "chain;\n"
      "times the copy; share of the speed of the widest vector unit; us more than the row that it\n"
      "stands on\n",
      cpu_name(), layout_name(result.config.layout), result.config.batch, kCompiler, kFlags,
      kCommit, result.config.num_rounds);
  text += fmt::format("{:>34} {:>20} {:>13} {:>13} {:>13} {:>13}\n", "us", "spread", "times OpenCV",
                      "times memcpy", "of the widest", "us more");
  for (const AugmentRowResult& row : result.rows) text += row_text(row);
  text.pop_back();
  return text;
}

std::string augment_bench_json(const AugmentBenchResult& result) {
  Json rows = Json::array();
  for (const AugmentRowResult& row : result.rows) rows.push_back(row_json(row));
  return report_json({{"layout", layout_name(result.config.layout)},
                      {"batch_size", result.config.batch},
                      {"num_rounds", result.config.num_rounds},
                      {"rows", rows}});
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
