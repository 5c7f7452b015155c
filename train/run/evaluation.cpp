#include "train/run/evaluation.h"

#include <algorithm>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"
#include "streamer/core/usable_cores.h"
#include "train/loop/trainer.h"
#include "train/run/batch_memory.h"
#include "train/run/data_hint.h"
#include "train/run/data_pipeline.h"
#include "train/run/run_folder.h"

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

class ClassCounter final : public ScoreObserver {
 public:
  /// `next` is told too; may be null.
  ClassCounter(const std::vector<std::string>& names, ScoreObserver* next) : next_(next) {
    for (const std::string& name : names) classes_.push_back({.name = name});
  }

  void on_scores(const ScoredBatch& batch) override {
    for (std::size_t i = 0; i < batch.class_idx.size(); ++i) {
      if (batch.class_idx[i] >= classes_.size() || !(batch.weights[i] > 0)) continue;
      const auto scores = batch.logits.subspan(i * batch.num_classes, batch.num_classes);
      const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
      ClassFigures& actual = classes_[batch.class_idx[i]];
      ++actual.num_samples;
      actual.num_correct += best == static_cast<std::ptrdiff_t>(batch.class_idx[i]);
      ++classes_[static_cast<std::size_t>(best)].num_predicted;
    }
    if (next_ != nullptr) next_->on_scores(batch);
  }
  std::vector<ClassFigures> take() { return std::move(classes_); }

 private:
  ScoreObserver* next_;
  std::vector<ClassFigures> classes_;
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

EvaluationReport evaluate_split(const EvaluationConfig& config, const EvaluationPlace& place,
                                const EvaluationWatch& watch) {
  const Dataset dataset = Dataset::open(place.folder);
  check_classes(place.network.record().class_names, dataset.manifest(), place.folder);

  EvaluationReport report{
      .dataset = place.folder,
      .split = choose_split(dataset.manifest(), config.split),
      .is_training_dataset = place.network.record().dataset_id == dataset.manifest().id,
      .limit_bytes = place.memory.budget().limit_bytes()};
  const DatasetSplit split = dataset.split(report.split);
  place.memory.draw(SampleTally::bytes_for(split.num_samples()), "tally of samples seen");
  const PipelineConfig pipeline{
      .batch = place.network.spec(),
      .augment = augment_of(place.network.record()),
      .cores = split_cores(num_usable_cores(), {.threads = config.inference.threads,
                                                .loader_threads = config.inference.loader_threads}),
      .host_memory = batch_memory("auto")};
  const auto loader = place.memory.make("loader", [&](MemoryBudget& budget) {
    return make_loader(split, pipeline, PipelineUse::kEvaluate, budget);
  });
  const std::stop_callback wake(watch.stop, [&] { loader->request_stop(); });

  ClassCounter classes(place.network.record().class_names, watch.scores);
  SkipCollector skips(split, watch.observer);
  report.pass = evaluate_epoch(place.network.programs(),
                               {.source = *loader,
                                .num_samples = split.num_samples(),
                                .observer = &skips,
                                .stop = watch.stop},
                               &classes);
  if (report.pass.was_stopped) {
    throw Error(ErrorCode::kStopped,
                "evaluate: stopped after " + std::to_string(report.pass.num_samples) + " samples",
                "the same command starts it again");
  }
  report.classes = classes.take();
  report.skipped = skips.list();
  report.high_water_bytes = place.memory.budget().high_water_bytes();
  return report;
}

}  // namespace

EvaluationReport evaluate_run(const EvaluationConfig& config, PassObserver* observer,
                              const std::stop_token& stop, ScoreObserver* scores) {
  MemoryTable memory(memory_limit_bytes(config.inference));
  StoredNetwork network(config.run, config.inference, memory);
  const std::filesystem::path folder =
      config.dataset.empty() ? read_run_folder(config.run).dataset : config.dataset;
  return with_data_hint(folder, [&] {
    return evaluate_split(config, {network, memory, folder}, {observer, scores, stop});
  });
}

}  // namespace penstock::train
