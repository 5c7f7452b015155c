// `penstock evaluate`: a stored model against a split, in total and class by class.
#include <memory>
#include <string>

#include "tools/command.h"
#include "tools/evaluation_report.h"
#include "tools/exit_code.h"
#include "tools/inference_flags.h"
#include "tools/output_file.h"
#include "tools/result_stream.h"
#include "tools/run_screen.h"
#include "tools/size_option.h"
#include "tools/stop_signals.h"
#include "tools/terminal.h"
#include "train/run/inference/evaluation.h"

namespace penstock::tools {
namespace {

struct EvaluateOptions {
  std::string run;
  std::string dataset;
  std::string split;
  std::string confusion;
  std::uint64_t num_worst = 0;
  InferenceFlags inference;
  bool flips = false;
  bool is_forced = false;
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

/// What may make the figures other than they seem.
void print_remarks(const train::EvaluationReport& report, const train::EvaluationConfig& config) {
  for (const train::SkippedSample& sample : report.skipped) {
    print_notice(Verbosity::kNormal, skipped_line(sample));
  }
  if (!report.device_note.empty()) {
    print_notice(Verbosity::kNormal, "warning: " + report.device_note);
  }
  if (!report.precision_note.empty()) {
    print_notice(Verbosity::kNormal, "warning: " + report.precision_note);
  }
  if (report.is_training_dataset || !config.dataset.empty()) return;
  print_notice(Verbosity::kNormal, "warning: " + printable(report.dataset.native()) +
                                       " was converted again since the training: its " +
                                       report.split +
                                       " split may hold pictures that were trained on");
}

train::EvaluationReport evaluate(const train::EvaluationConfig& config, bool shows_progress) {
  const StopSignals signals;  // before any other thread
  EvaluationScreen screen(shows_progress ? Verbosity::kNormal : Verbosity::kQuiet);
  return train::evaluate_run(config, &screen, signals.token());
}

int run_evaluate(const EvaluateOptions& options) {
  if (!options.confusion.empty()) {
    check_output_file(options.confusion,
                      options.is_forced ? ExistingFile::kReplace : ExistingFile::kRefuse);
  }
  const train::EvaluationConfig config{.run = options.run,
                                       .dataset = options.dataset,
                                       .split = options.split,
                                       .flips = options.flips,
                                       .num_worst = static_cast<std::uint32_t>(options.num_worst),
                                       .needs_confusion = !options.confusion.empty(),
                                       .inference = options.inference.config()};
  const train::EvaluationReport report = evaluate(config, !options.is_quiet && !options.is_json);
  if (!options.confusion.empty()) {
    ResultStream out(options.confusion);
    write_confusion_csv(report, out);
    out.publish();
  }
  print_remarks(report, config);
  print_result(options.is_json ? evaluation_json(report, config) : evaluation_text(report));
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
  add_count_option(command, "--worst", options->num_worst, {.min = 0, .max = 100'000},
                   "Mistakes of highest loss to name (0)");
  add_text(command, "--confusion", options->confusion,
           "CSV file for the confusion matrix, of up to 4,096 classes");
  add_switch(command, "--flip", options->flips,
             "Judge each picture by the mean of its probabilities and its mirror image's");
  add_switch(command, "--force", options->is_forced,
             "Replace the file of --confusion if it is there");
  add_inference_flags(command, options->inference);
  add_count_option(command, "--loader-threads", options->inference.loader_threads,
                   {.min = 2, .max = 256},
                   "Threads that read, decode and augment (a quarter of the cores, at least 2)");
  add_switch(command, "--quiet", options->is_quiet, "Show no progress");
  add_switch(command, "--json", options->is_json, "Print the figures as JSON");
  end_help(command, example("penstock evaluate runs/first --worst 20"));
  choose_when_given(command, choice, [options] { return run_evaluate(*options); });
}

}  // namespace penstock::tools
