// penstock extract: a dataset back into files.
#include <fmt/core.h>

#include <memory>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "tools/care/extract_job.h"
#include "tools/care/extract_report.h"
#include "tools/care_watch.h"
#include "tools/command.h"
#include "tools/exit_code.h"
#include "tools/size_option.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

struct ExtractOptions {
  std::string dataset;
  std::string folder;
  std::string split;
  std::uint64_t jobs = 0;
  bool json = false;
  bool quiet = false;
};

care::ExtractSummary extract_and_watch(const ExtractOptions& options) {
  const care::ExtractConfig config{.dataset = options.dataset,
                                   .folder = options.folder,
                                   .split = options.split,
                                   .num_jobs = static_cast<unsigned>(options.jobs)};
  const TypedCommand typed{
      .name = "extract",
      .arguments = shell_quoted(options.dataset) + " " + shell_quoted(options.folder) +
                   (options.split.empty() ? "" : " --split " + shell_quoted(options.split))};
  return watch_care(options.quiet ? Verbosity::kQuiet : Verbosity::kNormal, typed,
                    [&](const care::CheckListener& listener, const std::stop_token& stop) {
                      return care::extract_dataset(config, listener, stop);
                    });
}

int run_extract(const ExtractOptions& options) {
  const care::ExtractSummary summary = extract_and_watch(options);
  if (options.json) {
    print_result(care::extract_json(summary, options.folder));
  } else if (!options.quiet) {
    print_result(care::extract_text(summary, options.folder));
  }
  if (summary.damage.empty()) return kExitDone;
  print_error(
      fmt::format("extract: {}: expected every sample, found {} that cannot be read",
                  options.dataset, tools::format_counted(summary.num_lost, "sample", "samples")),
      "the others are in " + shell_quoted(options.folder));
  return kExitDataDamaged;
}

}  // namespace

void add_extract_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<ExtractOptions>();
  CLI::App& command = add_command(
      program, "extract", "Turn a dataset back into files under their names, byte for byte");
  add_argument(command, "DATASET", options->dataset, "The dataset's folder");
  add_argument(command, "FOLDER", options->folder, "Folder to make; must not exist yet");
  add_text(command, "--split", options->split, "One split (all of them)");
  add_count_option(command, "--jobs", options->jobs, {.min = 1, .max = 1024},
                   "Threads (one per core)");
  add_switch(command, "--quiet", options->quiet, "Print errors only");
  add_switch(command, "--json", options->json, "Print the summary as JSON");
  end_help(command, example("penstock extract photos.ds photos_again"));
  choose_when_given(command, choice, [options] { return run_extract(*options); });
}

}  // namespace penstock::tools
