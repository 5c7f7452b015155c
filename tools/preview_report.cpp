#include "tools/preview_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tools/drawn_values.h"
#include "tools/terminal.h"
#include "train/graph/toml_table.h"
#include "train/run/settings/run_keys.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;
using train::PipelineUse;

/// Whether a key of a run decides what a preview shows.
bool is_shown(std::string_view key, PipelineUse use) {
  constexpr std::string_view kAlways[] = {"image_size", "color_mode", "mean", "std"};
  constexpr std::string_view kTraining[] = {"order", "window", "seed"};
  if (key.starts_with("augment.") || std::ranges::find(kAlways, key) != std::end(kAlways)) {
    return true;
  }
  return use == PipelineUse::kTrain && std::ranges::find(kTraining, key) != std::end(kTraining);
}

/// Null for a sample without a label.
const std::string* class_name(const PreviewSample& sample, const DatasetSplit& split) {
  const std::vector<std::string>& names = split.class_names();
  return sample.record.class_idx < names.size() ? &names[sample.record.class_idx] : nullptr;
}

Json place_json(const std::optional<PlacedPicture>& placed) {
  if (!placed) return nullptr;
  return {{"x_px", placed->place.x},
          {"y_px", placed->place.y},
          {"width_px", placed->place.width},
          {"height_px", placed->place.height},
          {"pixel_side_px", placed->pixel_side_px}};
}

Json sample_json(const DrawnSample& drawn, const DatasetSplit& split) {
  const PreviewSample& sample = drawn.sample;
  const std::string* name = class_name(sample, split);
  Json versions = Json::array();
  for (std::size_t k = 0; k < sample.versions.size(); ++k) {
    versions.push_back({{"epoch", sample.versions[k].epoch},
                        {"position", sample.versions[k].position},
                        {"drawn", Json::parse(drawn_json(sample.versions[k].drawn))},
                        {"place", place_json(drawn.versions[k])}});
  }
  return {{"sample_id", sample.sample_id},
          {"name", sample.name},
          {"class_idx", name == nullptr ? Json(nullptr) : Json(sample.record.class_idx)},
          {"class_name", name == nullptr ? Json(nullptr) : Json(*name)},
          {"original", place_json(drawn.original)},
          {"versions", versions},
          {"fault", drawn.fault.empty() ? Json(nullptr) : Json(drawn.fault)}};
}

}  // namespace

std::vector<std::string> config_lines(const train::RunConfig& run, PipelineUse use) {
  std::vector<std::string> top;
  std::vector<std::string> augment = {"[augment]"};
  for (const train::RunKey& key : train::run_keys()) {
    if (!is_shown(key.name, use)) continue;
    const auto value = key.write(run);
    if (!value) continue;
    (key.table() == "augment" ? augment : top)
        .push_back(std::string(key.name_in_table()) + " = " + train::format_toml(*value));
  }
  top.insert(top.end(), augment.begin(), augment.end());
  return top;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

std::string preview_json(const PreviewReport& report) {
  const train::RunConfig& run = report.run;
  Json samples = Json::array();
  for (const DrawnSample& drawn : report.drawn.samples) {
    samples.push_back(sample_json(drawn, report.split));
  }
  const Json json = {{"out", report.config.out.native()},
                     {"dataset", run.dataset.native()},
                     {"split", report.split.name()},
                     {"title", report.config.title},
                     {"width_px", report.drawn.width_px},
                     {"height_px", report.drawn.height_px},
                     {"image_height_px", run.image_height_px},
                     {"image_width_px", run.image_width_px},
                     {"seed", run.seed},
                     {"num_samples", samples.size()},
                     {"num_failed", report.drawn.num_failed()},
                     {"peak_bytes", report.drawn.peak_bytes},
                     {"limit_bytes", run.memory_bytes},
                     {"config", joined(report.config.footer) + "\n"},
                     {"samples", samples}};
  // A source's name may be no UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string preview_text(const PreviewReport& report) {
  const DrawnSheet& drawn = report.drawn;
  std::string text =
      fmt::format("{}: {} of split {}, {} x {} pixels", printable_path(report.config.out),
                  format_counted(drawn.samples.size(), "sample", "samples"),
                  printable(report.split.name()), drawn.width_px, drawn.height_px);
  for (const DrawnSample& one : drawn.samples) {
    const std::string* name = class_name(one.sample, report.split);
    text += name == nullptr
                ? std::string("\n  no class")
                : fmt::format("\n  {}: {}", one.sample.record.class_idx, printable(*name));
    text += fmt::format(", sample {}", one.sample.sample_id);
    if (!one.sample.name.empty()) text += ", " + printable(one.sample.name);
  }
  return text;
}

}  // namespace penstock::tools
