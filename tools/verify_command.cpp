// penstock verify: every checksum of a dataset.
#include <fmt/core.h>

#include <memory>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "tools/care/check_report.h"
#include "tools/care/dataset_check.h"
#include "tools/care_watch.h"
#include "tools/command.h"
#include "tools/exit_code.h"
#include "tools/size_option.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

struct VerifyOptions {
  std::string dataset;
  std::uint64_t jobs = 0;
  std::uint64_t memory_bytes = care::DatasetCheckConfig{}.memory_bytes;
  bool is_deep = false;
  bool json = false;
  bool quiet = false;
};

care::DatasetCheckConfig config_of(const VerifyOptions& options) {
  return {.dataset = options.dataset,
          .reach = options.is_deep ? care::CheckReach::kDecoded : care::CheckReach::kBytes,
          .num_jobs = static_cast<unsigned>(options.jobs),
          .memory_bytes = options.memory_bytes};
}

care::DatasetCheck check_and_watch(const VerifyOptions& options) {
  const care::DatasetCheckConfig config = config_of(options);
  const TypedCommand typed{
      .name = "verify",
      .arguments = shell_quoted(options.dataset) + (options.is_deep ? " --deep" : "")};
  return watch_care(options.quiet ? Verbosity::kQuiet : Verbosity::kNormal, typed,
                    [&](const care::CheckListener& listener, const std::stop_token& stop) {
                      return care::check_dataset(config, listener, stop);
                    });
}

int run_verify(const VerifyOptions& options) {
  const care::DatasetCheck check = check_and_watch(options);
  if (options.json) {
    print_result(care::check_json(check, options.dataset));
  } else if (!options.quiet) {
    print_result(care::check_text(check, options.dataset));
  }
  if (check.is_whole()) return kExitDone;
  if (check.damage.empty()) {
    const care::OtherForm& first = check.other_forms.front();
    print_error(
        fmt::format("verify: {}: expected shards as penstock writes them, found {} of another form",
                    options.dataset, format_counted(check.other_forms.size(), "shard", "shards")),
        first.hint);
    return kExitFailed;
  }
  print_error(fmt::format("verify: {}: expected a whole dataset, found {}", options.dataset,
                          format_counted(check.damage.size(), "finding", "findings")),
              "penstock repair " + shell_quoted(options.dataset) +
                  " saves what can be saved; or restore it from a copy");
  return kExitDataDamaged;
}

}  // namespace

void add_verify_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App& command = add_command(
      program, "verify", "Check every checksum of a dataset; list what is damaged (exit code 3)");
  add_argument(command, "DATASET", options->dataset, "The dataset's folder");
  add_switch(command, "--deep", options->is_deep, "Decode every sample too, as the loader does");
  add_count_option(command, "--jobs", options->jobs, {.min = 1, .max = 1024},
                   "Threads (one per core)");
  add_byte_size_option(
      command, "--memory", options->memory_bytes,
      "The most that --deep may hold to decode, at least 1M (1G); checksums take 256 KiB a thread "
      "and 25 bytes for each sample of the shard it reads");
  add_switch(command, "--quiet", options->quiet, "Print errors only");
  add_switch(command, "--json", options->json, "Print as JSON");
  end_help(command, example("penstock verify photos.ds --deep"));
  choose_when_given(
      command, choice, [options] { return run_verify(*options); },
      [options] { config_of(*options).validate(); });
}

}  // namespace penstock::tools
