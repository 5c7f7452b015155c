// A stored model against a split of a dataset.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "train/loop/pass_report.h"
#include "train/loop/trainer.h"
#include "train/metrics/classification_metrics.h"
#include "train/run/data/skipped_samples.h"
#include "train/run/inference/inference_config.h"

namespace penstock::train {

struct EvaluationConfig {
  /// Folder of the run.
  std::filesystem::path run;
  /// Folder of the dataset; empty for the run's own.
  std::filesystem::path dataset = {};
  /// Empty for the test split if there is one, else validation.
  std::string split = {};
  /// Judges each picture together with its mirror image: test_time_flip.h.
  bool flips = false;
  /// Mistakes of highest loss to name, 0 to 100,000.
  std::uint32_t num_worst = 0;
  /// Refuses more classes than a confusion matrix has pairs for, before any work.
  bool needs_confusion = false;
  InferenceConfig inference = {};
};

/// A mistake, and the file that the sample was made from.
struct NamedMistake {
  Mistake mistake;
  std::string name;  // relative to the conversion's source; empty when that was left out
};

struct EvaluationReport {
  std::filesystem::path dataset;
  std::string split;
  PassReport pass = {};
  /// What was computed in, "float32" or "bfloat16".
  std::string precision;
  /// The training's, "cross_entropy" or "focal", without smoothing and weights of classes.
  std::string loss_name;
  bool is_flipped = false;
  /// Mean of that loss, and share of samples whose highest score is their label: the program's own figures, as a
  /// training shows them, or the metrics' where pictures were flipped. NaN when nothing was counted.
  double loss = 0;
  double top1 = 0;
  std::vector<std::string> class_names = {};
  /// Of all samples that count.
  ClassificationMetrics metrics{{.num_classes = 1}};
  /// Worst first.
  std::vector<NamedMistake> worst = {};
  /// Samples that were left out, as far as SkippedSamples lists them.
  std::vector<SkippedSample> skipped = {};
  /// The very dataset that was trained on, not one converted anew from the same pictures.
  bool is_training_dataset = true;
  /// Why the precision costs time here instead of saving it (slow_precision.h); empty when it does not.
  std::string precision_note = {};
  /// Why a GPU that answers is not taken; empty where none does, or it is.
  std::string device_note = {};
  std::uint64_t limit_bytes = 0;
  std::uint64_t high_water_bytes = 0;
};

/// Tells `observer` of steps and `scores` of every batch, which are the means where pictures are flipped; both may
/// be null. Memory for the metrics is drawn before the first batch.
///
/// Errors  those of the stored model and of the dataset; InvalidArgument when the dataset has other
///         classes, with the difference, and for a score that is no number; Unsupported for too many classes;
///         OutOfMemory; Stopped
EvaluationReport evaluate_run(const EvaluationConfig& config, PassObserver* observer,
                              const std::stop_token& stop, ScoreObserver* scores = nullptr);

}  // namespace penstock::train
