// A stored model against a split of a dataset.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "train/loop/pass_report.h"
#include "train/loop/trainer.h"
#include "train/run/skipped_samples.h"
#include "train/run/stored_network.h"

namespace penstock::train {

struct EvaluationConfig {
  /// Folder of the run.
  std::filesystem::path run;
  /// Folder of the dataset; empty for the run's own.
  std::filesystem::path dataset;
  /// Empty for the test split if there is one, else validation.
  std::string split;
  InferenceConfig inference;
};

/// How one class fared.
struct ClassFigures {
  std::string name;
  std::uint64_t num_samples = 0;    // with this label, counted ones only
  std::uint64_t num_correct = 0;    // of these, recognised
  std::uint64_t num_predicted = 0;  // samples of any label taken for this class
};

struct EvaluationReport {
  std::filesystem::path dataset;
  std::string split;
  PassReport pass = {};
  std::vector<ClassFigures> classes = {};
  /// Samples that were left out, as far as SkippedSamples lists them.
  std::vector<SkippedSample> skipped = {};
  /// The very dataset that was trained on, not one converted anew from the same pictures.
  bool is_training_dataset = true;
  std::uint64_t limit_bytes = 0;
  std::uint64_t high_water_bytes = 0;
};

/// Tells `observer` of steps and `scores` of every batch; both may be null.
///
/// Errors  those of the stored model and of the dataset; InvalidArgument when the dataset has other
///         classes, with the difference; Stopped
EvaluationReport evaluate_run(const EvaluationConfig& config, PassObserver* observer,
                              const std::stop_token& stop, ScoreObserver* scores = nullptr);

}  // namespace penstock::train
