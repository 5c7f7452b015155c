#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "streamer/core/memory_budget.h"
#include "tools/bench/bench_json.h"
#include "tools/bench/train_bench.h"
#include "tools/terminal.h"

namespace penstock::tools::bench {
namespace {

struct StepFigures {
  double flops = 0;
  StageTime weighted;  // convolutions and dense layers within the step
  StageTime bare;
};

StageTime sum(StageTime a, const StageTime& b) {
  return a += b;
}

StepFigures figures_of(const TrainBenchResult& result) {
  StepFigures figures;
  for (const LayerCost& layer : result.layers) {
    figures.flops += layer.flops;
    if (!layer.is_weighted) continue;
    figures.weighted += sum(layer.forward, layer.backward);
    figures.bare += sum(layer.bare_forward, layer.bare_backward);
  }
  return figures;
}

/// Milliseconds of a step, from pictures a second.
Spread step_ms(const SideResult& side, std::uint32_t batch) {
  const auto ms = [&](double samples_per_s) { return 1e3 * batch / samples_per_s; };
  return {.median = ms(side.samples_per_s.median),
          .low = ms(side.samples_per_s.high),
          .high = ms(side.samples_per_s.low)};
}

double tflop_per_s(const SideResult& side, const TrainBenchResult& result, double flops) {
  return flops / step_ms(side, result.batch_size).median / 1e9;
}

/// Operations are counted with the ceiling's passes.
bool has_ceiling(const TrainBenchResult& result) {
  return result.ceiling_absence.empty();
}

/// What all layers of one operation take.
std::map<std::string, StageTime> time_by_operation(const TrainBenchResult& result) {
  std::map<std::string, StageTime> time;
  for (const LayerCost& layer : result.layers) {
    time[layer.operation] += sum(layer.forward, layer.backward);
    time["copies of weights"] += layer.copies;
  }
  time["update"] += result.update;
  return time;
}

std::string side_line(const SideResult& side, const TrainBenchResult& result, double flops) {
  const Spread ms = step_ms(side, result.batch_size);
  std::string line =
      fmt::format("\n  {:<18} {:>9.1f} {:>9.2f} {:>19} {:>9}", side.name, side.samples_per_s.median,
                  ms.median, fmt::format("{:.2f} to {:.2f}", ms.low, ms.high),
                  has_ceiling(result) ? fmt::format("{:.0f}", flops / ms.median / 1e6) : "-");
  if (side.ratio) {
    line += fmt::format("   {:.2f} ({:.2f} to {:.2f}), by CPU {:.2f}", side.ratio->median,
                        side.ratio->low, side.ratio->high, side.cpu_ratio->median);
  }
  return line;
}

std::string layer_line(const LayerCost& layer) {
  std::string line = fmt::format("\n  {:<24} {:<16} {:>8.2f} {:>9.2f}", layer.name, layer.operation,
                                 layer.forward.seconds * 1e3, layer.backward.seconds * 1e3);
  if (!layer.is_weighted) return line;
  const StageTime whole = sum(layer.forward, layer.backward);
  const StageTime bare = sum(layer.bare_forward, layer.bare_backward);
  return line + fmt::format(" {:>8.2f} {:>9.2f} {:>7.2f} {:>7.2f} {:>8.0f}",
                            layer.bare_forward.seconds * 1e3, layer.bare_backward.seconds * 1e3,
                            bare.seconds / whole.seconds, bare.cpu_seconds / whole.cpu_seconds,
                            layer.flops / whole.seconds / 1e9);
}

/// "+1.2 %".
std::string difference_text(std::uint64_t found, std::uint64_t forecast) {
  return fmt::format("{:+.1f} %",
                     100 * (static_cast<double>(found) / static_cast<double>(forecast) - 1));
}

std::string memory_text(const MemoryForecast& memory) {
  const char* const verdict = !memory.is_met()   ? "too small to tell"
                              : *memory.is_met() ? "as forecast"
                                                 : "not as forecast";
  return fmt::format(
      "memory: arena {} forecast, {} held ({}, {:.0f} % allowed); {} above its start {} "
      "forecast, {} at its peak ({}, {:.0f} % allowed): {}",
      format_bytes(memory.arena_bytes), format_bytes(memory.arena_held_bytes),
      difference_text(memory.arena_held_bytes, memory.arena_bytes),
      100 * MemoryForecast::kArenaBound, memory.is_of_device ? "device" : "process",
      format_bytes(memory.process_bytes), format_bytes(memory.peak_bytes),
      difference_text(memory.peak_bytes, memory.process_bytes), 100 * MemoryForecast::kProcessBound,
      verdict);
}

/// Null for what was not counted or measured without a ceiling.
Json of_ceiling(const TrainBenchResult& result, const Json& value) {
  return has_ceiling(result) ? value : Json(nullptr);
}

Json side_json(const SideResult& side, const TrainBenchResult& result, double flops) {
  const Spread ms = step_ms(side, result.batch_size);
  return {{"name", side.name},
          {"ceiling", side.ceiling.empty() ? Json(nullptr) : Json(side.ceiling)},
          {"images_per_s", spread_json(side.samples_per_s)},
          {"step_ms", spread_json(ms)},
          {"cpu_us", spread_json(side.cpu_us)},
          {"gflop_per_s", of_ceiling(result, flops / ms.median / 1e6)},
          {"tflop_per_s", of_ceiling(result, tflop_per_s(side, result, flops))},
          {"ratio", optional_json(side.ratio)},
          {"cpu_ratio", optional_json(side.cpu_ratio)}};
}

Json stage_json(const StageTime& time) {
  return {{"ms", time.seconds * 1e3}, {"cpu_ms", time.cpu_seconds * 1e3}};
}

Json layer_json(const LayerCost& layer) {
  Json json = {{"name", layer.name},
               {"operation", layer.operation},
               {"forward", stage_json(layer.forward)},
               {"backward", stage_json(layer.backward)},
               {"weight_copies", stage_json(layer.copies)}};
  if (!layer.is_weighted) return json;
  json["bare_forward"] = stage_json(layer.bare_forward);
  json["bare_backward"] = stage_json(layer.bare_backward);
  json["gflop"] = layer.flops / 1e9;
  return json;
}

}  // namespace

std::string train_bench_text(const TrainBenchResult& result) {
  const StepFigures figures = figures_of(result);
  std::string text = fmt::format(
      "{}, {}x{}x{}, {}, batch {}, {}; {}; {}, {}, commit {}\n  {:<18} {:>9} {:>9} {:>19} {:>9}   "
      "median of {} rounds of {}; ratio",
      result.model, result.input.channels, result.input.height, result.input.width,
      format_counted(result.num_classes, "class", "classes"), result.batch_size,
      train::compute_type_name(result.compute), result.backend, cpu_name(), kFlags, kCommit, "",
      "images/s", "step ms", "spread", "GFLOP/s", result.num_rounds,
      format_counted(result.num_steps, "step", "steps"));
  for (const SideResult& side : result.sides) text += side_line(side, result, figures.flops);
  text += fmt::format(
      "\n\n  {:<24} {:<16} {:>8} {:>9} {:>8} {:>9} {:>7} {:>7} {:>8}\n  {:<24} {:<16} "
      "{:>8} {:>9} {:>8} {:>9} {:>7} {:>7}",
      "layer", "operation", "forward", "backward", "bare", "bare", "share", "by CPU", "GFLOP/s", "",
      "", "ms", "ms", "fwd ms", "bwd ms", "", "");
  for (const LayerCost& layer : result.layers) text += layer_line(layer);
  text += fmt::format("\n\n  {:<24} {:>9} {:>9}", "by operation", "ms", "CPU ms");
  const auto add_line = [&](const std::string& name, const StageTime& time) {
    text += fmt::format("\n  {:<24} {:>9.2f} {:>9.2f}", name, time.seconds * 1e3,
                        time.cpu_seconds * 1e3);
  };
  for (const auto& [operation, time] : time_by_operation(result)) add_line(operation, time);
  if (has_ceiling(result)) {
    add_line("all with weights", figures.weighted);
    add_line("the same bare", figures.bare);
  }
  text += "\n" + memory_text(result.memory);
  if (has_ceiling(result)) {
    text += "; the ceiling " + format_bytes(result.bare_bytes);
    for (const SideResult& side : result.sides) {
      text += fmt::format("\nachieved: {:.3g} TFLOP/s, {}",
                          tflop_per_s(side, result, figures.flops), side.name);
    }
  } else {
    text += "\nno ceiling beside the step: " + printable(result.ceiling_absence);
  }
  text += fmt::format("\nstart to the end of the first step: {:.2f} s", result.start_s);
  return text;
}

std::string train_bench_json(const TrainBenchResult& result) {
  const StepFigures figures = figures_of(result);
  Json sides = Json::array();
  for (const SideResult& side : result.sides) {
    sides.push_back(side_json(side, result, figures.flops));
  }
  Json layers = Json::array();
  for (const LayerCost& layer : result.layers) layers.push_back(layer_json(layer));
  Json operations = Json::object();
  for (const auto& [operation, time] : time_by_operation(result)) {
    operations[operation] = stage_json(time);
  }
  return report_json(
      {{"model", result.model},
       {"channels", result.input.channels},
       {"height_px", result.input.height},
       {"width_px", result.input.width},
       {"num_classes", result.num_classes},
       {"batch_size", result.batch_size},
       {"precision", train::compute_type_name(result.compute)},
       {"backend", result.backend},
       {"num_rounds", result.num_rounds},
       {"num_steps", result.num_steps},
       {"sides", sides},
       {"gflop", of_ceiling(result, figures.flops / 1e9)},
       {"weighted", of_ceiling(result, stage_json(figures.weighted))},
       {"bare_weighted", of_ceiling(result, stage_json(figures.bare))},
       {"operations", operations},
       {"layers", layers},
       {"arena_bytes", result.memory.arena_bytes},
       {"arena_held_bytes", result.memory.arena_held_bytes},
       {"forecast_bytes", result.memory.process_bytes},
       {"peak_bytes", result.memory.peak_bytes},
       {"is_forecast_met", result.memory.is_met() ? Json(*result.memory.is_met()) : Json(nullptr)},
       {"ceiling_bytes", of_ceiling(result, result.bare_bytes)},
       {"ceiling_absence", has_ceiling(result) ? Json(nullptr) : Json(result.ceiling_absence)},
       {"start_s", result.start_s},
       {"explanation", result.explanation}});
}

}  // namespace penstock::tools::bench
