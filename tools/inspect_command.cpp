// penstock inspect: what a dataset, a shard or one sample holds.
#include <memory>
#include <optional>
#include <string>

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

std::string describe(const InspectOptions& options) {
  const ReportForm form = options.json ? ReportForm::kJson : ReportForm::kText;
  if (!options.sample_idx) {
    if (!options.out.empty() || !options.split.empty()) {
      throw Error(ErrorCode::kInvalidArgument,
                  "inspect: -o, --split: expected a sample to go with them, found none",
                  "name it with --sample N");
    }
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
  choose_when_given(command, choice, [options] {
    const std::string report = describe(*options);
    if (!options->is_quiet) print_result(report);
    return kExitDone;
  });
}

}  // namespace penstock::tools
