// `penstock train`: reads run file and flags, shows the run, says what to try next.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/number_text.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/core/utf8.h"
#include "tools/command.h"
#include "tools/exit_code.h"
#include "tools/run_events.h"
#include "tools/run_flags.h"
#include "tools/run_report.h"
#include "tools/run_screen.h"
#include "tools/simd_option.h"
#include "tools/stop_signals.h"
#include "tools/terminal.h"
#include "tools/training_trials.h"
#include "train/run/folder/run_folder.h"
#include "train/run/folder/run_hints.h"
#include "train/run/folder/stored_settings.h"
#include "train/run/session.h"
#include "train/run/settings/channel_statistics.h"
#include "train/run/settings/run_file.h"
#include "train/store/checkpoint_folder.h"

namespace penstock::tools {
namespace {

struct TrainOptions {
  std::string dataset;
  std::string out;
  std::string config_file;
  std::vector<RunOverride> overrides;
  bool resumes = false;
  bool is_batch_fixed = false;
  bool is_quiet = false;
  bool is_json = false;
  bool finds_learning_rate = false;
  bool is_dry_run = false;
  std::uint32_t num_overfit_steps = 0;  // 0: a run

  bool leaves_a_run() const {
    return !finds_learning_rate && num_overfit_steps == 0 && !is_dry_run;
  }
};

/// What was typed, over `base`.
train::RunConfig config_over(const train::RunConfig& base, const TrainOptions& options) {
  train::RunConfig config = base;
  if (!options.config_file.empty()) config = train::read_run_file(options.config_file, base);
  if (!options.dataset.empty()) config.dataset = options.dataset;
  if (!options.out.empty()) config.out = options.out;
  apply_overrides(config, options.overrides);
  if (options.is_batch_fixed) config.auto_batch = false;
  return config;
}

/// The network's first layer has the channels of its colour mode. Told before statistics are found to be of
/// another number of channels.
void check_color_mode(const train::RunConfig& stored, const TrainOptions& options) {
  train::RunConfig without = stored;
  without.mean.clear();
  without.std.clear();
  const train::ColorMode typed = config_over(without, options).color_mode;
  if (typed == stored.color_mode) return;
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("train: --resume: color_mode: expected {}, as the run was begun, found {}",
                  color_mode_name(stored.color_mode), color_mode_name(typed)),
      "leave it as it was, or start another run with another -o");
}

/// A run that goes on has the settings that are stored with it, and over them what is typed now: as little
/// as --resume, or the whole line again.
train::RunConfig run_config(const TrainOptions& options, Verbosity verbosity) {
  const train::RunConfig config = config_over({}, options);
  if (!options.resumes || !train::has_run(config.out)) return config;
  auto [stored, note] = train::read_stored_settings(config.out);
  stored.checkpoint.max_minutes = 0;  // of the process before
  if (!note.empty()) print_notice(verbosity, "resume    " + printable(note));
  check_color_mode(stored, options);
  train::RunConfig resumed = config_over(stored, options);
  resumed.out = config.out;  // it may have been moved
  // Stored statistics are of pixels divided by 255; only those that are typed now are in other units.
  const double unit = train::statistics_unit(resumed.augment);
  const auto bring = [unit](std::vector<double>& typed, const std::vector<double>& before) {
    if (typed == before) return;
    for (double& value : typed) value /= unit;
  };
  bring(resumed.mean, stored.mean);
  bring(resumed.std, stored.std);
  resumed.augment.rescale = stored.augment.rescale;
  return resumed;
}

// A run file holds its paths as text, and TOML is UTF-8.
void check_path(const char* name, const std::filesystem::path& path) {
  const std::string full = std::filesystem::absolute(path).native();
  if (is_utf8(full)) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("train: {}: expected a path in UTF-8, found '{}'", name, printable(full)),
              "rename it, or give it another name: ln -s OLD NEW");
}

