// penstock convert: pictures, wherever they lie, into a dataset.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tools/command.h"
#include "tools/convert/convert_job.h"
#include "tools/convert/convert_report.h"
#include "tools/convert/dry_run.h"
#include "tools/convert/dry_run_text.h"
#include "tools/convert/reason/reason_list.h"
#include "tools/exit_code.h"
#include "tools/library_remarks.h"
#include "tools/process_limits.h"
#include "tools/size_option.h"
#include "tools/stop_signals.h"
#include "tools/terminal.h"
#include "train/run/system_memory.h"

namespace penstock::tools {
namespace {

struct ConvertOptions {
  std::vector<std::string> paths;  // of sources, and last the dataset's
  std::string labels;
  std::uint64_t class_depth = 1;
  std::optional<double> validation_split;
  std::optional<double> test_split;
  std::uint64_t seed = 0;
  std::uint64_t jobs = 0;
  convert::ConvertConfig config;
  bool stratifies = false;
  bool dry_run = false;
  bool force = false;
  bool no_names = false;
  bool optimizes_crops = false;
  bool trusts = false;
  std::uint64_t memory_bytes = 0;
  bool quiet = false;
  bool json = false;
};

convert::CifarLabel label_of(const std::string& text) {
  if (text == "fine") return convert::CifarLabel::kFine;
  if (text == "coarse") return convert::CifarLabel::kCoarse;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("--label: expected fine or coarse, found '{}'", printable(text)),
              "--label fine");
}

class TerminalObserver final : public convert::ConvertObserver {
 public:
  TerminalObserver(Verbosity verbosity, std::FILE* stream)
      : verbosity_(verbosity), stream_(stream), line_(verbosity, stream) {}

  void notice(const std::string& text) override { print_notice(verbosity_, text, stream_); }

  void progress(const convert::ConvertProgress& progress) override {
    if (line_.is_due()) line_.update(convert::format_progress(progress));
  }

 private:
  Verbosity verbosity_;
  std::FILE* stream_;
  ProgressLine line_;
};

convert::ConvertConfig config_of(const ConvertOptions& options) {
  convert::ConvertConfig config = options.config;
  config.source = options.paths.front();
  config.more_sources.assign(options.paths.begin() + 1, options.paths.end() - 1);
  config.dataset = options.paths.back();
  config.split = {
      .validation_fraction = options.validation_split,
      .test_fraction = options.test_split,
      .seed = options.seed,
      .draw = options.stratifies ? convert::SplitDraw::kStratified : convert::SplitDraw::kByHash};
  config.layout.class_depth = static_cast<std::uint32_t>(options.class_depth);
  config.labels = options.labels;
  config.num_jobs = static_cast<unsigned>(options.jobs);
  if (options.force) config.existing = convert::ExistingTarget::kReplace;
  config.store_names = !options.no_names;
  if (options.optimizes_crops) config.several_scans = convert::SeveralScans::kRewritten;
  if (options.trusts) config.depth = convert::CheckDepth::kHeader;
  config.memory_bytes = options.memory_bytes > 0
                            ? options.memory_bytes
                            : train::read_system_memory().default_limit_bytes();
  return config;
}

// What both do: stop on signals, keep libraries quiet, say what they are at.
template <class Work>
auto watch(const ConvertOptions& options, const Work& work) {
  // Before any other thread, so that they all leave the signals to it.
  const StopSignals signals;
  return_freed_memory();
  const LibraryRemarksSilenced silenced;
  TerminalObserver observer(options.quiet ? Verbosity::kQuiet : Verbosity::kNormal,
                            silenced.stream());
  const convert::ConvertConfig config = config_of(options);
  return work(config, observer, signals.token());
}

int run_dry(const ConvertOptions& options) {
  const convert::DryRunReport report = watch(options, convert::dry_run);
  if (options.json) {
    print_result(convert::dry_run_json(report));
  } else if (!options.quiet) {
    print_result(convert::dry_run_text(report, options.paths.back()));
  }
  return kExitDone;
}

int run_convert(const ConvertOptions& options) {
  if (options.dry_run) return run_dry(options);
  const convert::ConvertSummary summary = watch(options, convert::convert_folder);
  if (options.json) {
    print_result(convert::summary_json(summary));
  } else if (!options.quiet) {
    print_result(convert::summary_text(summary, options.paths.back()));
  }
  return kExitDone;
}

// A value of its own kind for each word that a flag takes.
template <class T>
void add_choice(CLI::App& command, const ValueFlag& flag, std::map<std::string, T> choices,
                T& value) {
  add_value(command, flag, [flag, choices = std::move(choices), &value](const std::string& text) {
    if (const auto found = choices.find(text); found != choices.end()) {
      value = found->second;
      return;
    }
    std::vector<std::string> words;
    for (const auto& [word, choice] : choices) words.push_back(word);
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{}: expected {}, found '{}'", flag.name, fmt::join(words, ", "),
                            printable(text)),
                flag.name + " " + words.front());
  });
}

// "keep" and "quarantine" of the reason row_without_label, in the words that labels have.
void add_unlabelled_flag(CLI::App& command, convert::ReasonPolicies& policies) {
  add_value(command,
            {"--unlabelled", "POLICY",
             "A row without a label: quarantine, or keep it as a sample of no class (quarantine); "
             "short for --on row_without_label=POLICY"},
            [&policies](const std::string& text) { policies.set("row_without_label=" + text); });
}

