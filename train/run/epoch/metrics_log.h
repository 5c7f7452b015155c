// The figures of a run's epochs and validations on disk: metrics.csv, a table of the epochs, and
// metrics.jsonl, an object for each epoch and each validation. train/store/CHECKPOINT.md has the fields.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/file.h"
#include "train/metrics/metric_table.h"
#include "train/run/epoch/epoch_report.h"

namespace penstock::train {

inline constexpr const char* kMetricsName = "metrics.csv";
inline constexpr const char* kMetricEventsName = "metrics.jsonl";

/// The line of metrics.jsonl for an epoch, without its end.
std::string epoch_event(const EpochReport& report);
/// The line of metrics.jsonl for a validation; of `metrics` those of the validation are taken, of `epoch` its
/// classes.
std::string validation_event(const EpochReport& epoch, const PassReport& pass,
                             const MetricTable& metrics);

/// What is written with every event.
struct MetricsLogConfig {
  std::filesystem::path folder;
  /// The columns between `step` and `learning_rate`.
  std::vector<MetricName> metrics;
  /// Of a run that goes on, which writes no line twice: lines of so many epochs are kept, done in full.
  std::uint64_t num_epochs = 0;
  /// Of the epoch after them, validations up to this step are kept too. Steps tell nothing about other epochs:
  /// another batch size counts them anew.
  std::uint64_t num_steps = 0;
};

/// Files are there, and whole, from the first store() on.
///
/// Errors  Io
class MetricsLog {
 public:
  /// A metrics.csv with other columns is renamed to metrics.csv.old, or metrics.csv.old.2 and so on: nothing of
  /// it is lost.
  explicit MetricsLog(MetricsLogConfig config);

  /// The name that a table with other columns has now; empty when there was none.
  const std::string& old_table_name() const noexcept { return old_table_name_; }

  /// Notes a line of metrics.csv, and an event.
  void note_epoch(const EpochReport& report);
  /// Notes the event of a validation: within an epoch, or at its end before note_epoch().
  void note_validation(const EpochReport& epoch, const PassReport& pass,
                       const MetricTable& metrics);
  /// Publishes the whole of metrics.csv, and appends the events: what was noted since the last store() that
  /// did not fail.
  void store();

 private:
  void keep_table();
  void put_table_aside();
  void keep_events();
  /// Writes what is noted behind the events, and flushes it.
  void append_events();

  MetricsLogConfig config_;
  std::string head_;
  std::string table_;
  std::string old_table_name_;
  bool is_table_stored_ = true;
  std::string new_events_;  // noted, not stored
  UniqueFd events_;
  std::uint64_t events_bytes_ = 0;
};

}  // namespace penstock::train
