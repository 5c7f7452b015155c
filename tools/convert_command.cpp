// penstock convert: pictures, wherever they lie, into a dataset.
#include <fmt/core.h>

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
#include "tools/convert/unused_settings.h"
#include "tools/convert_flags.h"
#include "tools/convert_watch.h"
#include "tools/exit_code.h"
#include "tools/terminal.h"
#include "train/run/memory/system_memory.h"

namespace penstock::tools {
namespace {

[[noreturn]] void refuse_arguments(const std::string& what, const std::string& hint) {
  throw Error(ErrorCode::kInvalidArgument, "wrong arguments: penstock convert: " + what, hint);
}

// With --images there is no SOURCE: the one path is the DATASET.
void check_arguments(const ConvertOptions& options) {
  constexpr const char* kHelp = "penstock convert --help";
  if (options.channels_first && options.channels_last) {
    refuse_arguments("expected --channels-first or --channels-last, found both", kHelp);
  }
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
}

std::vector<convert::ArrayFiles> arrays_of(const ConvertOptions& options) {
  std::vector<convert::ArrayFiles> arrays;
  for (std::size_t i = 0; i < options.images.size(); ++i) {
    arrays.push_back(
        {.images = options.images[i], .labels = options.labels.empty() ? "" : options.labels[i]});
  }
  return arrays;
}

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

template <class Work>
auto watch(const ConvertOptions& options, const Work& work) {
  return watch_conversion(options.quiet ? Verbosity::kQuiet : Verbosity::kNormal,
                          [&](convert::ConvertObserver& observer, const std::stop_token& stop) {
                            return work(config_of(options), observer, stop);
                          });
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

convert::ConvertSummary convert_and_remark(const convert::ConvertConfig& config,
                                           convert::ConvertObserver& observer,
                                           const std::stop_token& stop) {
  convert::ConvertSummary summary = convert::convert_folder(config, observer, stop);
  for (const std::string& line : convert::unused_settings(config, summary)) observer.notice(line);
  return summary;
}

int run_convert(const ConvertOptions& options) {
  if (options.dry_run) return run_dry(options);
  const convert::ConvertSummary summary = watch(options, convert_and_remark);
  if (options.json) {
    print_result(convert::summary_json(summary));
  } else if (!options.quiet) {
    print_result(convert::summary_text(summary, options.paths.back()));
  }
  return kExitDone;
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
  add_convert_flags(command, *options);
  end_help(command, example("penstock convert photos/ photos.ds --validation-split 0.2"));
  choose_when_given(
      command, choice, [options] { return run_convert(*options); },
      [options] {
        check_arguments(*options);
        config_of(*options).validate();
      });
}

}  // namespace penstock::tools
