// penstock preview: originals beside what a trainer gets of them, as a picture.
#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "tools/command.h"
#include "tools/exit_code.h"
#include "tools/library_remarks.h"
#include "tools/named_folder.h"
#include "tools/output_file.h"
#include "tools/preview_report.h"
#include "tools/preview_sheet.h"
#include "tools/run_flags.h"
#include "tools/simd_option.h"
#include "tools/size_option.h"
#include "tools/terminal.h"
#include "train/run/data/data_hint.h"
#include "train/run/run_resolve.h"
#include "train/run/settings/idle_settings.h"
#include "train/run/settings/run_file.h"

namespace penstock::tools {
namespace {

namespace fs = std::filesystem;
using train::PipelineUse;

constexpr std::uint64_t kDefaultVersions = 6;

struct PreviewOptions {
  std::string dataset;
  std::string split = "train";
  std::string out;
  std::string config_file;
  std::vector<RunOverride> overrides;
  std::uint64_t num_samples = 4;
  std::optional<std::uint64_t> num_versions;
  std::optional<std::uint64_t> first_epoch;
  bool is_shown_only = false;
  bool is_forced = false;
  bool is_quiet = false;
  bool is_json = false;

  PipelineUse use() const {
    return split == "train" ? PipelineUse::kTrain : PipelineUse::kEvaluate;
  }
};

[[noreturn]] void refuse(const std::string& message, const std::string& hint) {
  throw Error(ErrorCode::kInvalidArgument, "preview: " + message, hint);
}

/// What only the command line can get wrong: usage errors.
void check_line(const PreviewOptions& options, const train::RunConfig& run) {
  run.validate();  // what flags and run file say together
  if (options.is_shown_only) {
    if (options.is_json) refuse("--json: expected without --show, which prints TOML", "--show");
    return;
  }
  if (run.dataset.empty()) {
    refuse("DATASET: expected a dataset, found none", "penstock preview flowers.ds -o sheet.png");
  }
  if (options.out.empty()) {
    refuse("--out: expected a file for the sheet, found none",
           "penstock preview " + shell_quoted(run.dataset.native()) + " -o sheet.png");
  }
  if (fs::path(options.out).extension() != ".png") {
    refuse("--out: expected a name that ends in .png, found '" + printable(options.out) + "'",
           "-o sheet.png");
  }
  if (options.use() == PipelineUse::kTrain) return;
  const auto refuse_flag = [&](const char* flag) {
    refuse(fmt::format("{}: expected with the split train only, found the split {}, which is never "
                       "augmented and the same in every epoch",
                       flag, printable(options.split)),
           fmt::format("leave out {}", flag));
  };
  if (options.num_versions) refuse_flag("--versions");
  if (options.first_epoch) refuse_flag("--epoch");
}

train::RunConfig run_of(const PreviewOptions& options) {
  train::RunConfig run;
  if (!options.config_file.empty()) run = train::read_run_file(options.config_file);
  if (!options.dataset.empty()) run.dataset = options.dataset;
  apply_overrides(run, options.overrides);
  return run;
}

train::RunConfig resolved_run(const train::RunConfig& run, const Manifest& manifest,
                              PipelineUse use) {
  train::RunConfig resolved = train::resolve_run(run, manifest).config;
  resolved.augment = train::augment_for(resolved.augment, use);
  return resolved;
}

PreviewConfig preview_config(const PreviewOptions& options, const train::RunConfig& run) {
  const bool trains = options.use() == PipelineUse::kTrain;
  return {.pipeline = {.batch = {.batch = 1,
                                 .height_px = run.image_height_px,
                                 .width_px = run.image_width_px,
                                 .channels = train::num_channels(run.color_mode)},
                       .augment = train::augment_of(run),
                       .order = run.order,
                       .window_bytes = run.window_bytes,
                       .seed = run.seed,
                       .cores = {}},
          .use = options.use(),
          .num_samples = options.num_samples,
          .num_versions = static_cast<std::uint32_t>(
              trains ? options.num_versions.value_or(kDefaultVersions) : 1),
          .first_epoch = static_cast<std::uint32_t>(options.first_epoch.value_or(0))};
}

/// Mixing takes whole batches, which a sheet does not show.
std::string trained_text(const augment::AugmentConfig& augment) {
  std::string text = "what the trainer gets";
  if (augment.mixup > 0 && augment.cutmix > 0) return text + ", before mixup or cutmix";
  if (augment.mixup > 0) return text + ", before mixup";
  return augment.cutmix > 0 ? text + ", before cutmix" : text;
}

PreviewSheetConfig sheet_config(const PreviewOptions& options, const train::RunConfig& run) {
  const bool trains = options.use() == PipelineUse::kTrain;
  return {.preview = preview_config(options, run),
          .title = fmt::format("{}, split {}: {}", named_folder(run.dataset).filename().native(),
                               options.split,
                               trains ? trained_text(run.augment) : "what evaluation gets"),
          .footer = config_lines(run, options.use()),
          .out = options.out,
          .limit_bytes = run.memory_bytes};
}

void print_faults(const DrawnSheet& drawn, const std::string& where, const fs::path& dataset) {
  for (const DrawnSample& one : drawn.samples) {
    if (one.fault.empty()) continue;
    print_error(fmt::format("preview: {}: sample {}: expected a picture, found none: {}", where,
                            one.sample.sample_id, one.fault),
                "look at it with penstock inspect " + shell_quoted(dataset.native()));
  }
}

int show_config(const PreviewOptions& options, train::RunConfig run) {
  if (run.dataset.empty()) {
    run.augment = train::augment_for(run.augment, options.use());
  } else {
    const Dataset dataset = Dataset::open(run.dataset);
    static_cast<void>(dataset.split(options.split));  // a name that is wrong is refused here too
    run = resolved_run(run, dataset.manifest(), options.use());
  }
  print_result(joined(config_lines(run, options.use())));
  return kExitDone;
}

int run_preview(const PreviewOptions& options) {
  train::RunConfig typed = run_of(options);
  try {
    check_line(options, typed);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument) throw;
    print_error(error.what(), error.hint());
    return kExitUsage;
  }
  typed.device = "auto";  // nothing is computed here
  if (options.is_shown_only) return show_config(options, typed);
  check_output_file(options.out,
                    options.is_forced ? ExistingFile::kReplace : ExistingFile::kRefuse);
  return train::with_data_hint(typed.dataset, [&] {
    const Dataset dataset = Dataset::open(typed.dataset);
    const DatasetSplit split = dataset.split(options.split);
    const train::RunConfig run = resolved_run(typed, dataset.manifest(), options.use());
    if (options.use() == PipelineUse::kTrain) {
      for (const std::string& sentence : train::idle_settings(run)) {
        print_notice(options.is_quiet ? Verbosity::kQuiet : Verbosity::kNormal, sentence);
      }
    }
    const PreviewSheetConfig config = sheet_config(options, run);
    const DrawnSheet drawn = [&] {
      const LibraryRemarksSilenced silenced;
      return draw_preview(split, config);
    }();
    const PreviewReport report{.split = split, .run = run, .config = config, .drawn = drawn};
    if (options.is_json) {
      print_result(preview_json(report));
    } else if (!options.is_quiet) {
      print_result(preview_text(report));
    }
    print_faults(drawn, typed.dataset.native() + ": split " + options.split, typed.dataset);
    return drawn.num_failed() > 0 ? kExitDataDamaged : kExitDone;
  });
}

void add_optional_count(CLI::App& command, const ValueFlag& flag,
                        std::optional<std::uint64_t>& value, CountRange range) {
  add_value(command, flag, [&value, range, name = flag.name](const std::string& text) {
    value = parse_count(text, name, range);
  });
}

}  // namespace

