// penstock plan: what a loader of a dataset would hold in memory, and a network that is trained on it, line by
// line, without starting either.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "streamer/core/usable_cores.h"
#include "streamer/pipeline/loader_depth.h"
#include "tools/command.h"
#include "tools/exit_code.h"
#include "tools/network_report.h"
#include "tools/run_flags.h"
#include "tools/size_option.h"
#include "tools/terminal.h"
#include "train/run/data/data_pipeline.h"
#include "train/run/memory/system_memory.h"
#include "train/run/network_plan.h"
#include "train/run/run_resolve.h"
#include "train/run/settings/run_file.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;
using train::PipelineUse;

struct PlanOptions {
  std::string dataset;
  std::string split = "train";
  std::string config_file;
  std::vector<RunOverride> overrides;
  bool is_batch_fixed = false;
  std::uint64_t num_slots = LoaderConfig{}.num_slots;
  bool is_quiet = false;
  bool is_json = false;

  /// A run file has a model, if only the one by default.
  bool has_network() const {
    return !config_file.empty() || std::ranges::any_of(overrides, [](const RunOverride& one) {
      return one.key == "model";
    });
  }
};

struct Plan {
  std::optional<train::NetworkPlan> network;
  train::PlannedLoader loader;
  std::string sample_name;  // of the costliest; empty when left out at conversion
  std::chrono::duration<double> elapsed{};

  bool fits() const noexcept { return loader.memory.fits(loader.config); }
};

train::RunConfig run_of(const PlanOptions& options) {
  train::RunConfig run;
  if (!options.config_file.empty()) run = train::read_run_file(options.config_file);
  apply_overrides(run, options.overrides);
  run.dataset = options.dataset;
  if (options.is_batch_fixed) run.auto_batch = false;
  run.validate();
  return run;
}

/// Samples of a batch as a loader delivers it. How an epoch as one step is cut depends on the network.
std::uint32_t delivered_batch(const train::RunConfig& run, PipelineUse use,
                              const std::optional<train::NetworkPlan>& network) {
  if (network) {
    return use == PipelineUse::kTrain ? network->batch.lease_batch
                                      : network->config.evaluation_batch();
  }
  if (use == PipelineUse::kEvaluate && run.validation_batch_size > 0) {
    return run.validation_batch_size;
  }
  if (run.batch_size != train::kWholeEpoch) return run.batch_size;
  return run.micro_batch > 0 ? run.micro_batch : train::RunConfig{}.batch_size;
}

// What a run with these settings would stream; mean and std hold no memory.
train::PipelineConfig pipeline_of(const train::RunConfig& run, const Manifest& manifest,
                                  PipelineUse use, std::uint64_t num_slots,
                                  const std::optional<train::NetworkPlan>& network) {
  const std::uint32_t side_px = train::default_image_side_px(manifest);
  const ElementType element =
      network ? network->delivered.element : train::element_type_of(run.precision);
  return {.batch = {.batch = delivered_batch(run, use, network),
                    .height_px = run.image_height_px > 0 ? run.image_height_px : side_px,
                    .width_px = run.image_width_px > 0 ? run.image_width_px : side_px,
                    .channels = train::num_channels(run.color_mode),
                    .element = element,
                    .crop_bytes = network ? network->delivered.crop_bytes : 0},
          .augment = run.augment,
          .order = run.order,
          .window_bytes = run.window_bytes,
          .cores = train::split_cores(num_usable_cores(),
                                      {.threads = run.threads,
                                       .loader_threads = run.loader_threads,
                                       .is_on_gpu = network && network->gpu_limit_bytes}),
          .num_slots = static_cast<std::uint32_t>(num_slots),
          .cache = run.cache};
}

Plan make_plan(const PlanOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const train::RunConfig run = run_of(options);
  Plan plan;
  if (options.has_network()) plan.network = train::plan_network(run);
  const std::uint64_t limit_bytes = plan.network ? plan.network->config.memory_bytes
                                    : run.memory_bytes != 0
                                        ? run.memory_bytes
                                        : train::read_system_memory().default_limit_bytes();
  const std::uint64_t network_bytes = plan.network ? held_bytes(*plan.network) : 0;
  const Dataset dataset = Dataset::open(options.dataset);
  const DatasetSplit split = dataset.split(options.split);
  const auto use = options.split == "train" ? PipelineUse::kTrain : PipelineUse::kEvaluate;
  const train::PipelineConfig pipeline =
      pipeline_of(run, dataset.manifest(), use, options.num_slots, plan.network);
  plan.loader =
      train::plan_loader(split, pipeline, use,
                         {.limit_bytes = limit_bytes,
                          .left_bytes = limit_bytes - std::min(limit_bytes, network_bytes)});
  if (split.num_samples() > 0) {
    plan.sample_name = split.read_name(plan.loader.memory.costliest.sample_id);
  }
  plan.elapsed = std::chrono::steady_clock::now() - start;
  return plan;
}

/// With the network, if there is one, before what is left.
std::vector<MemoryLine> lines_of(const Plan& plan, const LoaderConfig& config) {
  std::vector<MemoryLine> lines = memory_lines(plan.loader.memory, config);
  if (plan.network) {
    lines.insert(lines.end() - 2,
                 {"network", held_bytes(*plan.network), network_detail(*plan.network)});
  }
  return lines;
}