/// Checks what the command line has to say when the run file does not. Throws a usage error.
void check_places(const train::RunConfig& config, const TrainOptions& options) {
  const bool leaves_a_run = options.leaves_a_run();
  if (options.resumes && config.out.empty()) {
    // A run that was typed where a dataset stands.
    const std::string run =
        train::has_run(config.dataset) ? shell_quoted(config.dataset.native()) : "RUN";
    throw Error(ErrorCode::kInvalidArgument,
                "train: --out: expected the run to go on with, found none",
                "penstock train -o " + run + " --resume");
  }
  if (options.resumes && config.dataset.empty() && !config.out.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "train: --resume: " + config.out.native() + ": expected a run, found none",
                train::hint_without_run(config.out));
  }
  if (config.dataset.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "train: DATASET: expected a dataset, found none",
                "penstock train flowers.ds -o runs/first");
  }
  if (leaves_a_run && config.out.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "train: --out: expected a folder for the run, found none",
                "penstock train " + shell_quoted(config.dataset.native()) + " -o runs/first");
  }
  check_path("DATASET", config.dataset);
  if (!config.out.empty()) check_path("--out", config.out);
}

// "7 whole epochs and 2 steps"; the steps are those of a training pass that was cut short.
std::string stopped_text(const train::RunOutcome& outcome) {
  const std::string epochs = format_counted(outcome.num_epochs, "whole epoch", "whole epochs");
  if (!outcome.partial) return epochs;
  if (!outcome.partial->train.was_stopped) return epochs + ", the last one not validated";
  return epochs + " and " + format_counted(outcome.partial->train.num_steps, "step", "steps");
}

/// Bytes of the files in a folder and below it; what cannot be read counts nothing.
std::uint64_t folder_bytes(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::uint64_t bytes = 0;
  std::error_code failure;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator file(folder, options, failure), end;
       file != end && !failure; file.increment(failure)) {
    std::error_code ignored;
    if (file->is_regular_file(ignored)) bytes += file->file_size(ignored);
  }
  return bytes;
}

/// What there is to type besides an error's own hint.
std::string more_to_type(const train::RunConfig& config, const RunScreen& screen,
                         const std::string& hint) {
  if (hint.rfind("penstock convert", 0) == 0) {
    return fmt::format("   (takes about {} of disk)", format_bytes(folder_bytes(config.dataset)));
  }
  const std::filesystem::path run = screen.overview().config.out;  // none before the start
  if (run.empty() || train::list_checkpoints(run / train::kCheckpointsName).empty()) return {};
  return (hint.empty() ? "" : "; ") +
         fmt::format("to go on from the newest checkpoint: penstock train -o {} --resume",
                     shell_quoted(run.native()));
}

/// Runs `body`; its errors say what there is to type.
template <class Body>
auto with_more_to_type(const train::RunConfig& config, const RunScreen& screen, const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    throw Error(error.code(), error.what(),
                error.hint() + more_to_type(config, screen, error.hint()), error.os_error());
  }
}

void print_end(const train::RunConfig& config, const train::RunOutcome& outcome,
               Verbosity verbosity) {
  if (verbosity == Verbosity::kQuiet || !outcome.has_weights || !outcome.was_set_up) return;
  const std::string run = config.out.native();
  if (!outcome.end_reason.empty()) print_result(outcome.end_reason);
  if (!outcome.learning_verdict.empty()) print_result("learning: " + outcome.learning_verdict);
  if (!outcome.loader_verdict.empty()) print_result("loader: " + outcome.loader_verdict);
  if (outcome.cache.limit_bytes > 0) print_result(cache_text(outcome.cache));
  const std::string which =
      outcome.best_epoch_idx
          ? fmt::format("best weights, of epoch {}", *outcome.best_epoch_idx + 1)
          : "weights after " + format_counted(outcome.num_epochs, "epoch", "epochs");
  print_result(fmt::format("{}: {}/weights.safetensors", which, printable(run)));
  print_result(fmt::format("try:\n  penstock evaluate {0}\n  penstock predict {0} IMAGE",
                           shell_quoted(run)));
}

