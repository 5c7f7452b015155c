#include "train/run/settings/run_identity.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/run/tiny_run.h"

namespace penstock::train {
namespace {

using tests::kTinyNet;
using tests::TinyRun;

struct Identified {
  TinyRun& fixture;
  std::uint64_t of(const std::function<void(RunConfig&)>& change) const {
    std::uint64_t hash = 0;
    fixture.watcher.at_start = [&](const RunOverview& overview) {
      hash = overview.identity_hash;
      throw Error(ErrorCode::kStopped, "that is all");
    };
    RunConfig config = fixture.config();
    change(config);
    const Error error = fixture.failure_of(config);
    BOOST_REQUIRE_MESSAGE(hash != 0, error.what());
    return hash;
  }
};

BOOST_FIXTURE_TEST_SUITE(run_identity, TinyRun)

// Every setting of run_config.h that decides bytes; then those that must not.
BOOST_AUTO_TEST_CASE(what_decides_the_weights_is_in_the_identity_and_nothing_else) {
  const Identified identity{*this};
  const std::uint64_t base = identity.of([](RunConfig&) {});
  using Change = std::pair<const char*, std::function<void(RunConfig&)>>;
  const std::vector<Change> decisive = {
      {"layers",
       [](RunConfig& c) {
         c.model_layers = "[[layer]]\ntype = \"relu\"\n" + std::string(kTinyNet);
       }},
      {"height", [](RunConfig& c) { c.image_height_px = 24; }},
      {"width", [](RunConfig& c) { c.image_width_px = 24; }},
      {"epochs", [](RunConfig& c) { c.epochs = 4; }},
      {"batch_size", [](RunConfig& c) { c.batch_size = 9; }},
      {"drop_remainder", [](RunConfig& c) { c.drop_remainder = true; }},
      {"learning_rate", [](RunConfig& c) { c.optimizer.learning_rate = 0.2; }},
      {"momentum", [](RunConfig& c) { c.optimizer.momentum = 0.8; }},
      {"nesterov", [](RunConfig& c) { c.optimizer.nesterov = false; }},
      {"weight_decay", [](RunConfig& c) { c.optimizer.weight_decay = 0.1; }},
      {"optimizer", [](RunConfig& c) { c.optimizer.kind = OptimizerKind::kRmsprop; }},
      {"clip_norm", [](RunConfig& c) { c.optimizer.clip_norm = 1; }},
      {"schedule", [](RunConfig& c) { c.schedule.kind = ScheduleKind::kConstant; }},
      {"warmup_fraction", [](RunConfig& c) { c.schedule.warmup_fraction = 0.25; }},
      {"div_factor", [](RunConfig& c) { c.schedule.div_factor = 20; }},
      {"final_div_factor", [](RunConfig& c) { c.schedule.final_div_factor = 20; }},
      {"loss", [](RunConfig& c) { c.loss = LossKind::kSoftmaxFocal; }},
      {"focal_gamma", [](RunConfig& c) { c.loss = LossKind::kSoftmaxFocal, c.focal_gamma = 3; }},
      {"focal_alpha",
       [](RunConfig& c) { c.loss = LossKind::kSoftmaxFocal, c.focal_alpha = {0.25}; }},
      {"class_weights",
       [](RunConfig& c) {
         c.class_weights = {1, 2};
       }},
      {"loss_weights",
       [this](RunConfig& c) {
         c.loss_weights = folder.path() / "weights.csv";
         publish_file(c.loss_weights,
                      Dataset::open(tests::pets()).split("train").read_name(0) + ",0.5\n");
       }},
      {"balanced", [](RunConfig& c) { c.balances_classes = true; }},
      {"ema_decay", [](RunConfig& c) { c.optimizer.ema_decay = 0.9; }},
      {"early_stopping", [](RunConfig& c) { c.early_stopping.patience = 2; }},
      {"restore_best_weights",
       [](RunConfig& c) { c.early_stopping.patience = 2, c.restore_best_weights = false; }},
      {"reduce_on_plateau", [](RunConfig& c) { c.reduce_on_plateau.factor = 0.5; }},
      {"reduce_on_plateau.delta_mode",
       [](RunConfig& c) {
         c.reduce_on_plateau.factor = 0.5;
         c.reduce_on_plateau.delta_mode = DeltaMode::kAbsolute;
       }},
      {"steps_per_epoch", [](RunConfig& c) { c.steps_per_epoch = 4; }},
      {"max_skipped_steps", [](RunConfig& c) { c.nan_guard.max_in_a_row = 3; }},
      {"label_smoothing", [](RunConfig& c) { c.label_smoothing = 0.2; }},
      {"order", [](RunConfig& c) { c.order = SampleOrder::kSequential; }},
      {"windowed", [](RunConfig& c) { c.order = SampleOrder::kWindowed; }},
      {"window", [](RunConfig& c) { c.order = SampleOrder::kWindowed, c.window_bytes = 1u << 20; }},
      {"seed", [](RunConfig& c) { c.seed = 1; }},
      {"threads", [](RunConfig& c) { c.threads = 2; }},  // sums are split by it
      {"backend", [](RunConfig& c) { c.backend = "reference"; }},
      {"precision", [](RunConfig& c) { c.precision = ComputeType::kBfloat16; }},
      {"flip", [](RunConfig& c) { c.augment.horizontal_flip = 0.25; }},
      {"width_shift", [](RunConfig& c) { c.augment.width_shift_range = 0.2; }},
      {"height_shift", [](RunConfig& c) { c.augment.height_shift_range = 0.2; }},
      {"zoom.lo", [](RunConfig& c) { c.augment.zoom_range.lo = 0.8; }},
      {"zoom.hi", [](RunConfig& c) { c.augment.zoom_range.hi = 1.2; }},
      {"random_resized_crop", [](RunConfig& c) { c.augment.random_resized_crop = true; }},
      {"random_crop", [](RunConfig& c) { c.augment.random_crop_padding = 4; }},
      {"vertical_flip", [](RunConfig& c) { c.augment.vertical_flip = 0.5; }},
      {"rotation", [](RunConfig& c) { c.augment.rotation_range = 5; }},
      {"shear", [](RunConfig& c) { c.augment.shear_range = 5; }},
      {"center_crop", [](RunConfig& c) { c.augment.center_crop = 0.875; }},
      {"channel_shift", [](RunConfig& c) { c.augment.channel_shift_range = 9; }},
      {"brightness", [](RunConfig& c) { c.augment.brightness_range.hi = 1.2; }},
      {"contrast", [](RunConfig& c) { c.augment.contrast_range.hi = 1.2; }},
      {"saturation", [](RunConfig& c) { c.augment.saturation_range.hi = 1.2; }},
      {"hue", [](RunConfig& c) { c.augment.hue_range = 0.1; }},
      {"random_erasing", [](RunConfig& c) { c.augment.random_erasing = 0.25; }},
      {"auto_augment",
       [](RunConfig& c) { c.augment.auto_augment = augment::AutoAugment::kTrivialAugmentWide; }},
      {"rand_augment",
       [](RunConfig& c) { c.augment.auto_augment = augment::AutoAugment::kRandAugment; }},
      {"rand_augment_ops",
       [](RunConfig& c) {
         c.augment.auto_augment = augment::AutoAugment::kRandAugment,
         c.augment.rand_augment_ops = 3;
       }},
      {"rand_augment_magnitude",
       [](RunConfig& c) {
         c.augment.auto_augment = augment::AutoAugment::kRandAugment;
         c.augment.rand_augment_magnitude = 10;
       }},
      {"erasing scale",
       [](RunConfig& c) {
         c.augment.random_erasing = 0.25, c.augment.random_erasing_scale.lo = 0.1;
       }},
      {"erasing ratio",
       [](RunConfig& c) {
         c.augment.random_erasing = 0.25, c.augment.random_erasing_ratio.hi = 3;
       }},
      {"erasing value",
       [](RunConfig& c) { c.augment.random_erasing = 0.25, c.augment.random_erasing_value = 1; }},
      {"crop scale",
       [](RunConfig& c) {
         c.augment.random_resized_crop = true, c.augment.random_resized_crop_scale.lo = 0.5;
       }},
      {"crop ratio",
       [](RunConfig& c) {
         c.augment.random_resized_crop = true, c.augment.random_resized_crop_ratio.hi = 1.5;
       }},
      {"freeze", [](RunConfig& c) { c.freeze = {"*.bias"}; }},
      {"group", [](RunConfig& c) { c.param_groups = {{.pattern = "*.bias"}}; }},
      {"rate of a group",
       [](RunConfig& c) { c.param_groups = {{.pattern = "*.bias", .learning_rate_scale = 0.5}}; }},
      {"decay of a group",
       [](RunConfig& c) { c.param_groups = {{.pattern = "*.bias", .weight_decay = 0.5}}; }},
      {"epoch of a group",
       [](RunConfig& c) { c.param_groups = {{.pattern = "*.bias", .first_trainable_epoch = 1}}; }},
      {"freeze_norm", [](RunConfig& c) { c.freeze = {"*.bias"}, c.freeze_norm = false; }},
      {"mixup", [](RunConfig& c) { c.augment.mixup = 0.2; }},
      {"cutmix", [](RunConfig& c) { c.augment.cutmix = 1; }},
      {"cval",
       [](RunConfig& c) {
         c.augment.fill_mode = augment::FillMode::kConstant, c.augment.cval = 9;
       }},
      {"color_mode", [](RunConfig& c) { c.color_mode = ColorMode::kGrayscale; }},
      {"rescale",
       [](RunConfig& c) {
         c.mean = {0.1, 0.2, 0.3}, c.std = {1, 1, 1}, c.augment.rescale = 1;
       }},
      {"fill_mode", [](RunConfig& c) { c.augment.fill_mode = augment::FillMode::kConstant; }},
      {"interpolation",
       [](RunConfig& c) { c.augment.interpolation = augment::Interpolation::kBicubic; }},
      {"decode_scaling",
       [](RunConfig& c) { c.augment.decode_scaling = augment::parse_decode_scaling("off"); }},
      {"mean",
       [](RunConfig& c) {
         c.mean = {0.1, 0.2, 0.3}, c.std = {1, 1, 1};
       }},
      {"std",
       [](RunConfig& c) {
         c.mean = {0.1, 0.2, 0.3}, c.std = {1, 1, 2};
       }},
  };
  std::set<std::uint64_t> seen = {base};
  for (const auto& [name, change] : decisive) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(seen.insert(identity.of(change)).second);
    }
  }
  const std::vector<Change> others = {
      {"loader_threads", [](RunConfig& c) { c.loader_threads = 5; }},
      {"memory", [](RunConfig& c) { c.memory_bytes = 100u << 20; }},
      {"cache", [](RunConfig& c) { c.cache = CacheForm::kDecoded; }},
      {"validate_every_steps", [](RunConfig& c) { c.validate_every_steps = 4; }},
      {"validation_batch_size", [](RunConfig& c) { c.validation_batch_size = 4; }},
      {"out", [](RunConfig& c) { c.out += "2"; }},
      {"device", [](RunConfig& c) { c.device = "cpu"; }},
  };
  for (const auto& [name, change] : others) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(identity.of(change) == base);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
