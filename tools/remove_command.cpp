// penstock remove: samples out of a dataset, by name.
#include <fmt/core.h>

#include <memory>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "tools/care/change_report.h"
#include "tools/care/remove_job.h"
#include "tools/care_watch.h"
#include "tools/command.h"
#include "tools/exit_code.h"
#include "tools/size_option.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

struct RemoveOptions {
  std::string dataset;
  std::string list;
  std::uint64_t jobs = 0;
  std::uint64_t memory_bytes = care::SumLimits{}.memory_bytes;
  bool json = false;
  bool quiet = false;
};

// Before the list is read.
care::RemoveConfig config_of(const RemoveOptions& options) {
  return {.dataset = options.dataset,
          .limits = {.num_jobs = static_cast<unsigned>(options.jobs),
                     .memory_bytes = options.memory_bytes}};
}

void check_options(const RemoveOptions& options) {
  if (options.list.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "remove: --list: expected a file of names, found none",
                "penstock remove DATASET --list FILE");
  }
  config_of(options).validate();
}

int run_remove(const RemoveOptions& options) {
  care::RemoveConfig config = config_of(options);
  config.names = care::read_name_list(options.list);
  const TypedCommand typed{
      .name = "remove",
      .arguments = shell_quoted(options.dataset) + " --list " + shell_quoted(options.list)};
  const care::RemoveSummary summary =
      watch_care(options.quiet ? Verbosity::kQuiet : Verbosity::kNormal, typed,
                 [&](const care::CheckListener& listener, const std::stop_token& stop) {
                   return care::remove_samples(config, listener, stop);
                 });
  if (options.json) {
    print_result(care::remove_json(summary, options.dataset));
  } else if (!options.quiet) {
    print_result(care::remove_text(summary, options.dataset));
  }
  if (summary.is_complete()) return kExitDone;
  const bool has_changed =
      summary.num_removed + summary.num_removed_before + summary.num_rows_removed > 0;
  print_error(fmt::format("remove: {}: expected to find every name and no other file that may hold "
                          "it, found {}",
                          printable_path(options.dataset), care::remove_shortfall(summary)),
              std::string(has_changed ? "the rest is done; " : "") +
                  "names are as penstock inspect --sample shows them");
  return kExitFailed;
}

}  // namespace

void add_remove_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<RemoveOptions>();
  CLI::App& command =
      add_command(program, "remove", "Take samples out of a dataset by their names, for good");
  add_argument(command, "DATASET", options->dataset, "The dataset's folder");
  add_text(command, "--list", options->list,
           "File of names, one a line, as the dataset keeps them or as inspect --sample prints "
           "them; must be given. Exit code 1 when one is not found");
  add_count_option(command, "--jobs", options->jobs, {.min = 1, .max = 1024},
                   "Threads that decode for the statistics (one per core)");
  add_byte_size_option(command, "--memory", options->memory_bytes,
                       "The most that decoding for them may hold, at least 1M (1G)");
  add_switch(command, "--quiet", options->quiet, "Print errors only");
  add_switch(command, "--json", options->json, "Print what was done as JSON");
  end_help(command, example("penstock remove photos.ds --list requests.txt"));
  choose_when_given(
      command, choice, [options] { return run_remove(*options); },
      [options] { check_options(*options); });
}

}  // namespace penstock::tools
