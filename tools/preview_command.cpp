// penstock preview: originals beside what a trainer gets of them, as a picture.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/shell_quoted.h"
#include "tools/command.h"
#include "tools/contact_sheet.h"
#include "tools/drawn_values.h"
#include "tools/exit_code.h"
#include "tools/library_remarks.h"
#include "tools/output_file.h"
#include "tools/preview_samples.h"
#include "tools/run_flags.h"
#include "tools/size_option.h"
#include "tools/terminal.h"
#include "train/run/data_hint.h"
#include "train/run/run_file.h"
#include "train/run/run_keys.h"
#include "train/run/run_resolve.h"

namespace penstock::tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using train::PipelineUse;

constexpr std::uint64_t kDefaultVersions = 6;
// 100 million: as bytes 300 MB, and the PNG takes seconds.
constexpr std::uint64_t kMostSheetPx = 100'000'000;
// Pictures smaller than this are shown with pixels enlarged by a whole number.
constexpr std::uint32_t kLeastCellPx = 192;
// What OpenCV, the decoders and the dataset's tables hold besides.
constexpr std::uint64_t kFixedBytes = 12u << 20;

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
  run.validate();
  // Nothing is computed here.
  run.device = "auto";
  return run;
}

/// Whether a key of a run decides what a preview shows.
bool is_shown(std::string_view key, PipelineUse use) {
  constexpr std::string_view kAlways[] = {"image_size", "mean", "std"};
  constexpr std::string_view kTraining[] = {"order", "window", "seed"};
  if (key.starts_with("augment.") || std::ranges::find(kAlways, key) != std::end(kAlways)) {
    return true;
  }
  return use == PipelineUse::kTrain && std::ranges::find(kTraining, key) != std::end(kTraining);
}

/// The part of a run file that decides what is shown; read again, it shows the same.
std::vector<std::string> config_lines(const train::RunConfig& run, PipelineUse use) {
  std::vector<std::string> top;
  std::vector<std::string> augment = {"[augment]"};
  for (const train::RunKey& key : train::run_keys()) {
    if (!is_shown(key.name, use)) continue;
    const auto value = key.write(run);
    if (!value) continue;
    (key.is_augment() ? augment : top)
        .push_back(std::string(key.name_in_table()) + " = " + train::format_toml(*value));
  }
  top.insert(top.end(), augment.begin(), augment.end());
  return top;
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
                                 .width_px = run.image_width_px},
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

/// "flowers.ds", of "flowers.ds/" too.
std::string folder_name(const fs::path& folder) {
  const fs::path plain = folder.lexically_normal();
  return (plain.has_filename() ? plain : plain.parent_path()).filename().native();
}

SheetCaption original_caption(const PreviewSample& sample, const DatasetSplit& split) {
  const IndexRecord& record = sample.record;
  const bool is_labelled = record.class_idx < split.class_names().size();
  SheetCaption caption{.head = is_labelled ? fmt::format("{}: {}", record.class_idx,
                                                         split.class_names()[record.class_idx])
                                           : std::string("no class"),
                       .phrases = {fmt::format("sample {}", sample.sample_id),
                                   fmt::format("{} x {} px", record.width_px, record.height_px)}};
  if (record.orientation > 1) caption.phrases.push_back(fmt::format("EXIF {}", record.orientation));
  return caption;
}

SheetContent sheet_content(const PreviewOptions& options, const train::RunConfig& run,
                           const DatasetSplit& split, const PreviewSamples& shown) {
  const bool trains = options.use() == PipelineUse::kTrain;
  const std::uint32_t longer_px = std::max(run.image_width_px, run.image_height_px);
  const std::uint32_t pixel_side_px = std::max(1u, kLeastCellPx / longer_px);
  SheetContent content{
      .title = fmt::format("{}, split {}: {}", folder_name(run.dataset), split.name(),
                           trains ? "what the trainer gets" : "what evaluation gets"),
      .headings = {"original"},
      .captions = {},
      .footer = config_lines(run, options.use()),
      .cell_width_px = run.image_width_px * pixel_side_px,
      .cell_height_px = run.image_height_px * pixel_side_px};
  for (const PreviewVersion& version : shown.samples().front().versions) {
    content.headings.push_back(trains ? fmt::format("epoch {}", version.epoch) : "evaluation");
  }
  for (const PreviewSample& sample : shown.samples()) {
    content.captions.push_back({original_caption(sample, split)});
    for (const PreviewVersion& version : sample.versions) {
      content.captions.back().push_back({.head = fmt::format("position {}", version.position),
                                         .phrases = drawn_phrases(shown.augment(), version.drawn)});
    }
  }
  return content;
}

Json place_json(const RectPx& place, std::uint32_t pixel_side_px) {
  return {{"x_px", place.x},
          {"y_px", place.y},
          {"width_px", place.width},
          {"height_px", place.height},
          {"pixel_side_px", pixel_side_px}};
}

