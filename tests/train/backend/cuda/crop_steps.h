// Steps of a small network from a dataset on disk, its pixels made by the device from crops, or before by the CPU.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "augment/batch_mix.h"
#include "augment/crop_transform.h"
#include "streamer/pipeline/loader.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"
#include "tests/train/backend/training_bench.h"

namespace penstock::train::cuda {

using augment::AugmentConfig;

inline constexpr std::uint32_t kBatch = 6;
inline constexpr std::uint32_t kNumSteps = 4;
/// 328 of the record, and 4 x 12 x 16 x 3: some of the pictures' crops fit, others do not.
inline constexpr std::uint32_t kCropBytes = 2688;
/// All fit: 64 x 64 x 3.
inline constexpr std::uint32_t kLargeCropBytes = 12672;

inline ModelGraph small_model() {
  ModelGraph graph("small", {3, 12, 16});
  NodeId x = graph.conv2d("stem", graph.input(), {.filters = 8});
  x = graph.activation("silu", graph.batch_norm("norm", x), ActivationKind::kSilu);
  graph.set_output(graph.dense("head", graph.global_avg_pool("pool", x), {.units = 2}));
  return graph;
}

/// All that a record says, but for contrast, whose last bits differ.
inline AugmentConfig moving_config() {
  AugmentConfig config = AugmentConfig::preset("imagenet");
  config.rotation_range = 25;
  config.fill_mode = augment::FillMode::kReflect;
  config.brightness_range = {.lo = 0.5, .hi = 1.5};
  config.saturation_range = {.lo = 0.5, .hi = 1.5};
  config.random_erasing = 0.5;
  config.mean = {0.45, 0.4, 0.35};
  config.std = {0.2, 0.3, 0.25};
  config.mixup = 0.4;
  config.cutmix = 1;
  return config;
}

struct Fed {
  std::uint32_t crop_bytes = 0;  // 0: by the CPU's transform
  std::uint32_t micro_batch = kBatch;
  ComputeType compute = ComputeType::kFloat32;
  AugmentConfig config = moving_config();
};

/// A dataset and a fresh run of steps from it.
struct CropSteps {
  tests::TemporaryFolder folder;
  DatasetSplit split = small_split();

  DatasetSplit small_split() const {
    std::vector<tests::SmallSample> samples;
    for (std::uint32_t i = 0; i < kBatch * kNumSteps; ++i) {
      const std::uint32_t more_px = 44 * (i % 2);
      samples.push_back(tests::raw_sample(20 + more_px, 18 + more_px, i));
      samples.back().record.class_idx = i % 3 == 0 ? 1 : 0;
    }
    samples[5] = tests::jpeg_sample(40, 30, 5);
    samples[5].encoded.assign(samples[5].encoded.size(), std::byte{0});  // its place is zero
    return tests::write_small_dataset(folder.path() / "d", samples).split("train");
  }

  Loader loader(BatchSpec spec, MemoryBudget& budget, const AugmentConfig& config) const {
    spec.label_form = LabelForm::kTargets;
    spec.num_targets = 2;
    std::shared_ptr<const SampleTransform> transform;
    if (spec.crop_bytes > 0) {
      transform = std::make_shared<augment::CropTransform>(config);
    } else {
      transform = std::make_shared<augment::AugmentTransform>(config);
    }
    return Loader(split,
                  {.batch = spec,
                   .batch_transform = augment::make_batch_mix(config),
                   .seed = 6,
                   .max_bad_fraction = 0.5},
                  transform, budget);
  }

  /// All parameters, statistics and logits after some steps. The backend is made with fed.crop_bytes.
  std::vector<std::vector<float>> outcome_of(std::unique_ptr<Backend> made, const Fed& fed) const {
    const ModelGraph graph = small_model();
    Bench bench(std::move(made), graph,
                {{.batch = fed.micro_batch,
                  .lease_batch = kBatch,
                  .compute = fed.compute,
                  .label_form = LabelForm::kTargets,
                  .accumulates = fed.micro_batch < kBatch}});
    Backend& backend = bench.backend();
    MemoryBudget budget(64u << 20);
    Loader batches = loader(backend.input_spec(graph, kBatch), budget, fed.config);
    for (std::uint32_t step = 0; step < kNumSteps; ++step) {
      backend.upload(batches.next(), 0);
      for (std::uint32_t first = 0; first < kBatch; first += fed.micro_batch) {
        backend.set_scalars({.learning_rate = 0.05,
                             .inv_weight_sum = 1.0f / kBatch,
                             .first_sample = first,
                             .step = step,
                             .seed = 9},
                            0);
        bench.program().run(Phase::kForward, 0);
        bench.program().run(first == 0 ? Phase::kBackward : Phase::kBackwardAdd, 0);
      }
      bench.program().run(Phase::kUpdate, 0);
      backend.release(0);
    }
    std::vector<std::vector<float>> outcome;
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) outcome.push_back(bench.read(i));
    outcome.push_back(bench.logits());
    return outcome;
  }
};

}  // namespace penstock::train::cuda
