#include "train/run/inference/evaluation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/core/usable_cores.h"
#include "train/backend/slow_precision.h"
#include "train/loop/trainer.h"
#include "train/loss/batch_loss.h"
#include "train/run/data/data_hint.h"
#include "train/run/data/data_pipeline.h"
#include "train/run/folder/stored_settings.h"
#include "train/run/inference/memory_hint.h"
#include "train/run/inference/stored_network.h"
#include "train/run/inference/test_time_flip.h"
#include "train/run/network/run_loss.h"

namespace penstock::train {
namespace {

/// Names of `names` that `others` lacks: "cat, dog".
std::string missing_in(const std::vector<std::string>& names,
                       const std::vector<std::string>& others) {
  std::string list;
  for (const std::string& name : names) {
    if (std::find(others.begin(), others.end(), name) != others.end()) continue;
    list += (list.empty() ? "" : ", ") + name;
  }
  return list;
}

void check_classes(const std::vector<std::string>& model, const Manifest& manifest,
                   const std::filesystem::path& dataset) {
  const std::vector<std::string>& found = manifest.class_names;
  if (model == found) return;
  const std::string lacking = missing_in(model, found);
  const std::string extra = missing_in(found, model);
  std::string difference = "found " + std::to_string(found.size());
  if (!lacking.empty()) difference += ", without " + lacking;
  if (!extra.empty()) difference += ", with " + extra + " besides";
  if (lacking.empty() && extra.empty()) difference += " in another order";
  throw Error(ErrorCode::kInvalidArgument,
              "dataset: " + dataset.native() + ": classes: expected the model's " +
                  std::to_string(model.size()) + ", " + difference,
              "evaluate on a dataset converted from the same classes");
}

std::string nearest_split(const Manifest& manifest, const std::string& asked) {
  std::vector<std::string_view> names;
  for (const ManifestSplit& split : manifest.splits) names.emplace_back(split.name);
  const std::string nearest = nearest_name(asked, names);
  return nearest.empty() ? "train" : nearest;
}

std::string choose_split(const Manifest& manifest, const std::string& asked) {
  if (!asked.empty()) {
    if (manifest.find_split(asked) != nullptr) return asked;
    std::string names;
    for (const ManifestSplit& split : manifest.splits) {
      names += (names.empty() ? "" : ", ") + split.name;
    }
    throw Error(ErrorCode::kNotFound,
                "dataset: split: expected one of " + names + ", found '" + asked + "'",
                "--split " + nearest_split(manifest, asked));
  }
  const auto has_samples = [&](const char* name) {
    const ManifestSplit* split = manifest.find_split(name);
    return split != nullptr && split->num_samples > 0;
  };
  if (has_samples("test")) return "test";
  if (has_samples("validation")) return "validation";
  throw Error(ErrorCode::kNotFound,
              "dataset: expected a split test or validation with samples, found none",
              "--split train");
}

/// Adds scores up; `next` is told too and may be null.
class MetricsCounter final : public ScoreObserver {
 public:
  MetricsCounter(ClassificationMetrics& metrics, ScoreObserver* next)
      : metrics_(metrics), next_(next) {}

  void on_scores(const ScoredBatch& batch) override {
    metrics_.add({.scores = batch.logits,
                  .class_idx = batch.class_idx,
                  .weights = batch.weights,
                  .sample_ids = batch.sample_ids});
    if (next_ != nullptr) next_->on_scores(batch);
  }

 private:
  ClassificationMetrics& metrics_;
  ScoreObserver* next_;
};

/// Adds up the losses of scores that no program has made, and hands them on.
class LossCounter final : public ScoreObserver {
 public:
  LossCounter(LossSpec loss, ScoreObserver& next) : loss_(std::move(loss)), next_(next) {}

  /// NaN when nothing was counted.
  double mean() const { return weighted_loss_sum_ / weight_sum_; }

  void on_scores(const ScoredBatch& batch) override {
    const LossSums sums =
        batch_loss(loss_, {.batch = batch.class_idx.size(), .outputs = batch.num_classes},
                   {.class_idx = batch.class_idx, .weights = batch.weights}, batch.logits.data());
    weighted_loss_sum_ += sums.weighted_loss_sum;
    weight_sum_ += sums.weight_sum;
    next_.on_scores(batch);
  }

 private:
  LossSpec loss_;
  ScoreObserver& next_;
  double weighted_loss_sum_ = 0;
  double weight_sum_ = 0;
};

/// Lists what was skipped; `next` is told of steps and may be null.
class SkipCollector final : public PassObserver {
 public:
  SkipCollector(const DatasetSplit& split, PassObserver* next) : split_(split), next_(next) {}

  void on_step(const PassReport& so_far) override {
    if (next_ != nullptr) next_->on_step(so_far);
  }
  void on_skipped(const SampleEvent& event) override { skipped_.add(split_, 0, event); }
  const std::vector<SkippedSample>& list() const noexcept { return skipped_.list(); }

