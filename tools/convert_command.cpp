// penstock convert: pictures, wherever they lie, into a dataset.
#include <fmt/core.h>
#include <fmt/ranges.h>

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
#include "tools/convert/duplicate/look_hash.h"
#include "tools/convert/reason/reason_list.h"
#include "tools/exit_code.h"
#include "tools/layout_option.h"
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
  std::vector<std::string> images;
  std::vector<std::string> labels;
  bool channels_first = false;
  bool channels_last = false;
  bool splits_anew = false;
  bool optimizes_crops = false;
  bool trusts = false;
  std::uint64_t memory_bytes = 0;
  std::uint64_t resize_short_px = 0;  // 0: not given, as below
  std::uint64_t max_side_px = 0;
  std::uint64_t quality = 0;
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

unsigned near_bits_of(const std::string& text) {
  if (text.size() == 1 && text[0] >= '0' && text[0] - '0' <= int{convert::kMaxNearBits}) {
    return static_cast<unsigned>(text[0] - '0');
  }
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("--near-duplicates: expected 0 to {} bits, found '{}'",
                          convert::kMaxNearBits, printable(text)),
              fmt::format("--near-duplicates={}", convert::kNearBits));
}

[[noreturn]] void refuse_arguments(const std::string& what, const std::string& hint) {
  throw Error(ErrorCode::kInvalidArgument, "wrong arguments: penstock convert: " + what, hint);
}

// With --images there is no SOURCE: the one path is the DATASET.
void check_arguments(const ConvertOptions& options) {
  constexpr const char* kHelp = "penstock convert --help";
  if (options.images.empty()) {
    if (options.paths.size() < 2)
      refuse_arguments("SOURCE... DATASET: At least 2 required but received 1", kHelp);
    if (options.labels.size() > 1) {
      refuse_arguments(fmt::format("--labels: expected one table, found {}", options.labels.size()),
                       "several belong to --images: one for each");
    }
    return;
  }
  if (options.paths.size() > 1) {
    refuse_arguments("--images: expected DATASET alone, found SOURCE beside it",
                     "penstock convert --images x.npy --labels y.npy DATASET");
  }
  if (!options.labels.empty() && options.labels.size() != options.images.size()) {
    refuse_arguments(fmt::format("--labels: expected {}, one for each --images, found {}",
                                 options.images.size(), options.labels.size()),
                     kHelp);
  }
  if (options.channels_first && options.channels_last) {
    refuse_arguments("expected --channels-first or --channels-last, found both", kHelp);
  }
}

std::vector<convert::ArrayFiles> arrays_of(const ConvertOptions& options) {
  std::vector<convert::ArrayFiles> arrays;
  for (std::size_t i = 0; i < options.images.size(); ++i) {
    arrays.push_back(
        {.images = options.images[i], .labels = options.labels.empty() ? "" : options.labels[i]});
  }
  return arrays;
}

// "a,b" as its parts.
std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
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
  config.dataset = options.paths.back();
  config.arrays = arrays_of(options);
  if (config.arrays.empty()) {
    config.source = options.paths.front();
    config.more_sources.assign(options.paths.begin() + 1, options.paths.end() - 1);
    if (!options.labels.empty()) config.labels = options.labels.front();
  }
  config.split = {
      .validation_fraction = options.validation_split,
      .test_fraction = options.test_split,
      .seed = options.seed,
      .draw = options.stratifies ? convert::SplitDraw::kStratified : convert::SplitDraw::kByHash};
  config.layout.class_depth = static_cast<std::uint32_t>(options.class_depth);
  config.num_jobs = static_cast<unsigned>(options.jobs);
  if (options.force) config.existing = convert::ExistingTarget::kReplace;
  config.store_names = !options.no_names;
  if (options.channels_first) config.channel_axis = convert::ChannelAxis::kFirst;
  if (options.channels_last) config.channel_axis = convert::ChannelAxis::kLast;
  if (options.splits_anew) config.dataset_splits = convert::DatasetSplits::kDrawnAnew;
  if (options.optimizes_crops) config.several_scans = convert::SeveralScans::kRewritten;
  if (options.trusts) config.depth = convert::CheckDepth::kHeader;
  const auto given = [](std::uint64_t value) {
    return value > 0 ? std::optional(value) : std::nullopt;
  };
  config.encode.resize_short_px = given(options.resize_short_px);
  config.encode.max_side_px = given(options.max_side_px);
  config.encode.quality = given(options.quality);
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

// "keep" and "quarantine" of the reason row_without_label, in the words that labels have.
void add_unlabelled_flag(CLI::App& command, convert::ReasonPolicies& policies) {
  add_value(command,
            {"--unlabelled", "POLICY",
             "A row without a label: quarantine, or keep it as a sample of no class (quarantine); "
             "short for --on row_without_label=POLICY"},
            [&policies](const std::string& text) { policies.set("row_without_label=" + text); });
}

