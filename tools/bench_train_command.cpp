// penstock bench train: a training step beside its convolutions run bare.
#include "tools/bench_train_command.h"

#include <memory>
#include <string>

#include "tools/bench/train_bench.h"
#include "tools/exit_code.h"
#include "tools/size_option.h"
#include "tools/terminal.h"
#include "train/run/run_file.h"
#include "train/run/run_model.h"

namespace penstock::tools {
namespace {

struct TrainOptions {
  std::string model = "resnet18";
  std::string image_size = "224";
  std::uint64_t num_classes = 1000;
  std::uint64_t batch_size = 32;
  std::uint64_t num_threads = 0;
  std::uint64_t num_rounds = 9;
  bool is_gray = false;
  bool explains = false;
  bool json = false;
};

train::ModelGraph graph_of(const TrainOptions& options) {
  train::RunConfig run;
  train::set_run_value(run, "model", options.model, "--model");
  train::set_run_value(run, "image_size", options.image_size, "--image-size");
  train::inline_model_file(run);
  return train::build_run_model(run, options.is_gray ? 1 : 3,
                                static_cast<std::uint32_t>(options.num_classes));
}

int run_train_bench(const TrainOptions& options) {
  const auto result = bench::bench_train(
      graph_of(options), {.batch_size = static_cast<std::uint32_t>(options.batch_size),
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
      add_command(group, "train", "A training step, layer by layer, beside its convolutions alone");
  add_text(command, "--model", options->model,
           "A model as penstock train --model takes it (resnet18)");
  add_text(command, "--image-size", options->image_size, "Network input, 96 or 160x224 (224)");
  add_count_option(command, "--classes", options->num_classes, {.min = 1, .max = 1u << 20},
                   "Outputs (1000)");
  add_switch(command, "--gray", options->is_gray, "An input of one channel");
  add_count_option(command, "--batch-size", options->batch_size, {.min = 1, .max = 65536},
                   "Samples per step (32)");
  add_count_option(command, "--threads", options->num_threads, {.min = 1, .max = 1024},
                   "Threads that compute, in the step and in its ceiling (all cores)");
  add_count_option(command, "--rounds", options->num_rounds, {.min = 1, .max = 1000},
                   "Times that each side is measured (9)");
  add_switch(command, "--explain", options->explains,
             "Print after the figures what each layer became, and why");
  add_switch(command, "--json", options->json, "Print as JSON");
  end_help(command, example("penstock bench train --model resnet18 --image-size 224 --batch-size "
                            "32\n  penstock bench train --model mine.toml --image-size 32 "
                            "--explain"));
  choose_when_given(command, choice, [options] { return run_train_bench(*options); });
}

}  // namespace penstock::tools