 private:
  const DatasetSplit& split_;
  PassObserver* next_;
  SkippedSamples skipped_;
};

/// What an evaluation is made with.
struct EvaluationPlace {
  StoredNetwork& network;
  MemoryTable& memory;
  const std::filesystem::path& folder;
};

/// Who follows it.
struct EvaluationWatch {
  PassObserver* observer = nullptr;
  ScoreObserver* scores = nullptr;
  const std::stop_token& stop;
};

void run_pass(const EvaluationConfig& config, const EvaluationPlace& place,
              const EvaluationWatch& watch, const DatasetSplit& split, EvaluationReport& report) {
  place.memory.draw(SampleTally::bytes_for(split.num_samples()), "tally of samples seen");
  const PipelineConfig pipeline{
      .batch = place.network.spec(),
      .augment = augment_of(place.network.record()),
      .cores =
          split_cores(num_usable_cores(), {.threads = config.inference.threads,
                                           .loader_threads = config.inference.loader_threads,
                                           .is_on_gpu = place.network.backend().name() == "cuda"}),
      .host_memory = place.network.backend().batch_memory()};
  ProgramSet& programs = place.network.programs();
  if (config.flips) {
    place.memory.draw(TestTimeFlip::bytes_for(pipeline.batch, programs.num_logits()),
                      "mirrored pictures");
  }
  const auto loader = place.memory.make("loader", [&](MemoryBudget& budget) {
    return make_loader(split, pipeline, PipelineUse::kEvaluate, budget);
  });
  const std::stop_callback wake(watch.stop, [&] { loader->request_stop(); });

  MetricsCounter counter(report.metrics, watch.scores);
  std::optional<LossCounter> flipped_loss;
  std::optional<TestTimeFlip> flip;
  if (config.flips) {
    flipped_loss.emplace(loss_of(place.network.record()), counter);
    flip.emplace(*loader, programs, *flipped_loss);
  }
  SkipCollector skips(split, watch.observer);
  report.pass = evaluate_epoch(programs,
                               {.source = flip ? static_cast<BatchSource&>(*flip) : *loader,
                                .num_samples = split.num_samples(),
                                .observer = &skips,
                                .stop = watch.stop},
                               flip ? static_cast<ScoreObserver*>(&*flip) : &counter);
  if (report.pass.was_stopped) {
    throw Error(ErrorCode::kStopped,
                "evaluate: stopped after " + std::to_string(report.pass.num_samples) + " samples",
                "the same command starts it again");
  }
  report.skipped = skips.list();
  // The program's own figures are of the pictures as they are.
  report.loss = config.flips ? flipped_loss->mean() : report.pass.totals.loss();
  report.top1 = config.flips ? report.metrics.accuracy() : report.pass.totals.top1();
}

ClassificationConfig metrics_config(const EvaluationConfig& config, const StoredNetwork& network) {
  return {.num_classes = static_cast<std::uint32_t>(network.record().class_names.size()),
          .num_worst = config.num_worst};
}

void check_pairs(std::uint32_t num_classes) {
  constexpr std::uint32_t kMost = ConfusionMatrix::kMaxDenseClasses;
  if (num_classes <= kMost) return;
  throw Error(ErrorCode::kUnsupported,
              "evaluate: confusion matrix: expected at most " + std::to_string(kMost) +
                  " classes, found " + std::to_string(num_classes),
              "leave --confusion out: figures of each class are there all the same");
}

EvaluationReport evaluate_split(const EvaluationConfig& config, const EvaluationPlace& place,
                                const EvaluationWatch& watch) {
  const Dataset dataset = Dataset::open(place.folder);
  check_classes(place.network.record().class_names, dataset.manifest(), place.folder);

  EvaluationReport report{
      .dataset = place.folder,
      .split = choose_split(dataset.manifest(), config.split),
      .precision = std::string(compute_type_name(place.network.precision())),
      .loss_name = place.network.record().loss,
      .is_flipped = config.flips,
      .class_names = place.network.record().class_names,
      .metrics = ClassificationMetrics(metrics_config(config, place.network)),
      .is_training_dataset = place.network.record().dataset_id == dataset.manifest().id,
      .precision_note =
          slow_precision_note(place.network.backend().name(), place.network.precision()),
      .device_note = place.network.device_note(),
      .limit_bytes = place.memory.budget().limit_bytes()};
  const DatasetSplit split = dataset.split(report.split);
  run_pass(config, place, watch, split, report);
  for (const Mistake& mistake : report.metrics.worst().list()) {
    report.worst.push_back({mistake, split.read_name(mistake.sample_id)});
  }
  report.high_water_bytes = place.memory.budget().high_water_bytes();
  return report;
}

/// The dataset that the run was trained on, by its settings.
std::filesystem::path own_dataset(const std::filesystem::path& run) {
  try {
    return read_stored_settings(run).config.dataset;
  } catch (const Error& error) {
    throw Error(error.code(), error.what(),
                "name the dataset: penstock evaluate " + shell_quoted(run.native()) + " DATASET",
                error.os_error());
  }
}

EvaluationReport evaluate_within_limit(const EvaluationConfig& config,
                                       const EvaluationWatch& watch) {
  MemoryTable memory(memory_limit_bytes(config.inference));
  StoredNetwork network(config.run, config.inference, memory);
  const ClassificationConfig metrics = metrics_config(config, network);
  if (config.needs_confusion) check_pairs(metrics.num_classes);
  memory.draw(ClassificationMetrics::bytes_for(metrics), "metrics");
  const std::filesystem::path folder =
      config.dataset.empty() ? own_dataset(config.run) : config.dataset;
  return with_data_hint(folder, [&] {
    return evaluate_split(config, {network, memory, folder}, watch);
  });
}

}  // namespace

EvaluationReport evaluate_run(const EvaluationConfig& config, PassObserver* observer,
                              const std::stop_token& stop, ScoreObserver* scores) {
  return with_memory_hint([&] { return evaluate_within_limit(config, {observer, scores, stop}); });
}

}  // namespace penstock::train
