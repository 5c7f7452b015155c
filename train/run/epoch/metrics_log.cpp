#include "train/run/epoch/metrics_log.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "streamer/core/number_text.h"
#include "train/metrics/figure_names.h"
#include "train/run/settings/run_values.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;

/// An empty field stands for a figure that there is none of.
std::string field(double value) {
  return std::isfinite(value) ? format_number(value) : "";
}

Json figure(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

void add_figures(Json& event, const MetricValue& one) {
  for (const std::string& name : json_names(one.metric.name)) event[name] = figure(one.value);
}

/// Figures of the training pass behind the metrics, in the order of the columns.
std::vector<std::pair<const char*, Json>> pass_figures(const EpochReport& report) {
  const PassReport& train = report.train;
  return {{"learning_rate", figure(train.learning_rate)},
          {"images_per_s", figure(train.images_per_s())},
          {"waiting_share", figure(train.waiting_share())},
          {"num_samples", train.num_samples},
          {"num_distinct", train.num_distinct},
          {"num_skipped", train.num_skipped},
          {"num_skipped_steps", train.num_skipped_steps},
          {"train_s", figure(train.elapsed_s)},
          {"val_num_skipped",
           report.validation ? Json(report.validation->num_skipped) : Json(nullptr)}};
}

/// The fields are those of `classes` in `penstock evaluate --json`.
Json classes_json(const EpochReport& epoch) {
  Json list = Json::array();
  for (const ClassResult& one : epoch.classes) {
    list.push_back({{"name", one.name},
                    {"num_samples", one.counts.num_actual},
                    {"num_correct", one.counts.num_correct},
                    {"num_predicted", one.counts.num_predicted},
                    {"precision", one.figures.precision},
                    {"recall", one.figures.recall},
                    {"f1", one.figures.f1}});
  }
  return list;
}

std::string csv_text(const Json& value) {
  if (value.is_null()) return "";
  return value.is_number_float() ? format_number(value.get<double>())
                                 : std::to_string(value.get<std::uint64_t>());
}

std::string table_head(std::span<const MetricName> metrics) {
  std::string head = "epoch,step";
  for (const MetricName& metric : metrics) head += "," + metric.name;
  for (const auto& [name, value] : pass_figures({})) head += "," + std::string(name);
  return head + "\n";
}

std::string text_if_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored) ? read_text_file(path, kMaxFileBytes) : std::string();
}

/// Whether a line of the table is of an epoch that is done: its first field, from 1.
bool is_row_kept(std::string_view row, const MetricsLogConfig& config) {
  const auto epoch = parse_digits<std::uint64_t>(row.substr(0, row.find(',')));
  return epoch && *epoch <= config.num_epochs;
}

std::optional<std::uint64_t> whole_field(const Json& event, const char* name) {
  const auto found = event.find(name);
  if (found == event.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

bool is_event_kept(std::string_view line, const MetricsLogConfig& config) {
  const Json event = Json::parse(line, nullptr, false);
  if (!event.is_object()) return false;
  const auto epoch = whole_field(event, "epoch");
  const auto step = whole_field(event, "step");
  if (!epoch || !step) return false;
  if (*epoch <= config.num_epochs) return true;
  const auto kind = event.find("event");
  const bool is_validation = kind != event.end() && *kind == "validation";
  return is_validation && *epoch == config.num_epochs + 1 && *step <= config.num_steps;
}

/// The lines of `text` that are to stay; what comes behind the last newline is no line.
template <class IsKept>
std::string kept_lines(std::string_view text, const IsKept& is_kept) {
  std::string kept;
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    const std::string_view line = text.substr(0, end + 1);
    if (is_kept(line)) kept += line;
    text.remove_prefix(end + 1);
  }
  return kept;
}

}  // namespace

MetricsLog::MetricsLog(MetricsLogConfig config)
    : config_(std::move(config)), head_(table_head(config_.metrics)), table_(head_) {
  keep_table();
  keep_events();
}

void MetricsLog::keep_table() {
  const std::string found = text_if_there(config_.folder / kMetricsName);
  if (found.empty()) return;
  if (!found.starts_with(head_)) {  // of another version, or of another program
    put_table_aside();
    return;
  }
  table_ += kept_lines(std::string_view(found).substr(head_.size()),
                       [&](std::string_view row) { return is_row_kept(row, config_); });
}

void MetricsLog::put_table_aside() {
  const std::string name = std::string(kMetricsName) + ".old";
  old_table_name_ = name;
  std::error_code ignored;
  for (int number = 2; fs::exists(fs::symlink_status(config_.folder / old_table_name_, ignored));
       ++number) {
    old_table_name_ = name + "." + std::to_string(number);
  }
  rename_to_new(config_.folder / kMetricsName, config_.folder / old_table_name_);
  sync_folder(config_.folder);
}

void MetricsLog::keep_events() {
  const fs::path path = config_.folder / kMetricEventsName;
  const std::string kept = kept_lines(
      text_if_there(path), [&](std::string_view line) { return is_event_kept(line, config_); });
  const fs::path fresh = path.native() + ".tmp";
  std::error_code ignored;
  fs::remove(fresh, ignored);
  events_ = create_new_file(fresh);
  new_events_ = kept;
  append_events();
  publish_by_rename(fresh, path);
}

void MetricsLog::append_events() {
  const fs::path path = config_.folder / kMetricEventsName;
  write_at(events_, events_bytes_, std::as_bytes(std::span(new_events_)), path);
  sync_file(events_, path);
  events_bytes_ += new_events_.size();
  new_events_.clear();
}

void MetricsLog::store() {
  if (!is_table_stored_) publish_file(config_.folder / kMetricsName, table_);
  is_table_stored_ = true;
  if (!new_events_.empty()) append_events();
}

void MetricsLog::note_epoch(const EpochReport& report) {
  table_ += std::to_string(report.epoch_idx + 1) + "," + std::to_string(report.num_steps);
  for (const MetricValue& one : report.metrics.values()) table_ += "," + field(one.value);
  for (const auto& [name, value] : pass_figures(report)) table_ += "," + csv_text(value);
  table_ += "\n";
  is_table_stored_ = false;
  new_events_ += epoch_event(report) + "\n";
}

void MetricsLog::note_validation(const EpochReport& epoch, const PassReport& pass,
                                 const MetricTable& metrics) {
  new_events_ += validation_event(epoch, pass, metrics) + "\n";
}

std::string epoch_event(const EpochReport& report) {
  Json event = {{"event", "epoch"}, {"epoch", report.epoch_idx + 1}, {"step", report.num_steps}};
  for (const MetricValue& one : report.metrics.values()) add_figures(event, one);
  for (const auto& [name, value] : pass_figures(report)) event[name] = value;
  return event.dump();
}

std::string validation_event(const EpochReport& epoch, const PassReport& pass,
                             const MetricTable& metrics) {
  Json event = {{"event", "validation"}, {"epoch", epoch.epoch_idx + 1}, {"step", epoch.num_steps}};
  for (const MetricValue& one : metrics.values()) {
    if (one.metric.name.starts_with("val_")) add_figures(event, one);
  }
  event["val_num_samples"] = pass.num_samples;
  event["val_num_skipped"] = pass.num_skipped;
  event["val_images_per_s"] = figure(pass.images_per_s());
  event["val_s"] = figure(pass.elapsed_s);
  event["val_classes"] = classes_json(epoch);
  event["val_confusion_matrix"] = epoch.confusion.empty() ? Json(nullptr) : Json(epoch.confusion);
  return event.dump();
}

}  // namespace penstock::train