void add_source_flags(CLI::App& command, ConvertOptions& options) {
  add_layout_option(command, options.config.layout.choice);
  add_count_option(
      command, "--class-depth", options.class_depth, {.min = 1, .max = 32},
      "Names of folders that make a class (1); 2: animals/cat/1.jpg is an animals/cat");
  add_values(command,
             {.name = "--labels",
              .type = "FILE[:NAME]",
              .description =
                  "Table of the pictures in SOURCE: CSV, JSON lines, or a list with labels. With "
                  "--images: array of their labels, numbers, one-hot or texts"},
             options.labels);
  convert::TableRequest& table = options.config.table;
  add_text(command, "--path-column", table.path_column, "Column of paths (path, file, image, ...)");
  add_text(command, "--label-column", table.label_column,
           "Column of labels (label, class, category, ...)");
  add_text(command, "--split-column", table.split_column, "Column of splits (split, subset, set)");
  add_unlabelled_flag(command, options.config.policies);
}

void add_array_flags(CLI::App& command, ConvertOptions& options) {
  add_values(
      command,
      {.name = "--images",
       .type = "FILE[:NAME]",
       .description = "Array of uint8 pictures: .npy, .npz or HDF5; again for another split"},
      options.images);
  add_switch(command, "--channels-first", options.channels_first,
             "Arrays are [n, channels, height, width], where the sizes do not tell");
  add_switch(command, "--channels-last", options.channels_last,
             "Arrays are [n, height, width, channels], where the sizes do not tell");
}

void add_dataset_flags(CLI::App& command, ConvertOptions& options) {
  add_value(command,
            {.name = "--classes",
             .type = "A,B",
             .description = "Of a dataset: the classes to keep, in its own order (all)"},
            [&options](const std::string& text) { options.config.classes = parts_of(text); });
  add_fraction_option(command, "--fraction", options.config.fraction,
                      "Of a dataset: the part of its samples to keep, drawn by --seed (all)");
  add_switch(command, "--split-anew", options.splits_anew,
             "Of a dataset: draw its splits again instead of keeping them");
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
      "MNIST files; .npz or HDF5 arrays; other datasets. With --images: none. Then DATASET, the "
      "folder to make; it must not exist yet",
      1);
  add_source_flags(command, *options);
  add_array_flags(command, *options);
  add_dataset_flags(command, *options);
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
  add_count_option(command, "--resize-short", options->resize_short_px, {.min = 8, .max = 65500},
                   "Resize pictures whose shorter side is longer, in px");
  add_count_option(command, "--max-side", options->max_side_px, {.min = 8, .max = 65500},
                   "Resize pictures whose longer side is longer, in px");
  add_count_option(command, "--quality", options->quality, {.min = 1, .max = 100},
                   "Of what is encoded as JPEG (95); what was coded finer is encoded anew");
  add_switch(command, "--grayscale", options->config.encode.grayscale,
             "Store one channel, the luma");
  add_value(
      command,
      {.name = "--codec",
       .type = "CODEC",
       .description = "jpeg: all; png: PNG, and other formats without loss; raw: bare pixels; "
                      "auto: raw up to 64 px, else jpeg (JPEG as found, the rest as JPEG)"},
      [options](const std::string& text) {
        options->config.encode.codec = convert::parse_codec(text, "--codec");
      });
  add_switch(command, "--trust", options->trusts,
             "Store JPEG as its header says, without decoding it: no damage found, no statistics");
  add_optional_value(
      command,
      {.name = "--near-duplicates",
       .type = "BITS",
       .description = "List pictures that look alike in duplicates.csv; =BITS: whose perceptual "
                      "hashes of 64 bits differ in at most so many, 0 to 7"},
      std::to_string(convert::kNearBits), [options](const std::string& text) {
        options->config.near_duplicate_bits = near_bits_of(text);
      });
  add_switch(command, "--dry-run", options->dry_run,
             "Write nothing: say what is there, what disk and time it takes, what headers tell");
  add_switch(command, "--force", options->force,
             "Replace an existing dataset once the new one is complete");
  add_switch(
      command, "--optimize-crops", options->optimizes_crops,
      "Store JPEG as baseline of the same pixels, a restart marker a row: crops decode faster");
  add_byte_size_option(command, "--max-coefficients", options->config.max_coefficient_bytes,
                       "Progressive JPEG that takes more to decode is stored as baseline (32M)");
  add_switch(command, "--strip-metadata", options->config.strip_metadata,
             "Store JPEG and PNG without EXIF, GPS, text and thumbnails; pixels are untouched");
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
  choose_when_given(
      command, choice, [options] { return run_convert(*options); },
      [options] {
        check_arguments(*options);
        config_of(*options).validate();
      });
}

}  // namespace penstock::tools
