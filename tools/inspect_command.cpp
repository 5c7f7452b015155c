// penstock inspect: what a dataset, a shard or one sample holds.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "streamer/core/error.h"
#include "tools/command.h"
#include "tools/dataset_report.h"
#include "tools/exit_code.h"
#include "tools/output_file.h"
#include "tools/sample_report.h"
#include "tools/size_option.h"
#include "tools/terminal.h"

namespace penstock::tools {

namespace {

struct InspectOptions {
  std::string path;
  std::optional<std::uint64_t> sample_idx;
  std::string split;
  std::string out;
  bool counts_metadata = false;
  bool is_forced = false;
  bool json = false;
  bool is_quiet = false;
};

// Flags that would do nothing.
void check_options(const InspectOptions& options) {
  const auto refuse = [](const char* what, const char* hint) {
    throw Error(ErrorCode::kInvalidArgument, std::string("inspect: ") + what, hint);
  };
  if (!options.sample_idx && (!options.out.empty() || !options.split.empty())) {
    refuse("-o, --split: expected a sample to go with them, found none", "name it with --sample N");
  }
  if (options.is_forced && options.out.empty()) {
    refuse("--force: expected a file to replace, found none", "name it with --sample N -o FILE");
  }
  if (options.sample_idx && options.counts_metadata) {
    refuse("--metadata: expected a dataset or a shard, found one sample",
           "leave it out: --sample N says what the sample carries");
  }
  std::error_code ignored;  // told when it is read
  if (!options.split.empty() && std::filesystem::is_regular_file(options.path, ignored)) {
    refuse("--split: expected a dataset's folder to go with it, found a file",
           "leave it out: a shard is of one split");
  }
}

std::string describe(const InspectOptions& options) {
  const ReportForm form = options.json ? ReportForm::kJson : ReportForm::kText;
  if (!options.sample_idx) {
    const MetadataDepth depth =
        options.counts_metadata ? MetadataDepth::kCounted : MetadataDepth::kNone;
    return describe_dataset_or_shard(options.path, form, depth);
  }
  if (!options.out.empty()) {
    check_output_file(options.out,
                      options.is_forced ? ExistingFile::kReplace : ExistingFile::kRefuse);
  }
  return describe_sample({.path = options.path,
                          .split = options.split,
                          .sample_idx = *options.sample_idx,
                          .out = options.out},
                         form);
}

}  // namespace

void add_inspect_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App& command = add_command(
      program, "inspect",
      "Say what a dataset, a shard or one sample holds: counts, classes, sizes, metadata");
  add_argument(command, "PATH", options->path, "A dataset's folder, or a shard file");
  add_switch(
      command, "--metadata", options->counts_metadata,
      "Count what the pictures carry beside pixels: EXIF, places (GPS), profiles; reads all");
  add_value(command, {"--sample", "N", "One sample: its record, checked against its bytes"},
            [options](const std::string& text) {
              options->sample_idx = parse_count(text, "--sample", {.min = 0});
            });
  add_text(command, "--split", options->split, "Which split --sample counts in (the first)");
  add_text(command, "-o,--out", options->out,
           "Write the sample's stored bytes to this file; raw pixels as PNG");
  add_switch(command, "--force", options->is_forced, "Replace that file");
  add_switch(command, "--json", options->json, "Print as JSON");
  add_switch(command, "--quiet", options->is_quiet,
             "Print errors only: the exit code says whether it can be read");
  end_help(command, example("penstock inspect photos.ds\n  penstock inspect photos.ds --sample 12 "
                            "--split train -o sample.jpg"));
  choose_when_given(
      command, choice,
      [options] {
        const std::string report = describe(*options);
        if (options->json || !options->is_quiet) print_result(report);
        return kExitDone;
      },
      [options] { check_options(*options); });
}

}  // namespace penstock::tools