/// A run that took steps and has no checkpoint: its disk took none.
void print_stopped_without_checkpoint(const train::RunConfig& config,
                                      const train::RunOutcome& outcome, const std::string& why) {
  const std::string run = shell_quoted(config.out.native());
  const std::string weights = outcome.has_weights
                                  ? "the weights are in " + printable(config.out.native())
                                  : "nothing is stored";
  print_error(fmt::format("train: stopped after {}{}; no checkpoint could be stored: {}",
                          stopped_text(outcome), why, weights),
              outcome.has_weights
                  ? "free some space; these weights can begin another run: penstock train " +
                        shell_quoted(config.dataset.native()) + " -o OTHER --init-from " + run
                  : "free some space, then the same command again");
}

/// What a closed pipe or a full disk took of the results is no loss of the run.
void check_results_written(const train::RunConfig& config, const train::RunOutcome& outcome) {
  if (flush_results() || !outcome.has_weights) return;
  throw Error(ErrorCode::kIo,
              "write: standard output: the results could not be written; the run is stored in " +
                  printable(config.out.native()),
              "penstock evaluate " + shell_quoted(config.out.native()));
}

void print_stopped(const train::RunConfig& config, const train::RunOutcome& outcome) {
  const std::string why = outcome.ran_out_of_time ? " (--max-time)" : "";
  if (outcome.num_steps == 0) {
    print_error(fmt::format("train: stopped{} before the first step; nothing is stored", why),
                "the same command again");
    return;
  }
  if (!outcome.checkpoint_step) {
    print_stopped_without_checkpoint(config, outcome, why);
    return;
  }
  // Between epochs another batch size may count other steps than the checkpoint did.
  const std::uint64_t num_lost =
      outcome.num_steps - std::min(outcome.num_steps, *outcome.checkpoint_step);
  const std::string lost =
      num_lost == 0 ? ""
                    : fmt::format("; the {} since could not be stored and will be taken again",
                                  format_counted(num_lost, "step", "steps"));
  print_error(fmt::format("train: stopped after {}{}; stored as of step {}{}",
                          stopped_text(outcome), why, *outcome.checkpoint_step, lost),
              "to go on: penstock train -o " + shell_quoted(config.out.native()) + " --resume");
}

/// The last event of a run that fails is its error.
template <class Train>
train::RunOutcome train_with_events(RunScreen& screen, const Train& train_with) {
  RunEvents events(screen);
  try {
    return train_with(events);
  } catch (const Error& error) {
    print_error_event(error);
    throw;
  }
}

int run_train(const TrainOptions& options) {
  const StopSignals signals;  // before any other thread
  const Verbosity verbosity = options.is_quiet ? Verbosity::kQuiet : Verbosity::kNormal;
  const train::RunConfig config = run_config(options, verbosity);
  try {
    check_places(config, options);
  } catch (const Error& error) {
    print_error(error.what(), error.hint());
    return kExitUsage;
  }
  if (!options.out.empty() && (options.finds_learning_rate || options.num_overfit_steps > 0)) {
    print_notice(verbosity,
                 fmt::format("--out {} does nothing: {} leaves no run", printable(options.out),
                             options.finds_learning_rate ? "--find-lr" : "--overfit-batch"));
  }
  const TrialScreen trial{.verbosity = verbosity, .is_json = options.is_json};
  if (options.finds_learning_rate) {
    return run_learning_rate_search(config, trial, signals.token());
  }
  if (options.num_overfit_steps > 0) {
    return run_overfit_check(config, options.num_overfit_steps, trial, signals.token());
  }
  const train::RunStart start = options.resumes ? train::RunStart::kResume : train::RunStart::kNew;
  RunScreen screen(verbosity);
  if (options.is_dry_run) {
    return with_more_to_type(
        config, screen, [&] { return run_dry_run(config, start, screen, trial, signals.token()); });
  }
  const auto train_with = [&](train::RunObserver& observer) {
    return with_more_to_type(
        config, screen, [&] { return train::train_run(config, observer, signals.token(), start); });
  };
  const train::RunOutcome outcome =
      options.is_json ? train_with_events(screen, train_with) : train_with(screen);
  if (options.is_json) {
    print_result(end_event(screen.overview(), outcome));
  } else {
    print_end(config, outcome, verbosity);
  }
  if (!outcome.was_stopped) {
    check_results_written(config, outcome);
    return kExitDone;
  }
  print_stopped(config, outcome);
  return kExitStopped;
}

