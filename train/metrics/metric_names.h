// The names of everything a run measures, in the order of its tables, and which way is better: what a
// monitor may be set to, known before the first step.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::train {

enum class MetricDirection : std::uint8_t { kHigherIsBetter, kLowerIsBetter };

/// Whose figures: names begin with "", "val_" or "test_", as Keras has them.
enum class MetricSplit : std::uint8_t { kTrain, kValidation, kTest };

enum class MetricTask : std::uint8_t { kOneClass, kSeveralLabels, kRegression };

struct MetricName {
  std::string name;  // "val_macro_f1"
  MetricDirection direction = MetricDirection::kHigherIsBetter;
};

/// What decides which metrics there are.
struct MetricSelection {
  MetricTask task = MetricTask::kOneClass;
  /// Outputs of the network.
  std::uint32_t num_outputs = 0;
  /// kOneClass: k of "top5_accuracy", which is left out where every label would be among so many.
  std::uint32_t top_k = 5;
  /// kSeveralLabels: whether average precision and ROC AUC are taken (label_ranking.h).
  bool has_ranking = true;
};

/// The name in a table: metric_name(kValidation, "loss") is "val_loss".
std::string metric_name(MetricSplit split, std::string_view metric);

/// Name without its split of accuracy among the k highest scores: "top5_accuracy".
std::string top_k_metric(std::uint32_t top_k);

/// Which way is better, for the name without its split. Throws Internal for one that is not known.
MetricDirection metric_direction(std::string_view metric);

/// Names of one split's metrics in the order of metric_table.h. Training has the loss and, but for
/// regression, one count of right samples: its steps are not measured further.
std::vector<MetricName> metric_names(const MetricSelection& selection, MetricSplit split);

/// Returns the one of `names` that a run asks for ("monitor").
///
/// Errors  InvalidArgument with the nearest name
const MetricName& find_monitor(std::string_view monitor, std::span<const MetricName> names);

}  // namespace penstock::train
