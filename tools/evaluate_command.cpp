// `penstock evaluate`: a stored model against a split, in total and class by class.
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>

#include "tools/command.h"
#include "tools/exit_code.h"
#include "tools/inference_flags.h"
#include "tools/run_report.h"
#include "tools/run_screen.h"
#include "tools/size_option.h"
#include "tools/stop_signals.h"
#include "tools/terminal.h"
#include "train/run/evaluation.h"

namespace penstock::tools {
namespace {

struct EvaluateOptions {
  std::string run;
  std::string dataset;
  std::string split;
  InferenceFlags inference;
  bool is_quiet = false;
  bool is_json = false;
};

class EvaluationScreen final : public train::PassObserver {
 public:
  explicit EvaluationScreen(Verbosity verbosity) : line_(verbosity) {}
  void on_step(const train::PassReport& so_far) override {
    if (line_.is_due()) line_.update("evaluate " + progress_text(so_far));
  }

 private:
  ProgressLine line_;
};

std::string share_text(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "-" : percent_text(static_cast<double>(part) / static_cast<double>(whole));
}

std::string class_table(const train::EvaluationReport& report) {
  std::size_t width = 5;
  for (const train::ClassFigures& one : report.classes) {
    width = std::max(width, printable(one.name).size());
  }
  std::string text =
      fmt::format("{:<{}}  {:>8}  {:>8}  {:>9}", "class", width, "samples", "recall", "precision");
  for (const train::ClassFigures& one : report.classes) {
    text += fmt::format("\n{:<{}}  {:>8}  {:>8}  {:>9}", printable(one.name), width,
                        format_count(one.num_samples), share_text(one.num_correct, one.num_samples),
                        share_text(one.num_correct, one.num_predicted));
  }
  return text;
}

void print_report(const train::EvaluationReport& report) {
  print_result(fmt::format("{}, split {}: {}", printable(report.dataset.native()), report.split,
                           samples_text(report.pass)));
  print_result(fmt::format(
      "loss {}  top-1 {} ({} of {})  {:.0f} images/s", loss_text(report.pass.totals.loss()),
      percent_text(report.pass.totals.top1()), format_count(report.pass.totals.num_correct),
      format_count(report.pass.totals.num_counted), report.pass.images_per_s()));
  print_result(class_table(report));
}

/// What may make the figures other than they seem.
void print_remarks(const train::EvaluationReport& report, const train::EvaluationConfig& config) {
  for (const train::SkippedSample& sample : report.skipped) {
    print_notice(Verbosity::kNormal, skipped_line(sample));
  }
  if (report.is_training_dataset || !config.dataset.empty()) return;
  print_notice(Verbosity::kNormal, "warning: " + printable(report.dataset.native()) +
                                       " was converted again since the training: its " +
                                       report.split +
                                       " split may hold pictures that were trained on");
}

int run_evaluate(const EvaluateOptions& options) {
  const StopSignals signals;  // before any other thread
  const train::EvaluationConfig config{.run = options.run,
                                       .dataset = options.dataset,
                                       .split = options.split,
                                       .inference = options.inference.config()};
  const bool shows_progress = !options.is_quiet && !options.is_json;
  train::EvaluationReport report;
  {
    EvaluationScreen screen(shows_progress ? Verbosity::kNormal : Verbosity::kQuiet);
    report = train::evaluate_run(config, &screen, signals.token());
  }
  print_remarks(report, config);
  if (options.is_json) {
    print_result(evaluation_json(report, config));
  } else {
    print_report(report);
  }
  return kExitDone;
}

}  // namespace

void add_evaluate_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App& command =
      add_command(program, "evaluate", "Says how good a trained model is on a split");
  add_argument(command, "RUN", options->run, "Folder made by penstock train");
  add_text(command, "DATASET", options->dataset, "Dataset of the same classes (the run's own)");
  add_text(command, "--split", options->split,
           "train, validation or test (test if there is one, else validation)");
  add_inference_flags(command, options->inference);
  add_count_option(command, "--loader-threads", options->inference.loader_threads,
                   {.min = 2, .max = 256},
                   "Threads that read, decode and augment (a quarter of the cores, at least 2)");
  add_switch(command, "--quiet", options->is_quiet, "Show no progress");
  add_switch(command, "--json", options->is_json, "Print the figures as JSON");
  end_help(command, example("penstock evaluate runs/first"));
  choose_when_given(command, choice, [options] { return run_evaluate(*options); });
}

}  // namespace penstock::tools