std::string plan_text(const Plan& plan, const PlanOptions& options) {
  const LoaderMemory& memory = plan.loader.memory;
  std::string text = fmt::format("{}, split {}: {}", printable(options.dataset), options.split,
                                 format_counted(memory.num_samples, "sample", "samples"));
  for (const MemoryLine& line : lines_of(plan, plan.loader.config)) {
    text += fmt::format("\n  {:<18}{:>12}", line.what, format_bytes(line.bytes));
    if (!line.detail.empty()) text += "  " + line.detail;
    if (line.what == "samples in flight" && !plan.sample_name.empty()) {
      text += ", " + printable(plan.sample_name);
    }
  }
  if (plan.network) text += "\n" + network_text(*plan.network);
  return text;
}

Json nearest_json(const LoaderMemory& memory, const LoaderConfig& config) {
  const NearestFit nearest = nearest_fit(memory, config);
  const auto number = [](const std::optional<std::uint32_t>& value) {
    return value ? Json(*value) : Json(nullptr);
  };
  return {{"batch_size", number(nearest.batch)},
          {"num_slots", number(nearest.num_slots)},
          {"limit_bytes", nearest.limit_bytes}};
}

std::string plan_json(const Plan& plan, const PlanOptions& options) {
  const LoaderConfig config = with_ruled_threads(plan.loader.config, num_usable_cores());
  const LoaderMemory& memory = plan.loader.memory;
  const CostliestSample& costliest = memory.costliest;
  Json lines = Json::array();
  for (const MemoryLine& line : lines_of(plan, config)) {
    lines.push_back({{"what", line.what}, {"bytes", line.bytes}, {"detail", line.detail}});
  }
  const Json json = {{"dataset", options.dataset},
                     {"split", options.split},
                     {"num_samples", memory.num_samples},
                     {"batch_size", config.batch.batch},
                     {"image_height_px", config.batch.height_px},
                     {"image_width_px", config.batch.width_px},
                     {"num_slots", config.num_slots},
                     {"num_readers", config.num_readers},
                     {"num_workers", config.num_workers},
                     {"cache", cache_form_name(config.cache)},
                     {"fits", plan.fits()},
                     {"limit_bytes", memory.room.limit_bytes},
                     {"total_bytes", memory.total_bytes()},
                     {"least_bytes", memory.least_bytes(config)},
                     {"is_index_resident", memory.index.is_resident()},
                     {"lines", lines},
                     {"network", plan.network ? network_json(*plan.network) : Json(nullptr)},
                     {"costliest",
                      {{"sample_id", costliest.sample_id},
                       {"name", plan.sample_name},
                       {"width_px", costliest.stored.width_px},
                       {"height_px", costliest.stored.height_px},
                       {"is_progressive", costliest.stored.is_progressive},
                       {"bytes", costliest.bytes},
                       {"bytes_if_baseline", costliest.bytes_if_baseline}}},
                     {"nearest", plan.fits() ? Json(nullptr) : nearest_json(memory, config)},
                     {"elapsed_s", plan.elapsed.count()}};
  // A source's name may be no UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

int run_plan(const PlanOptions& options) {
  const Plan plan = make_plan(options);
  if (options.is_json) {
    print_result(plan_json(plan, options));
  } else if (!options.is_quiet) {
    print_result(plan_text(plan, options));
  }
  check_memory(plan.loader.memory, plan.loader.config);
  return kExitDone;
}

}  // namespace

void add_plan_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App& command =
      add_command(program, "plan",
                  "Say what streaming a dataset would hold in memory, with --model or "
                  "--config training a network on it too, and whether that fits");
  add_argument(command, "DATASET", options->dataset, "Folder made by penstock convert");
  add_text(command, "--split", options->split, "train, validation or test (train)");
  add_text(command, "--config", options->config_file, "Run file whose settings are taken");
  add_run_flags(command, options->overrides, {"model",          "optimizer",
                                              "ema_decay",      "freeze",
                                              "precision",      "backend",
                                              "device",         "memory_gpu",
                                              "batch_element",  "augment_on",
                                              "threads",        "micro_batch",
                                              "recompute",      "validation_batch_size",
                                              "image_size",     "color_mode",
                                              "batch_size",     "memory",
                                              "order",          "window",
                                              "loader_threads", "cache",
                                              "augment."});
  add_count_option(command, "--num-slots", options->num_slots, {.min = 2, .max = 64},
                   "Batches in flight or lent out (4)");
  add_switch(command, "--no-auto-batch", options->is_batch_fixed,
             "Refuse a step of the network that does not fit, instead of cutting it");
  add_switch(command, "--quiet", options->is_quiet,
             "Print errors only: the exit code says whether it fits");
  add_switch(command, "--json", options->is_json, "Print as JSON");
  end_help(command, example("penstock plan photos.ds --memory 256M --batch-size 64\n"
                            "  penstock plan photos.ds --model resnet18 --batch-size 64"));
  choose_when_given(
      command, choice, [options] { return run_plan(*options); },
      [options] { check_run_file(options->config_file); });
}

}  // namespace penstock::tools
