// Several labels a sample: a picture may be bright on its right, below, both or neither. Binary cross-entropy
// for the training, mean average precision and ROC AUC for the judgement. A dataset has one class a sample, so
// the labels are the program's own.
//
//     several_labels [EPOCHS]
#include <cstdio>
#include <cstdlib>

#include "drawn_batches.h"
#include "train/train.h"

namespace {

using namespace penstock;
using namespace penstock::train;

constexpr std::uint32_t kNumLabels = 2;

// Whether a sample has each label: drawn, so that anybody can ask again.
std::vector<float> labels_of_sample(std::uint64_t seed, std::uint64_t sample_id) {
  const Draws draws({.seed = seed, .position = sample_id, .purpose = DrawPurpose::kUser});
  return {draws.uniform(0) < 0.3 ? 1.0f : 0.0f, draws.uniform(1) < 0.5 ? 1.0f : 0.0f};
}

struct LabelledBatch final : OneBatch {
  using OneBatch::OneBatch;
  std::vector<float> targets;
};

// Targets stand beside the pixels where the spec asks for them.
class LabelledBatches final : public BatchSource {
 public:
  LabelledBatches(const BatchSpec& spec, DrawnBatches::Config config)
      : config_(config), batch_(std::make_shared<LabelledBatch>(spec)) {}

  const BatchSpec& spec() const noexcept override { return batch_->spec; }
  SourceStats stats() const override {
    return {.num_batches = next_batch_, .num_samples = next_batch_ * spec().batch};
  }

  BatchLease next() override {
    if (next_batch_ == config_.num_batches * config_.num_epochs) return {};
    fill();
    BatchView view;
    view.spec = &batch_->spec;
    view.pixels = reinterpret_cast<const std::byte*>(batch_->pixels.get());
    view.class_idx = batch_->class_idx;  // all 0: nobody reads them
    if (spec().label_form == LabelForm::kTargets) view.targets = batch_->targets;
    view.weights = batch_->weights;
    view.sample_ids = batch_->sample_ids;
    view.positions = batch_->positions;
    view.batch_idx = next_batch_++;
    view.num_valid = spec().batch;
    view.epoch = static_cast<std::uint32_t>(view.batch_idx / config_.num_batches);
    view.next_position = (view.batch_idx % config_.num_batches + 1) * view.num_valid;
    view.ends_epoch = next_batch_ % config_.num_batches == 0;
    return {view, batch_, 0};
  }

 private:
  void fill() {
    const std::uint32_t side = spec().width_px;
    batch_->targets.clear();
    float* pixel = batch_->pixels.get();
    for (std::uint32_t i = 0; i < spec().batch; ++i) {
      const std::uint64_t id = next_batch_ % config_.num_batches * spec().batch + i;
      const Draws draws({.seed = config_.seed, .position = id, .purpose = DrawPurpose::kUser});
      const std::vector<float> labels = labels_of_sample(config_.seed, id);
      batch_->targets.insert(batch_->targets.end(), labels.begin(), labels.end());
      batch_->sample_ids[i] = batch_->positions[i] = id;
      for (std::uint32_t p = 0; p < side * side; ++p) {
        const float right = p % side >= side / 2 ? labels[0] : 0.0f;
        const float below = p / side >= side / 2 ? labels[1] : 0.0f;
        *pixel++ = static_cast<float>(draws.uniform(static_cast<std::uint16_t>(p + 2)) - 0.5) +
                   right + below;
      }
    }
  }

  DrawnBatches::Config config_;
  std::shared_ptr<LabelledBatch> batch_;  // shared with the lease
  std::uint64_t next_batch_ = 0;
};

// Holds the scores of an evaluation against the labels, which it asks for by the samples' numbers.
class LabelScores final : public ScoreObserver {
 public:
  LabelScores(std::uint64_t seed, std::uint64_t num_samples)
      : seed_(seed),
        ranking_({.num_labels = kNumLabels, .max_samples = num_samples, .limit_bytes = 1u << 20}),
        counts_({.num_labels = kNumLabels}) {}

  void on_scores(const ScoredBatch& batch) override {
    std::vector<float> targets;
    for (const std::uint64_t id : batch.sample_ids) {
      const std::vector<float> labels = labels_of_sample(seed_, id);
      targets.insert(targets.end(), labels.begin(), labels.end());
    }
    const TargetScores scores{.scores = batch.logits,
                              .targets = targets,
                              .weights = batch.weights,
                              .sample_ids = batch.sample_ids};
    ranking_.add(scores);
    counts_.add(scores);
  }

  void print(std::uint32_t epoch) const {
    const RankingReport report = ranking_.report();
    std::printf("epoch %u: mean average precision %.4f, ROC AUC %.4f, all labels right %.3f\n",
                epoch, report.mean_average_precision.value_or(0), report.macro_roc_auc.value_or(0),
                counts_.exact_match());
  }

 private:
  std::uint64_t seed_;
  LabelRanking ranking_;
  LabelCounts counts_;
};

ModelGraph network() {
  ModelGraph graph("labels", {.channels = 1, .height = 8, .width = 8});
  NodeId x = graph.conv2d("conv", graph.input(), {.filters = 8});
  x = graph.relu("relu", x);
  x = graph.flatten("flatten", x);
  graph.set_output(graph.dense("head", x, {.units = kNumLabels}));
  return graph;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::uint32_t num_epochs = argc > 1 ? static_cast<std::uint32_t>(std::atoi(argv[1])) : 3;
  constexpr std::uint32_t kBatch = 16;
  constexpr std::uint64_t kSteps = 40;
  constexpr DrawnBatches::Config kHeldOut{.num_batches = 20, .seed = 2};
  const ModelGraph graph = network();
  const auto backend = make_backend("onednn");
  const OptimizerConfig optimizer = OptimizerConfig::of(OptimizerKind::kAdam);
  ProgramSet programs(*backend, graph,
                      {.train_batch = kBatch,
                       .evaluation_batch = kBatch,
                       .optimizer = optimizer,
                       .loss = {.kind = LossKind::kBinaryCrossEntropy},
                       .label_form = LabelForm::kTargets});
  programs.bind();
  initialize_params(programs.any_program(), graph, 1);

  const BatchSpec seen = backend->input_spec(graph, kBatch);
  BatchSpec learned = seen;
  learned.label_form = LabelForm::kTargets;
  learned.num_targets = kNumLabels;
  LabelledBatches batches(learned, {.num_batches = kSteps, .num_epochs = num_epochs});
  Trainer trainer(
      programs,
      {.optimizer = optimizer, .num_steps = kSteps * num_epochs, .steps_per_epoch = kSteps});
  for (std::uint32_t epoch = 0; epoch < num_epochs; ++epoch) {
    const PassReport report =
        trainer.train_epoch({.source = batches, .num_samples = kSteps * kBatch});
    std::printf("epoch %u: loss %.4f\n", epoch, report.totals.loss());
    LabelledBatches held_out(seen, kHeldOut);
    LabelScores scores(kHeldOut.seed, kHeldOut.num_batches * kBatch);
    evaluate_epoch(programs, {.source = held_out, .num_samples = kHeldOut.num_batches * kBatch},
                   &scores);
    scores.print(epoch);
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