void add_preview_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<PreviewOptions>();
  CLI::App& command = add_command(
      program, "preview", "Draws originals beside what a trainer gets of them, with the settings");
  add_text(command, "DATASET", options->dataset, "Folder made by penstock convert");
  add_text(command, "-o,--out", options->out, "PNG file of the sheet");
  add_text(command, "--split", options->split, "train, validation or test (train)");
  add_count_option(command, "--samples", options->num_samples, {.min = 1, .max = 1000},
                   "Rows: samples spread evenly over the first epoch shown (4)");
  add_optional_count(command, {"--versions", "N", "Columns: epochs shown of each sample (6)"},
                     options->num_versions, {.min = 1, .max = 1000});
  add_optional_count(command, {"--epoch", "N", "The first epoch shown, counted from 0 (0)"},
                     options->first_epoch, {.min = 0, .max = (1u << 31) - 1001});
  add_text(command, "--config", options->config_file, "Run file whose settings are taken");
  add_run_flags(
      command, options->overrides,
      {"image_size", "color_mode", "memory", "order", "window", "seed", "mean", "std", "augment."});
  add_simd_option(command);
  add_switch(command, "--show", options->is_shown_only,
             "Print the settings as TOML, a preset in full, and draw nothing");
  add_switch(command, "--force", options->is_forced, "Replace the file that -o names");
  add_switch(command, "--quiet", options->is_quiet, "Print errors only");
  add_switch(command, "--json", options->is_json,
             "Print what was drawn as JSON, with the place of every picture");
  end_help(
      command,
      "A row is one sample: as stored and upright, then as `train` with the same settings and\n"
      "seed gets it in epoch N, N + 1 and so on, at the position that it has in that epoch's\n"
      "order. Pictures are the batch's pixels, the normalisation undone and rounded; those\n"
      "below 192 pixels are enlarged by a whole number. Other splits show what evaluation gets:\n"
      "nothing random, one version. Mixup and cutmix mix the samples of a whole batch, after all\n"
      "that is shown here: they are not drawn.\n" +
          example("penstock preview photos.ds --split train -o sheet.png --augment imagenet"));
  choose_when_given(
      command, choice, [options] { return run_preview(*options); },
      [options] { check_run_file(options->config_file); });
}

}  // namespace penstock::tools
