// penstock bench train: a training step beside its convolutions run bare, or from shards beside a batch in
// memory.
#include "tools/bench_train_command.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "tools/bench/shard_train_bench.h"
#include "tools/bench/train_bench.h"
#include "tools/exit_code.h"
#include "tools/precision_option.h"
#include "tools/run_flags.h"
#include "tools/size_option.h"
#include "tools/terminal.h"
#include "train/backend/cuda/cuda_module.h"
#include "train/backend/slow_precision.h"
#include "train/run/network/run_model.h"
#include "train/run/settings/run_file.h"

namespace penstock::tools {
namespace {

struct TrainOptions {
  std::string device = "auto";
  std::string dataset;
  std::string model;
  std::string image_size;
  std::uint64_t num_classes = 0;
  std::uint64_t batch_size = 32;
  std::optional<train::ComputeType> precision;  // float32
  std::uint64_t num_threads = 0;
  std::uint64_t num_loader_threads = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t num_rounds = 9;
  std::vector<RunOverride> overrides = {};  // the colour mode
  bool explains = false;
  bool json = false;

  train::ComputeType compute() const { return precision.value_or(train::ComputeType::kFloat32); }
};

/// Some flags are for a step alone, some for one from shards: none is taken and ignored.
void check_flags(const TrainOptions& options) {
  if (!options.dataset.empty() && options.num_classes > 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "bench train: --classes: expected no DATASET, which has its own, found one",
                "leave --classes out");
  }
  if (options.dataset.empty() && (options.num_loader_threads > 0 || options.memory_bytes > 0)) {
    const std::string flag = options.memory_bytes > 0 ? "--memory" : "--loader-threads";
    throw Error(ErrorCode::kInvalidArgument,
                "bench train: " + flag + ": expected a DATASET to load, found none",
                "penstock bench train photos.ds " + flag + " ...");
  }
}

train::RunConfig run_of(const TrainOptions& options) {
  train::RunConfig run;
  const bool has_dataset = !options.dataset.empty();
  const auto set = [&](const char* key, const std::string& text, const char* otherwise,
                       const char* flag) {
    if (text.empty() && has_dataset) return;  // the run's own default
    train::set_run_value(run, key, text.empty() ? otherwise : text, flag);
  };
  set("model", options.model, "resnet18", "--model");
  set("image_size", options.image_size, "224", "--image-size");
  run.dataset = options.dataset;
  run.device = options.device;
  apply_overrides(run, options.overrides);
  run.batch_size = static_cast<std::uint32_t>(options.batch_size);
  run.threads = static_cast<std::uint32_t>(options.num_threads);
  run.loader_threads = static_cast<std::uint32_t>(options.num_loader_threads);
  run.memory_bytes = options.memory_bytes;
  run.precision = options.compute();
  return run;
}

train::ModelGraph graph_of(const TrainOptions& options) {
  train::RunConfig run = run_of(options);
  train::inline_model_file(run);
  const std::uint64_t num_classes = options.num_classes > 0 ? options.num_classes : 1000;
  return train::build_run_model(run, train::num_channels(run.color_mode),
                                static_cast<std::uint32_t>(num_classes));
}

int run_shard_bench(const TrainOptions& options) {
  const auto result = bench::bench_shard_train(
      {.run = run_of(options), .num_rounds = static_cast<std::uint32_t>(options.num_rounds)});
  if (options.json) {
    print_result(bench::shard_train_json(result));
    return kExitDone;
  }
  print_result(bench::shard_train_text(result));
  if (options.explains) print_result("\n" + result.explanation);
  return kExitDone;
}

/// Where there is no GPU, "cuda" is refused when the backend is made, with the reason.
bool is_on_gpu(const TrainOptions& options) {
  return options.device == "cuda" ||
         (options.device == "auto" && train::CudaModule::open().has_device());
}

void read_device(TrainOptions& options, const std::string& text) {
  if (text != "auto" && text != "cpu" && text != "cuda") {
    throw Error(ErrorCode::kInvalidArgument,
                "--device: expected auto, cpu or cuda, found '" + printable(text) + "'",
                "--device auto");
  }
  options.device = text;
}

int run_train_bench(const TrainOptions& options) {
  const std::string backend = is_on_gpu(options) ? "cuda" : "onednn";
  const std::string note =
      backend == "onednn" ? train::slow_precision_note(backend, options.compute()) : "";
  if (!note.empty()) print_notice(Verbosity::kNormal, "warning: " + note);
  if (!options.dataset.empty()) return run_shard_bench(options);
  const auto result = bench::bench_train(
      graph_of(options), {.backend = backend,
                          .batch_size = static_cast<std::uint32_t>(options.batch_size),
                          .compute = options.compute(),
                          .num_threads = static_cast<std::uint32_t>(options.num_threads),
                          .num_rounds = static_cast<std::uint32_t>(options.num_rounds)});
  if (options.json) {
    print_result(bench::train_bench_json(result));
    return kExitDone;
  }
  print_result(bench::train_bench_text(result));
  if (options.explains) print_result("\n" + result.explanation);
  return kExitDone;
}

}  // namespace

void add_bench_train_command(CLI::App& group, CommandChoice& choice) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App& command =
      add_command(group, "train",
                  "A training step, layer by layer, beside its convolutions alone; or from shards");
  add_text(command, "DATASET", options->dataset,
           "Measure training from its shards, beside the same step on a batch in memory");
  add_text(command, "--model", options->model,
           "A model as penstock train --model takes it (resnet18; with DATASET as penstock train)");
  add_value(command,
            {"--image-size", "PIXELS",
             "Network input, 96 or 160x224 (224; with DATASET as penstock train)"},
            [options](const std::string& text) {
              check_run_flag({"--image-size", "image_size", text}, "96");
              options->image_size = text;
            });
  add_count_option(command, "--classes", options->num_classes, {.min = 1, .max = 1u << 20},
                   "Outputs (1000); not with DATASET");
  add_run_flags(command, options->overrides, {"color_mode"});
  add_count_option(command, "--batch-size", options->batch_size, {.min = 1, .max = 65536},
                   "Samples per step (32)");
  add_precision_option(command, options->precision, "float32");
  add_value(command, {"--device", "NAME", "cpu, cuda, or auto: a GPU if one answers (auto)"},
            [options](const std::string& text) { read_device(*options, text); });
  add_count_option(command, "--threads", options->num_threads, {.min = 1, .max = 1024},
                   "Threads that compute, in the step and in its ceiling (all cores)");
  add_count_option(
      command, "--loader-threads", options->num_loader_threads, {.min = 2, .max = 256},
      "With DATASET: threads that read, decode and augment (a quarter of the cores, at "
      "least 2)");
  add_byte_size_option(
      command, "--memory", options->memory_bytes,
      "With DATASET: limit of each run that is measured (0.8 of what is available)");
  add_count_option(command, "--rounds", options->num_rounds, {.min = 1, .max = 1000},
                   "Times that each side is measured (9)");
  add_switch(command, "--explain", options->explains,
             "Print after the figures what each layer became, and why");
  add_switch(command, "--json", options->json, "Print as JSON");
  end_help(command, example("penstock bench train --model resnet18 --image-size 224 --batch-size "
                            "32\n  penstock bench train photos.ds --model resnet18\n  penstock "
                            "bench train --model mine.toml --image-size 32 "
                            "--explain\n  penstock bench train --precision bfloat16"));
  choose_when_given(
      command, choice, [options] { return run_train_bench(*options); },
      [options] { check_flags(*options); });
}

}  // namespace penstock::tools
