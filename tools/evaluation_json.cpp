#include <cmath>
#include <nlohmann/json.hpp>

#include "streamer/core/result.h"
#include "tools/evaluation_report.h"
#include "train/run/inference/confused_classes.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;
using train::EvaluationReport;

/// Of as many pairs as anybody reads; --confusion has all.
constexpr std::size_t kMaxConfused = 100;

// JSON has no NaN: a figure that there is none of is null.
Json figure(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

void add_pass(const EvaluationReport& report, Json& json) {
  const train::PassReport& pass = report.pass;
  json["num_samples"] = pass.num_samples;
  json["num_expected"] = pass.num_expected;
  json["num_distinct"] = pass.num_distinct;
  json["num_skipped"] = pass.num_skipped;
  json["precision"] = report.precision;
  json["loss_name"] = report.loss_name;
  json["loss"] = figure(report.loss);
  json["top1"] = figure(report.top1);
  json["images_per_s"] = pass.images_per_s();
  json["waiting_share"] = pass.waiting_share();
  json["elapsed_s"] = pass.elapsed_s;
}

void add_metrics(const EvaluationReport& report, Json& json) {
  const train::ClassificationMetrics& metrics = report.metrics;
  const train::ClassReport figures = metrics.report();
  const bool has_samples = metrics.num_samples() > 0;
  const auto share = [&](double value) { return has_samples ? Json(value) : Json(nullptr); };
  json["is_flipped"] = report.is_flipped;
  json["num_counted"] = metrics.num_samples();
  json["num_correct"] = metrics.confusion().num_correct();
  json["top" + std::to_string(metrics.config().top_k)] = figure(metrics.top_k_accuracy());
  json["nll"] = figure(metrics.negative_log_likelihood());
  json["macro_precision"] = share(figures.macro.precision);
  json["macro_recall"] = share(figures.macro.recall);
  json["macro_f1"] = share(figures.macro.f1);
  json["weighted_precision"] = share(figures.weighted.precision);
  json["weighted_recall"] = share(figures.weighted.recall);
  json["weighted_f1"] = share(figures.weighted.f1);
  json["calibration_error"] = figure(metrics.calibration().expected_error());
}

Json skipped_json(const EvaluationReport& report) {
  Json list = Json::array();
  for (const train::SkippedSample& sample : report.skipped) {
    list.push_back({{"sample_id", sample.sample_id},
                    {"name", sample.name},
                    {"shard", sample.shard},
                    {"reason", sample_status_name(sample.fault.status)},
                    {"detail", sample.fault.detail()}});
  }
  return list;
}

Json classes_json(const EvaluationReport& report) {
  const train::ClassReport figures = report.metrics.report();
  Json list = Json::array();
  for (std::size_t idx = 0; idx < report.class_names.size(); ++idx) {
    const train::ClassCounts& counts = report.metrics.confusion().classes()[idx];
    const train::PrecisionRecall& one = figures.classes[idx];
    list.push_back({{"name", report.class_names[idx]},
                    {"num_samples", counts.num_actual},
                    {"num_correct", counts.num_correct},
                    {"num_predicted", counts.num_predicted},
                    {"precision", one.precision},
                    {"recall", one.recall},
                    {"f1", one.f1}});
  }
  return list;
}

/// [label][prediction]; null for more classes than that.
Json matrix_json(const train::ConfusionMatrix& confusion) {
  return confusion.num_classes() > kMaxJsonMatrix ? Json(nullptr) : Json(confusion.rows());
}

Json confused_json(const EvaluationReport& report) {
  Json list = Json::array();
  for (const train::ConfusedClasses& one :
       train::most_confused(report.metrics.confusion(), kMaxConfused)) {
    list.push_back({{"class", report.class_names[one.pair.actual_idx]},
                    {"predicted_class", report.class_names[one.pair.predicted_idx]},
                    {"num_samples", one.num_samples}});
  }
  return list;
}

Json worst_json(const EvaluationReport& report) {
  Json list = Json::array();
  for (const train::NamedMistake& one : report.worst) {
    list.push_back({{"sample_id", one.mistake.sample_id},
                    {"name", one.name},
                    {"class", report.class_names[one.mistake.label_idx]},
                    {"predicted_class", report.class_names[one.mistake.predicted_idx]},
                    {"predicted_probability", one.mistake.predicted_probability},
                    {"loss", figure(one.mistake.loss)}});
  }
  return list;
}

}  // namespace

std::string evaluation_json(const EvaluationReport& report, const train::EvaluationConfig& config) {
  Json json = {
      {"run", config.run.native()}, {"dataset", report.dataset.native()}, {"split", report.split}};
  add_pass(report, json);
  add_metrics(report, json);
  json["is_training_dataset"] = report.is_training_dataset;
  json["skipped"] = skipped_json(report);
  json["limit_bytes"] = report.limit_bytes;
  json["peak_bytes"] = report.high_water_bytes;
  json["classes"] = classes_json(report);
  json["confusion_matrix"] = matrix_json(report.metrics.confusion());
  json["most_confused"] = confused_json(report);
  json["worst"] = worst_json(report);
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace penstock::tools
