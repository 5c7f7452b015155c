// Training on mixed batches, from the run's settings to its first loss.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <optional>
#include <vector>

#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/convert_job.h"
#include "train/graph/model_graph.h"
#include "train/run/data/data_pipeline.h"
#include "train/run/inference/evaluation.h"
#include "train/run/network/run_model.h"
#include "train/run/run_resolve.h"
#include "train/run/session.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

using penstock::tests::contains;

struct Quiet final : convert::ConvertObserver {
  void notice(const std::string&) override {}
  void progress(const convert::ConvertProgress&) override {}
};

/// Keeps the figures after the first step.
struct FirstStep final : RunObserver {
  std::optional<PassReport> report;

  void on_start(const RunOverview&) override {}
  void on_train_step(const EpochReport& so_far) override {
    if (!report) report = so_far.train;
  }
  void on_validation_step(const EpochReport&, const PassReport&) override {}
  void on_epoch(const EpochReport&) override {}
  void on_skipped(const SkippedSample&) override {}
};

struct Fixture {
  penstock::tests::TemporaryFolder folder;
  RunConfig config;

  Fixture() {
    penstock::tests::write_cats_and_dogs(folder.path() / "pets", 20);
    Quiet quiet;
    convert::convert_folder({.source = folder.path() / "pets",
                             .dataset = folder.path() / "pets.ds",
                             .split = {.validation_fraction = 0.3, .test_fraction = {}, .seed = 0}},
                            quiet, {});
    config.dataset = folder.path() / "pets.ds";
    config.out = folder.path() / "run";
    config.model = "tiny";
    config.model_layers =
        "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
    config.image_height_px = config.image_width_px = 16;
    config.batch_size = 8;
    config.epochs = 2;
    config.label_smoothing = 0.2;
    config.seed = 4;
    config.threads = 1;
    config.backend = "reference";
    config.memory_bytes = 128u << 20;
    config.augment.mixup = 1;
  }

  /// What a session streams, for a backend of planes side by side.
  PipelineConfig pipeline() const {
    return {
        .batch = {.batch = config.batch_size,
                  .height_px = 16,
                  .width_px = 16,
                  .layout = PixelLayout::kNchw},
        .augment = augment_of(resolve_run(config, Dataset::open(config.dataset).manifest()).config),
        .seed = config.seed,
        .cores = {}};
  }
};

/// Loss and hits of a batch under the run's initial weights, by hand in double: a dense layer over the
/// pixels, softmax, cross-entropy with targets t 0.8 + 0.2 / 2.
struct ByHand {
  double loss = 0;
  std::uint32_t num_correct = 0;

  ByHand(const BatchView& batch, const ModelGraph& graph, std::uint64_t seed) {
    const std::vector<float> weights = initial_value(graph, 0, seed);  // biases are 0
    const std::size_t num_values = batch.spec->sample_bytes() / sizeof(float);
    for (std::uint32_t n = 0; n < batch.num_valid; ++n) {
      double z[2] = {0, 0};
      for (std::size_t k = 0; k < 2; ++k) {
        for (std::size_t i = 0; i < num_values; ++i) {
          z[k] += static_cast<double>(weights[k * num_values + i]) *
                  static_cast<double>(batch.pixels_f32()[n * num_values + i]);
        }
      }
      const double log_sum = std::log(std::exp(z[0]) + std::exp(z[1]));
      for (std::size_t k = 0; k < 2; ++k) {
        const double target = static_cast<double>(batch.targets[n * 2 + k]);
        loss -= (0.8 * target + 0.1) * (z[k] - log_sum) / batch.num_valid;
      }
      const bool is_second = batch.targets[n * 2 + 1] > batch.targets[n * 2];
      num_correct += (z[1] > z[0]) == is_second ? 1 : 0;
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(mixed_run, Fixture)

BOOST_AUTO_TEST_CASE(the_first_loss_of_a_run_is_that_of_the_mixed_batch_by_hand) {
  for (const bool is_cutmix : {false, true}) {
    config.augment.mixup = is_cutmix ? 0 : 1;
    config.augment.cutmix = is_cutmix ? 1 : 0;
    config.out = folder.path() / (is_cutmix ? "cutmix" : "mixup");
    FirstStep first;
    const RunOutcome outcome = train_run(config, first, {});
    BOOST_REQUIRE(outcome.last.has_value());
    BOOST_TEST(outcome.num_epochs == 2u);
    BOOST_TEST(outcome.last->validation.has_value());

    MemoryBudget budget(64u << 20);
    const auto loader = make_loader(Dataset::open(config.dataset).split("train"), pipeline(),
                                    PipelineUse::kTrain, budget);
    const BatchLease batch = loader->next();
    const auto is_soft = [](float target) { return target > 0.01f && target < 0.99f; };
    BOOST_REQUIRE(std::ranges::any_of(batch->targets, is_soft));
    const ByHand expected(batch.view(), build_run_model(config, 3, 2), config.seed);
    BOOST_REQUIRE(first.report.has_value());
    BOOST_TEST(first.report->totals.num_counted == 8u);
    BOOST_TEST(first.report->totals.loss() == expected.loss, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(first.report->totals.num_correct == expected.num_correct);
  }
}

BOOST_AUTO_TEST_CASE(evaluation_is_not_mixed) {
  FirstStep first;
  const RunOutcome outcome = train_run(config, first, {});
  const ModelRecord record = load_model(config.out).record;
  BOOST_TEST(contains(record.identity, "batch_transform=mix\n"));
  BOOST_TEST(contains(record.identity, "augment.mixup=1\n"));

  const Dataset dataset = Dataset::open(config.dataset);
  const DatasetSplit split = dataset.split("validation");
  PipelineConfig mixed = pipeline();
  PipelineConfig plain = mixed;
  plain.augment.mixup = 0;
  BOOST_TEST(pipeline_identity(split, mixed, PipelineUse::kEvaluate) ==
             pipeline_identity(split, plain, PipelineUse::kEvaluate));
  MemoryBudget budget(64u << 20);
  const auto loader = make_loader(split, mixed, PipelineUse::kEvaluate, budget);
  BOOST_TEST(loader->next()->targets.empty());

  const EvaluationReport report = evaluate_run(
      {.run = config.out,
       .dataset = {},
       .split = "validation",
       .inference = {.backend = "reference", .threads = 1, .memory_bytes = 128u << 20}},
      nullptr, {});
  BOOST_TEST(report.pass.totals.loss() == outcome.last->validation->totals.loss(),
             boost::test_tools::tolerance(1e-5));
}

// By hand: 4 slots of 8 samples of 2 floats.
BOOST_AUTO_TEST_CASE(the_targets_are_in_the_plan_of_the_training_loader) {
  const DatasetSplit split = Dataset::open(config.dataset).split("train");
  PipelineConfig mixed = pipeline();
  PipelineConfig plain = mixed;
  plain.augment.mixup = 0;
  const MemoryRoom room{.limit_bytes = 64u << 20, .left_bytes = 64u << 20};
  const auto ring_bytes = [&](const PipelineConfig& pipeline) {
    return plan_loader(split, pipeline, PipelineUse::kTrain, room).memory.ring_bytes;
  };
  BOOST_TEST(ring_bytes(mixed) == ring_bytes(plain) + 4u * 8 * 2 * 4);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