Json drawn_json(const augment::AugmentDraws& drawn) {
  Json json = Json::object();
  for (const DrawnValue& one : drawn_values(drawn)) {
    std::visit([&](auto value) { json[std::string(one.key)] = value; }, one.value);
  }
  return json;
}

/// Draws one row after the other, and notes where everything lies and what is wrong.
class SheetFiller {
 public:
  SheetFiller(PreviewSamples& shown, ContactSheet& sheet, augment::SizePx cell)
      : shown_(shown), sheet_(sheet), cell_(cell) {}

  /// Returns the JSON of the row's cells: "original", "versions" and, when it failed, "fault".
  Json fill_row(std::size_t row) {
    const PreviewSample& sample = shown_.samples()[row];
    Json json = {{"original", nullptr}, {"versions", Json::array()}, {"fault", nullptr}};
    const auto encoded = read(row, json);
    if (encoded) json["original"] = put({row, 0}, shown_.original(*encoded, cell_), json);
    for (std::size_t k = 0; k < sample.versions.size(); ++k) {
      const PreviewVersion& version = sample.versions[k];
      json["versions"].push_back({{"epoch", version.epoch},
                                  {"position", version.position},
                                  {"drawn", drawn_json(version.drawn)},
                                  {"place", nullptr}});
      if (!encoded) continue;
      json["versions"].back()["place"] = put({row, k + 1}, shown_.version(*encoded, version), json);
    }
    return json;
  }

 private:
  std::optional<PreviewSamples::Encoded> read(std::size_t row, Json& json) {
    try {
      return shown_.read(row);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorruptData) throw;
      json["fault"] = error.what();
    }
    for (std::size_t column = 0; column <= shown_.samples()[row].versions.size(); ++column) {
      sheet_.put_reason({row, column}, "damaged: its bytes are not what was written");
    }
    return std::nullopt;
  }

  Json put(ContactSheet::Place place, const ShownPicture& picture, Json& json) {
    if (picture.fault.status != SampleStatus::kOk) {
      const std::string reason =
          fmt::format("{}: {}", sample_status_name(picture.fault.status), picture.fault.detail());
      sheet_.put_reason(place, reason);
      json["fault"] = reason;
      return nullptr;
    }
    const std::uint32_t pixel_side_px =
        std::min(cell_.width / picture.width_px, cell_.height / picture.height_px);
    return place_json(sheet_.put(place, picture.view(), pixel_side_px), pixel_side_px);
  }

  PreviewSamples& shown_;
  ContactSheet& sheet_;
  augment::SizePx cell_;
};

Json sample_json(const PreviewSample& sample, const DatasetSplit& split) {
  const std::uint32_t class_idx = sample.record.class_idx;
  const bool is_labelled = class_idx < split.class_names().size();
  return {{"sample_id", sample.sample_id},
          {"name", sample.name},
          {"class_idx", is_labelled ? Json(class_idx) : Json(nullptr)},
          {"class_name", is_labelled ? Json(split.class_names()[class_idx]) : Json(nullptr)}};
}

void check_sheet(const ContactSheet& sheet) {
  if (sheet.num_px() <= kMostSheetPx) return;
  refuse(fmt::format("sheet: expected at most {} pixels, found {} x {}", format_count(kMostSheetPx),
                     sheet.width_px(), sheet.height_px()),
         "fewer --samples or --versions, or a smaller --image-size");
}

// Sides alone, before a dataset's samples are looked at.
void check_sides(const PreviewConfig& config, std::uint64_t num_rows) {
  const std::uint64_t width =
      std::uint64_t{config.pipeline.batch.width_px} * (config.num_versions + 1);
  const std::uint64_t height = std::uint64_t{config.pipeline.batch.height_px} * num_rows;
  if (width <= kMostSheetPx / height) return;
  refuse(fmt::format("sheet: expected at most {} pixels, found {} x {} of pictures alone",
                     format_count(kMostSheetPx), width, height),
         "fewer --samples or --versions, or a smaller --image-size");
}

void publish_sheet(const std::string& out, const std::vector<std::uint8_t>& png) {
  try {
    publish_file(out, {reinterpret_cast<const char*>(png.data()), png.size()});
  } catch (const Error& error) {
    throw Error(error.code(), error.what(),
                "name another file, or see whether the disk is full: df -h", error.os_error());
  }
}

struct DrawnSheet {
  Json samples = Json::array();
  std::uint64_t num_failed = 0;
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint64_t peak_bytes = 0;
};