void add_source_flags(CLI::App& command, ConvertOptions& options) {
  using convert::LayoutChoice;
  add_choice<LayoutChoice>(command,
                           {"--layout", "LAYOUT",
                            "What the folders are: auto, class-folders, split-folders, flat (auto; "
                            "flat needs --labels)"},
                           {{"auto", LayoutChoice::kAuto},
                            {"class-folders", LayoutChoice::kClassFolders},
                            {"split-folders", LayoutChoice::kSplitFolders},
                            {"flat", LayoutChoice::kFlat}},
                           options.config.layout.choice);
  add_count_option(
      command, "--class-depth", options.class_depth, {.min = 1, .max = 32},
      "Names of folders that make a class (1); 2: animals/cat/1.jpg is an animals/cat");
  add_text(command, "--labels", options.labels,
           "Table of the pictures in SOURCE: CSV, JSON lines, or a list with labels");
  convert::TableRequest& table = options.config.table;
  add_text(command, "--path-column", table.path_column, "Column of paths (path, file, image, ...)");
  add_text(command, "--label-column", table.label_column,
           "Column of labels (label, class, category, ...)");
  add_text(command, "--split-column", table.split_column, "Column of splits (split, subset, set)");
  add_unlabelled_flag(command, options.config.policies);
}

}  // namespace

void add_convert_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<ConvertOptions>();
  CLI::App& command = add_command(
      program, "convert", "Convert pictures into a dataset: shards, checked and checksummed");
  add_arguments_and_last(
      command, "SOURCE... DATASET", options->paths,
      "Folders of class folders, or of train, validation and test folders of them; tables and "
      "lists of files; tar archives of such; folders of archives (WebDataset); CIFAR batches; "
      "MNIST files. Then DATASET, the folder to make; it must not exist yet");
  add_source_flags(command, *options);
  add_fraction_option(command, "--validation-split", options->validation_split,
                      "Part of the pictures for validation (0.1; with split folders: as they are)");
  add_fraction_option(command, "--test-split", options->test_split, "Part for testing (0)");
  add_switch(command, "--stratify", options->stratifies,
             "Make these parts exact in each class; files added later may then move others");
  add_count_option(command, "--seed", options->seed, {.min = 0},
                   "Decides, with each path, split and order (0)");
  add_byte_size_option(command, "--shard-size", options->config.shard_size_bytes,
                       "Size at which a shard is closed (256M)");
  add_count_option(command, "--max-pixels", options->config.max_px, {.min = 1},
                   "Larger pictures are quarantined (100000000)");
  add_count_option(command, "--jobs", options->jobs, {.min = 1, .max = 1024},
                   "Threads (one per core); the result is the same for any number");
  add_value(
      command,
      {.name = "--label", .type = "KIND", .description = "Of CIFAR-100: fine or coarse (fine)"},
      [options](const std::string& text) { options->config.label = label_of(text); });
  add_value(
      command,
      {.name = "--class-names",
       .type = "FILE",
       .description = "Other names for classes: wnid,name, index,name, or a name on each line"},
      [options](const std::string& text) { options->config.class_names_file = text; });
  add_repeatable_value(
      command,
      {.name = "--on",
       .type = "REASON=POLICY",
       .description = "What to do about a reason: keep, fix, quarantine, stop, skip (repeatable)"},
      [options](const std::string& text) { options->config.policies.set(text); });
  add_value(command,
            {.name = "--background",
             .type = "COLOUR",
             .description = "What transparent pictures lie on (white); '#ff8000', black, gray"},
            [options](const std::string& text) {
              options->config.background = convert::parse_colour(text, "--background");
            });
  add_byte_size_option(command, "--memory", options->memory_bytes,
                       "Limit of all that is held, such as 256M (0.8 of what is available)");
  add_value(
      command,
      {"--max-bad", "N|P%", "Stop beyond so many bad pictures, or such a part of all (never)"},
      [options](const std::string& text) {
        options->config.max_bad = convert::parse_bad_limit(text, "--max-bad");
      });
  add_switch(command, "--trust", options->trusts,
             "Store JPEG as its header says, without decoding it: no damage found, no statistics");
  add_switch(command, "--dry-run", options->dry_run,
             "Write nothing: say what is there, what disk and time it takes, what headers tell");
  add_switch(command, "--force", options->force,
             "Replace an existing dataset once the new one is complete");
  add_switch(command, "--optimize-crops", options->optimizes_crops,
             "Store progressive JPEG as baseline of the same pixels, to be decoded row by row");
  add_switch(command, "--no-names", options->no_names, "Do not store the paths of the pictures");
  add_switch(command, "--quiet", options->quiet, "Print errors only");
  add_switch(command, "--json", options->json, "Print the summary as JSON");
  add_listing(
      command, "--list-reasons",
      [options] {
        return options->json ? convert::reason_list_json(options->config.policies)
                             : convert::reason_list_text(options->config.policies);
      },
      "Print every reason, what it means, and what is done about it");
  end_help(command, example("penstock convert photos/ photos.ds --validation-split 0.2"));
  choose_when_given(command, choice, [options] { return run_convert(*options); });
}

}  // namespace penstock::tools
