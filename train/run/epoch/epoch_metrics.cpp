#include "train/run/epoch/epoch_metrics.h"

#include <numeric>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

ClassificationConfig classification_config(std::uint32_t num_classes) {
  const bool has_pairs = num_classes <= kMaxToldClasses;
  return {.num_classes = num_classes,
          .num_worst = 0,
          .pairs = has_pairs ? PairCounts::kDense : PairCounts::kNone};
}

/// EpochReport::classes.
std::vector<ClassResult> class_results(std::span<const ClassCounts> counts,
                                       std::span<const std::string> class_names) {
  check_internal(counts.size() == class_names.size(), "a class without a name");
  std::vector<std::uint32_t> told(counts.size());
  std::iota(told.begin(), told.end(), 0u);
  if (told.size() > kMaxToldClasses) told = lowest_f1_classes(counts, kMaxToldClasses);
  std::vector<ClassResult> results;
  for (const std::uint32_t idx : told) {
    results.push_back({.name = class_names[idx],
                       .counts = counts[idx],
                       .figures = precision_recall(counts[idx])});
  }
  return results;
}

}  // namespace

std::vector<MetricName> RunMetrics::names() const {
  const MetricSelection selection{.task = MetricTask::kOneClass, .num_outputs = num_classes};
  std::vector<MetricName> names = metric_names(selection, MetricSplit::kTrain);
  if (!has_validation) return names;
  for (MetricName& name : metric_names(selection, MetricSplit::kValidation)) {
    names.push_back(std::move(name));
  }
  return names;
}

ValidationScores::ValidationScores(std::uint32_t num_classes)
    : config_(classification_config(num_classes)) {
  clear();
}

std::uint64_t ValidationScores::bytes_for(std::uint32_t num_classes) {
  return ClassificationMetrics::bytes_for(classification_config(num_classes));
}

void ValidationScores::clear() {
  metrics_.reset();  // before the new one: they are never both there
  metrics_.emplace(config_);
}

void ValidationScores::on_scores(const ScoredBatch& batch) {
  metrics_->add({.scores = batch.logits,
                 .class_idx = batch.class_idx,
                 .weights = batch.weights,
                 .sample_ids = batch.sample_ids});
}

void add_training(MetricTable& table, const PassReport& pass) {
  table.add(MetricSplit::kTrain, "loss", pass.totals.loss());
  table.add(MetricSplit::kTrain, "accuracy", pass.totals.top1());
}

void add_validation(MetricTable& table, const PassReport& pass, const ValidationScores& scores) {
  table.add(MetricSplit::kValidation, "loss", pass.totals.loss());
  add_metrics(table, MetricSplit::kValidation, scores.metrics());
}

void add_classes(EpochReport& report, const ValidationScores& scores,
                 std::span<const std::string> class_names) {
  const ConfusionMatrix& confusion = scores.metrics().confusion();
  report.classes = class_results(confusion.classes(), class_names);
  if (confusion.is_dense()) report.confusion = confusion.rows();
}

}  // namespace penstock::train