DrawnSheet draw_sheet(const PreviewOptions& options, const train::RunConfig& run,
                      const DatasetSplit& split) {
  const PreviewConfig config = preview_config(options, run);
  check_sides(config,
              std::min(config.num_samples, std::max<std::uint64_t>(split.num_samples(), 1)));
  MemoryBudget budget(run.memory_bytes);
  const BudgetShare fixed =
      budget.draw(kFixedBytes + split.shards_bytes(), "libraries and the dataset's tables");
  PreviewSamples shown(split, config, budget);
  const SheetContent content = sheet_content(options, run, split, shown);
  ContactSheet sheet(content);
  check_sheet(sheet);
  const BudgetShare share = budget.draw(sheet.most_bytes(), "the sheet and its PNG");
  sheet.begin();
  SheetFiller filler(shown, sheet, {content.cell_width_px, content.cell_height_px});
  DrawnSheet drawn{.width_px = sheet.width_px(), .height_px = sheet.height_px()};
  for (std::size_t row = 0; row < shown.samples().size(); ++row) {
    Json json = sample_json(shown.samples()[row], split);
    json.update(filler.fill_row(row));
    drawn.num_failed += json["fault"].is_null() ? 0 : 1;
    drawn.samples.push_back(std::move(json));
  }
  publish_sheet(options.out, sheet.png());
  drawn.peak_bytes = budget.high_water_bytes();
  return drawn;
}

std::string preview_json(const PreviewOptions& options, const train::RunConfig& run,
                         const DrawnSheet& drawn) {
  std::string config;
  for (const std::string& line : config_lines(run, options.use())) config += line + "\n";
  const Json json = {{"out", options.out},
                     {"dataset", run.dataset.native()},
                     {"split", options.split},
                     {"width_px", drawn.width_px},
                     {"height_px", drawn.height_px},
                     {"image_height_px", run.image_height_px},
                     {"image_width_px", run.image_width_px},
                     {"seed", run.seed},
                     {"num_samples", drawn.samples.size()},
                     {"num_failed", drawn.num_failed},
                     {"peak_bytes", drawn.peak_bytes},
                     {"limit_bytes", run.memory_bytes},
                     {"config", config},
                     {"samples", drawn.samples}};
  // A source's name may be no UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

// The sheet's letters are ASCII; here names stand as they are.
std::string preview_text(const PreviewOptions& options, const DrawnSheet& drawn) {
  std::string text = fmt::format("{}: {} of split {}, {} x {} pixels", printable(options.out),
                                 format_counted(drawn.samples.size(), "sample", "samples"),
                                 printable(options.split), drawn.width_px, drawn.height_px);
  for (const Json& sample : drawn.samples) {
    const std::string class_text =
        sample["class_idx"].is_null()
            ? std::string("no class")
            : fmt::format("{}: {}", sample["class_idx"].get<std::uint32_t>(),
                          printable(sample["class_name"].get<std::string>()));
    text += fmt::format("\n  {}, sample {}", class_text, sample["sample_id"].get<std::uint64_t>());
    const auto name = sample["name"].get<std::string>();
    if (!name.empty()) text += ", " + printable(name);
  }
  return text;
}

void print_faults(const PreviewOptions& options, const DrawnSheet& drawn,
                  const std::string& dataset) {
  for (const Json& sample : drawn.samples) {
    if (sample["fault"].is_null()) continue;
    print_error(fmt::format("preview: {}: split {}: sample {}: expected a picture, found none: {}",
                            dataset, options.split, sample["sample_id"].get<std::uint64_t>(),
                            sample["fault"].get<std::string>()),
                "look at it with penstock inspect " + shell_quoted(dataset));
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
  std::string text;
  for (const std::string& line : config_lines(run, options.use()))
    text += (text.empty() ? "" : "\n") + line;
  print_result(text);
  return kExitDone;
}

int run_preview(const PreviewOptions& options) {
  const train::RunConfig typed = run_of(options);
  try {
    check_line(options, typed);
  } catch (const Error& error) {
    print_error(error.what(), error.hint());
    return kExitUsage;
  }
  if (options.is_shown_only) return show_config(options, typed);
  check_output_file(options.out,
                    options.is_forced ? ExistingFile::kReplace : ExistingFile::kRefuse);
  return train::with_data_hint(typed.dataset, [&] {
    const Dataset dataset = Dataset::open(typed.dataset);
    const DatasetSplit split = dataset.split(options.split);
    const train::RunConfig run = resolved_run(typed, dataset.manifest(), options.use());
    const DrawnSheet drawn = [&] {
      const LibraryRemarksSilenced silenced;
      return draw_sheet(options, run, split);
    }();
    if (options.is_json) {
      print_result(preview_json(options, run, drawn));
    } else if (!options.is_quiet) {
      print_result(preview_text(options, drawn));
    }
    print_faults(options, drawn, typed.dataset.native());
    return drawn.num_failed > 0 ? kExitDataDamaged : kExitDone;
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
  add_run_flags(command, options->overrides,
                {"image_size", "memory", "order", "window", "seed", "augment."});
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
      "nothing random, one version.\n" +
          example("penstock preview photos.ds --split train -o sheet.png --augment imagenet"));
  choose_when_given(command, choice, [options] { return run_preview(*options); });
}

}  // namespace penstock::tools
