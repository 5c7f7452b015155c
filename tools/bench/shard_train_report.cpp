#include <fmt/core.h>

#include "tools/bench/bench_json.h"
#include "tools/bench/shard_train_bench.h"
#include "tools/terminal.h"

namespace penstock::tools::bench {
namespace {

bool is_same(const train::CoreSplit& a, const train::CoreSplit& b) {
  return a.num_compute == b.num_compute && a.num_loader() == b.num_loader();
}

Json split_json(const train::CoreSplit& cores) {
  return {{"threads", cores.num_compute}, {"loader_threads", cores.num_loader()}};
}

std::string side_line(const SideResult& side) {
  std::string line =
      fmt::format("\n  {:<20} {:>9.1f} {:>19} {:>9.1f}", side.name, side.samples_per_s.median,
                  fmt::format("{:.1f} to {:.1f}", side.samples_per_s.low, side.samples_per_s.high),
                  side.cpu_us.median);
  if (side.ratio) {
    line += fmt::format("   {:.2f} ({:.2f} to {:.2f}), by CPU {:.2f}", side.ratio->median,
                        side.ratio->low, side.ratio->high, side.cpu_ratio->median);
  }
  return line;
}

}  // namespace

std::string shard_train_text(const ShardTrainResult& result) {
  std::string text = fmt::format(
      "{}, {}: {}, {}x{}, batch {}, {}; {}; {}; {}, {}, commit {}\n  {:<20} {:>9} {:>19} {:>9}   "
      "median "
      "of {} rounds of {}; ratio",
      printable_path(result.run.dataset), "split train", printable(result.run.model),
      result.run.image_height_px, result.run.image_width_px, result.run.batch_size,
      train::compute_type_name(result.run.precision), result.cores.text(), result.backend,
      cpu_name(), kFlags, kCommit, "", "images/s", "spread", "CPU us", result.num_rounds,
      format_counted(result.num_steps, "step", "steps"));
  for (const SideResult& side : result.sides) text += side_line(side);
  if (!result.batch_note.empty()) text += "\n" + printable(result.batch_note);
  text += fmt::format("\nwaiting for batches: {:.1f} % of the time from shards ({:.1f} to {:.1f})",
                      100 * result.waiting_share.median, 100 * result.waiting_share.low,
                      100 * result.waiting_share.high);
  text += fmt::format(
      "\nthe loader's own CPU time: {:.1f} us a picture; less that, on {} cores, the ratio is "
      "{:.2f}",
      result.loader_cpu_us, result.num_cores, result.ratio_less_loader);
  text += "\nverdict: " + result.loader_verdict;
  for (const SplitCandidate& candidate : result.candidates) {
    text += fmt::format("\n  {}: {:.2f} ({:.2f} to {:.2f}) of the speed", candidate.cores.text(),
                        candidate.ratio.median, candidate.ratio.low, candidate.ratio.high);
  }
  const std::string too_few = too_few_rounds_note(result.num_rounds);
  text += !too_few.empty()
              ? "\n" + too_few
              : fmt::format("\nrecommended: --threads {} --loader-threads {}{}",
                            result.recommended.num_compute, result.recommended.num_loader(),
                            is_same(result.recommended, result.cores) ? ", as measured" : "");
  return text + fmt::format("\nstart to the end of the first step: {:.2f} s", result.start_s);
}

std::string shard_train_json(const ShardTrainResult& result) {
  Json sides = Json::array();
  for (const SideResult& side : result.sides) {
    sides.push_back({{"name", side.name},
                     {"ceiling", side.ceiling.empty() ? Json(nullptr) : Json(side.ceiling)},
                     {"images_per_s", spread_json(side.samples_per_s)},
                     {"cpu_us", spread_json(side.cpu_us)},
                     {"ratio", optional_json(side.ratio)},
                     {"cpu_ratio", optional_json(side.cpu_ratio)}});
  }
  Json candidates = Json::array();
  for (const SplitCandidate& candidate : result.candidates) {
    Json json = split_json(candidate.cores);
    json["ratio"] = spread_json(candidate.ratio);
    candidates.push_back(json);
  }
  const bool is_too_few = result.num_rounds < kLeastRounds;
  const Json recommended = is_too_few ? Json(nullptr) : split_json(result.recommended);
  return report_json({{"dataset", result.run.dataset.string()},
                      {"model", result.run.model},
                      {"height_px", result.run.image_height_px},
                      {"width_px", result.run.image_width_px},
                      {"batch_size", result.run.batch_size},
                      {"precision", train::compute_type_name(result.run.precision)},
                      {"recompute", train::recompute_wish_name(result.run.recompute)},
                      {"backend", result.backend},
                      {"num_cores", result.num_cores},
                      {"cores", split_json(result.cores)},
                      {"num_rounds", result.num_rounds},
                      {"num_steps", result.num_steps},
                      {"sides", sides},
                      {"waiting_share", spread_json(result.waiting_share)},
                      {"loader_cpu_us", result.loader_cpu_us},
                      {"ratio_less_loader", result.ratio_less_loader},
                      {"verdict", result.loader_verdict},
                      {"candidates", candidates},
                      {"recommended", recommended},
                      {"start_s", result.start_s},
                      {"explanation", result.explanation}});
}

}  // namespace penstock::tools::bench
