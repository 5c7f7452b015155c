// penstock repair: what is left of a damaged dataset, made whole.
#include <memory>
#include <string>

#include "streamer/core/shell_quoted.h"
#include "tools/care/change_report.h"
#include "tools/care/repair_job.h"
#include "tools/care_watch.h"
#include "tools/command.h"
#include "tools/exit_code.h"
#include "tools/size_option.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

struct RepairOptions {
  std::string dataset;
  std::uint64_t jobs = 0;
  std::uint64_t memory_bytes = care::SumLimits{}.memory_bytes;
  bool is_dry_run = false;
  bool removes_damaged = false;
  bool json = false;
  bool quiet = false;
};

care::RepairConfig config_of(const RepairOptions& options) {
  return {.dataset = options.dataset,
          .mode = options.is_dry_run ? care::RepairMode::kDryRun : care::RepairMode::kRepair,
          .old_files = options.removes_damaged ? care::OldFiles::kRemoved : care::OldFiles::kKept,
          .limits = {.num_jobs = static_cast<unsigned>(options.jobs),
                     .memory_bytes = options.memory_bytes}};
}

int run_repair(const RepairOptions& options) {
  const care::RepairConfig config = config_of(options);
  const TypedCommand typed{.name = "repair",
                           .arguments = shell_quoted(options.dataset) +
                                        (options.is_dry_run ? " --dry-run" : "") +
                                        (options.removes_damaged ? " --remove-damaged" : "")};
  const care::RepairSummary summary =
      watch_care(options.quiet ? Verbosity::kQuiet : Verbosity::kNormal, typed,
                 [&](const care::CheckListener& listener, const std::stop_token& stop) {
                   return care::repair_dataset(config, listener, stop);
                 });
  if (options.json) {
    print_result(care::repair_json(summary, config));
  } else if (!options.quiet) {
    print_result(care::repair_text(summary, config));
  }
  return kExitDone;
}

}  // namespace

void add_repair_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<RepairOptions>();
  CLI::App& command = add_command(
      program, "repair",
      "Make a damaged dataset whole: rebuild what can be rebuilt, drop and list what cannot");
  add_argument(command, "DATASET", options->dataset, "The dataset's folder");
  add_switch(command, "--dry-run", options->is_dry_run, "Say what would be done, change nothing");
  add_switch(command, "--remove-damaged", options->removes_damaged,
             "Remove the damaged files instead of keeping them as *.damaged");
  add_count_option(command, "--jobs", options->jobs, {.min = 1, .max = 1024},
                   "Threads that decode for new statistics (one per core)");
  add_byte_size_option(command, "--memory", options->memory_bytes,
                       "The most that decoding for them may hold, at least 1M (1G)");
  add_switch(command, "--quiet", options->quiet, "Print errors only");
  add_switch(command, "--json", options->json, "Print what was done as JSON");
  end_help(command, example("penstock repair photos.ds --dry-run"));
  choose_when_given(
      command, choice, [options] { return run_repair(*options); },
      [options] { config_of(*options).validate(); });
}

}  // namespace penstock::tools
