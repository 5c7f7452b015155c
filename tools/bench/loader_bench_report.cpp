#include "tools/bench/loader_bench_report.h"

#include <fmt/core.h>

#include "streamer/core/memory_budget.h"
#include "tools/bench/bench_json.h"
#include "tools/bench/element_name.h"
#include "tools/bench/rounds.h"
#include "tools/build_facts.h"
#include "tools/cpu_name.h"
#include "tools/terminal.h"

namespace penstock::tools::bench {
namespace {

std::string speed_text(double samples_per_s) {
  return format_count(static_cast<std::uint64_t>(samples_per_s + 0.5));
}

std::string side_line(const SideResult& side) {
  std::string line = fmt::format("  {:<32} {:>11} {:>22} {:>9.2f}", side.name,
                                 speed_text(side.samples_per_s.median),
                                 fmt::format("{} to {}", speed_text(side.samples_per_s.low),
                                             speed_text(side.samples_per_s.high)),
                                 side.cpu_us.median);
  if (side.ratio) {
    line += fmt::format("   {:.3f} ({:.3f} to {:.3f}), {:.3f} by CPU, of {}", side.ratio->median,
                        side.ratio->low, side.ratio->high, side.cpu_ratio->median, side.ceiling);
  } else if (!side.ceiling.empty()) {
    line += fmt::format("   no ratio: not as many samples failed as in {}", side.ceiling);
  }
  if (side.num_failed > 0) line += fmt::format("   {} failed", format_count(side.num_failed));
  return line + "\n";
}

std::string threads_text(const LoaderThreads& threads) {
  return fmt::format("{} readers, {} workers, {} batches", threads.num_readers, threads.num_workers,
                     threads.num_slots);
}

std::string_view layout_name(PixelLayout layout) {
  return layout == PixelLayout::kNchw ? "NCHW" : "NHWC";
}

std::string_view bottleneck_name(Bottleneck bottleneck) {
  switch (bottleneck) {
    case Bottleneck::kNothingYet:
      return "nothing yet";
    case Bottleneck::kDisk:
      return "disk";
    case Bottleneck::kChecksum:
      return "checksum";
    case Bottleneck::kDecode:
      return "decode";
    case Bottleneck::kAugment:
      return "augment";
    case Bottleneck::kConsumer:
      return "consumer";
  }
  return {};
}

std::string consumer_line(const ConsumerCheck& consumer) {
  std::string line =
      fmt::format("slow consumer: {:.1f} us of CPU a sample, {:.1f} when batches are taken at once",
                  consumer.slow_cpu_us.median, consumer.free_cpu_us.median);
  if (consumer.ratio) {
    line += fmt::format(": {:.2f} times ({:.2f} to {:.2f})", consumer.ratio->median,
                        consumer.ratio->low, consumer.ratio->high);
  }
  return line + "\n";
}

std::string cache_line(const LoaderBenchResult& result) {
  const std::string text = cache_text(result.loader_stats.cache);
  return text.empty() ? text : fmt::format("{} {}\n", cache_form_name(result.cache), text);
}

std::string scaling_line(const LoaderBenchResult& result) {
  if (!result.loader_scaling) return {};
  std::string line = fmt::format(
      "{} cores for 1: the loader is {:.2f} times faster ({:.2f} to {:.2f})", result.num_threads,
      result.loader_scaling->median, result.loader_scaling->low, result.loader_scaling->high);
  if (result.ceiling_scaling) {
    line += fmt::format(", its ceiling {:.2f}", result.ceiling_scaling->median);
  }
  return line + "\n";
}

std::string recommendation_text(const LoaderBenchResult& result) {
  std::string text = "other threads and depths, over the loader as measured:\n";
  for (const Candidate& candidate : result.candidates) {
    text += fmt::format("  {:<36} {:>12} {:>25}   {:.3f} ({:.3f} to {:.3f})\n",
                        threads_text(candidate.threads), speed_text(candidate.samples_per_s.median),
                        "", candidate.ratio.median, candidate.ratio.low, candidate.ratio.high);
  }
  if (result.num_rounds < kLeastRounds) return text;  // a note says why
  if (result.recommended == result.threads) {
    return text + "recommended: as measured, nothing else is clearly faster\n";
  }
  return text + fmt::format(
                    "recommended: LoaderConfig{{.num_readers = {}, .num_workers = {}, "
                    ".num_slots = {}}}\n",
                    result.recommended.num_readers, result.recommended.num_workers,
                    result.recommended.num_slots);
}

Json threads_json(const LoaderThreads& threads) {
  return {{"num_readers", threads.num_readers},
          {"num_workers", threads.num_workers},
          {"num_slots", threads.num_slots}};
}

Json side_json(const SideResult& side) {
  return {{"name", side.name},
          {"images_per_s", spread_json(side.samples_per_s)},
          {"cpu_us", spread_json(side.cpu_us)},
          {"num_failed", side.num_failed},
          {"ceiling", side.ceiling.empty() ? Json(nullptr) : Json(side.ceiling)},
          {"ratio", optional_json(side.ratio)},
          {"cpu_ratio", optional_json(side.cpu_ratio)}};
}

Json verdict_json(const LoaderStats& stats) {
  const Verdict judged = verdict(stats);
  return {{"bottleneck", bottleneck_name(judged.bottleneck)},
          {"text", judged.text},
          {"elapsed_us", stats.elapsed_us},
          {"busy_us",
           {{"admission", stats.admission_busy_us},
            {"read", stats.read_busy_us},
            {"checksum", stats.checksum_busy_us},
            {"decode", stats.decode_busy_us},
            {"augment", stats.augment_busy_us},
            {"deliver", stats.deliver_busy_us},
            {"consumer", stats.consumer_busy_us}}},
          {"wait_us",
           {{"consumer", stats.source.consumer_wait_us},
            {"first_batch", stats.first_batch_wait_us},
            {"admission_slot", stats.admission_slot_wait_us},
            {"admission_memory", stats.admission_memory_wait_us},
            {"reader", stats.reader_wait_us},
            {"worker", stats.worker_wait_us}}}};
}

Json cache_json(const LoaderBenchResult& result) {
  if (result.cache == CacheForm::kNone) return nullptr;
  const CacheStats& cache = result.loader_stats.cache;
  return {{"form", cache_form_name(result.cache)}, {"limit_bytes", cache.limit_bytes},
          {"kept_bytes", cache.kept_bytes},        {"num_kept", cache.num_kept},
          {"num_places", cache.num_places},        {"num_hits", cache.num_hits}};
}

Json candidate_json(const Candidate& candidate) {
  Json json = threads_json(candidate.threads);
  json["images_per_s"] = spread_json(candidate.samples_per_s);
  json["ratio"] = spread_json(candidate.ratio);
  return json;
}

}  // namespace

std::string loader_bench_text(const LoaderBenchResult& result) {
  const BatchSpec& spec = result.workload.spec;
  std::string text = fmt::format(
      "{} of split {}: {} samples a round, of about {:.0f} x {:.0f} px and {}\n"
      "{} x {} px, {} {}, batches of {}; {} cores ({}); {}; page cache {}\n"
      "images/s, median of {} rounds, lowest to highest; us of CPU an image; ratio round by "
      "round\n",
      result.workload.name, result.split, format_count(result.num_samples), result.mean_width_px,
      result.mean_height_px, format_bytes(static_cast<std::uint64_t>(result.mean_stored_bytes)),
      spec.width_px, spec.height_px, element_name(spec.element), layout_name(spec.layout),
      spec.batch, result.num_threads, cpu_name(), threads_text(result.threads),
      result.is_cold ? "cold" : "warm", result.num_rounds);
  for (const SideResult& side : result.sides) text += side_line(side);
  text += scaling_line(result);
  text += consumer_line(result.consumer);
  text += fmt::format("verdict: {}\n", verdict(result.loader_stats).text);
  text += cache_line(result);
  text += fmt::format("memory: {} drawn by the loader, of its limit of {}\n",
                      format_bytes(result.loader_stats.source.high_water_bytes),
                      format_bytes(result.limit_bytes));
  for (const std::string& note : result.notes) text += fmt::format("note: {}\n", note);
  text += recommendation_text(result);
  text.pop_back();
  return text;
}

std::string loader_bench_json(const LoaderBenchResult& result) {
  const BatchSpec& spec = result.workload.spec;
  Json sides = Json::array();
  for (const SideResult& side : result.sides) sides.push_back(side_json(side));
  Json candidates = Json::array();
  for (const Candidate& candidate : result.candidates) {
    candidates.push_back(candidate_json(candidate));
  }
  const bool is_too_few = result.num_rounds < kLeastRounds;
  const Json recommended = is_too_few ? Json(nullptr) : threads_json(result.recommended);
  return report_json({{"dataset_id", result.dataset_id},
                      {"split", result.split},
                      {"augment", result.workload.name},
                      {"batch_size", spec.batch},
                      {"height_px", spec.height_px},
                      {"width_px", spec.width_px},
                      {"element", element_name(spec.element)},
                      {"layout", layout_name(spec.layout)},
                      {"seed", result.seed},
                      {"num_cores", result.num_threads},
                      {"threads", threads_json(result.threads)},
                      {"is_cold", result.is_cold},
                      {"num_rounds", result.num_rounds},
                      {"num_samples", result.num_samples},
                      {"mean_width_px", result.mean_width_px},
                      {"mean_height_px", result.mean_height_px},
                      {"mean_stored_bytes", result.mean_stored_bytes},
                      {"sides", sides},
                      {"loader_scaling", optional_json(result.loader_scaling)},
                      {"ceiling_scaling", optional_json(result.ceiling_scaling)},
                      {"slow_consumer",
                       {{"free_cpu_us", spread_json(result.consumer.free_cpu_us)},
                        {"slow_cpu_us", spread_json(result.consumer.slow_cpu_us)},
                        {"ratio", optional_json(result.consumer.ratio)}}},
                      {"verdict", verdict_json(result.loader_stats)},
                      {"cache", cache_json(result)},
                      {"drawn_bytes", result.loader_stats.source.high_water_bytes},
                      {"limit_bytes", result.limit_bytes},
                      {"notes", result.notes},
                      {"candidates", candidates},
                      {"recommended", recommended}});
}

}  // namespace penstock::tools::bench