/// Trials take their own steps from the first; a run's weights are to be had all the same.
[[noreturn]] void refuse_resumed(const TrainOptions& options) {
  const std::string trial = options.finds_learning_rate ? "--find-lr" : "--overfit-batch";
  const std::filesystem::path run = options.out.empty() ? "RUN" : options.out;
  throw Error(ErrorCode::kInvalidArgument,
              "train: " + trial + ": expected it without --resume, found both",
              fmt::format("with the run's settings and weights: penstock train --config {} "
                          "--init-from {} {}",
                          shell_quoted((run / train::kRunFileName).native()),
                          shell_quoted(run.native()), trial));
}

}  // namespace

void add_train_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App& command = add_command(program, "train",
                                  "Trains a network on a dataset, streamed within a memory limit");
  add_text(command, "DATASET", options->dataset, "Folder made by penstock convert");
  add_text(command, "-o,--out", options->out,
           "Folder for weights and records; must not exist, but for --resume");
  add_text(command, "--config", options->config_file,
           "Run file (TOML); flags override what it says");
  add_switch(command, "--resume", options->resumes,
             "Goes on with the run in -o, by its own settings; flags override them. More --epochs "
             "than it has go on with a finished one");
  add_run_flags(command, options->overrides);
  add_switch(command, "--dry-run", options->is_dry_run,
             "Checks and plans everything, takes a few steps, says how long the run will take; "
             "stores nothing");
  add_switch(command, "--find-lr", options->finds_learning_rate,
             "Looks for a learning rate: steps at rising rates, a plot, a number; leaves no run");
  add_optional_value(
      command,
      {"--overfit-batch", "STEPS",
       "Learns one batch by heart, in so many steps (200); leaves no run"},
      "200", [options](const std::string& text) {
        const auto num_steps = parse_digits<std::uint32_t>(text);
        if (!num_steps || *num_steps == 0 || *num_steps > 1'000'000) {
          throw Error(ErrorCode::kInvalidArgument,
                      "train: --overfit-batch: expected 1 to 1000000 steps, found '" + text + "'",
                      "--overfit-batch=200");
        }
        options->num_overfit_steps = *num_steps;
      });
  add_switch(command, "--no-auto-batch", options->is_batch_fixed,
             "Refuse a step that does not fit --memory instead of cutting it into parts");
  add_simd_option(command);
  add_switch(command, "--quiet", options->is_quiet, "Print errors only");
  add_switch(
      command, "--json", options->is_json,
      "Print what happens as JSON on standard output, one object per line; the last one is the "
      "outcome");
  end_help(
      command,
      "With nothing but DATASET and -o: small_cnn for pictures of up to 96 pixels, else resnet18.\n"
      "Keys of a run file are called as the flags are, with _ for -; [[layer]] and [[param_group]] "
      "tables stand in a file only.\n" +
          example("penstock train flowers.ds -o runs/first --epochs 10 --memory 512M"));
  choose_when_given(
      command, choice, [options] { return run_train(*options); },
      [options] {
        const auto refuse_both = [](const char* one, const char* other) {
          throw Error(ErrorCode::kInvalidArgument,
                      fmt::format("train: {}: expected it without {}, found both", one, other),
                      "one after the other");
        };
        check_run_file(options->config_file);
        const bool overfits = options->num_overfit_steps > 0;
        if (options->resumes && (options->finds_learning_rate || overfits)) {
          refuse_resumed(*options);
        }
        if (options->finds_learning_rate && overfits) refuse_both("--find-lr", "--overfit-batch");
        if (!options->is_dry_run) return;
        if (options->finds_learning_rate) refuse_both("--dry-run", "--find-lr");
        if (overfits) refuse_both("--dry-run", "--overfit-batch");
      });
}

}  // namespace penstock::tools
