#include "train/run/settings/run_keys.h"

#include <algorithm>
#include <array>
#include <vector>

#include "train/run/settings/member_keys.h"
#include "train/run/settings/special_keys.h"

namespace penstock::train {
namespace {

using augment::AugmentConfig;

constexpr std::array kKeys{
    field<&RunConfig::dataset>("dataset", "\"flowers.ds\""),
    field<&RunConfig::out>("out", "\"runs/first\""),
    RunKey{"model", KeyKind::kText, read_model, write_model, "\"small_cnn\""},
    field<&RunConfig::init_from>("init_from", "\"resnet18.safetensors\""),
    field<&RunConfig::freeze>("freeze", "[\"*\", \"!head\"]"),
    field<&RunConfig::freeze_norm>("freeze_norm"),
    RunKey{"image_size", KeyKind::kText, read_image_size, write_image_size, "96"},
    field<&RunConfig::color_mode>("color_mode"),
    field<&RunConfig::epochs>("epochs"),
    field<&RunConfig::steps_per_epoch>("steps_per_epoch"),
    RunKey{"batch_size", KeyKind::kText, read_batch_size, write_batch_size, "32"},
    field<&RunConfig::drop_remainder>("drop_remainder"),
    RunKey{"micro_batch", KeyKind::kWhole, read_micro_batch, write_micro_batch, "8"},
    RunKey{"recompute", KeyKind::kText, read_recompute, write_recompute, "\"blocks\""},
    RunKey{"auto_batch", KeyKind::kTruth, read_auto_batch, write_auto_batch, "false"},
    field<&RunConfig::validate_every_steps>("validate_every_steps"),
    field<&RunConfig::validation_batch_size>("validation_batch_size"),
    // Before the fields that it sets.
    RunKey{"optimizer", KeyKind::kText, read_optimizer, write_optimizer},
    field<&RunConfig::optimizer, &OptimizerConfig::learning_rate>("learning_rate"),
    field<&RunConfig::optimizer, &OptimizerConfig::momentum>("momentum"),
    field<&RunConfig::optimizer, &OptimizerConfig::nesterov>("nesterov"),
    field<&RunConfig::optimizer, &OptimizerConfig::weight_decay>("weight_decay"),
    field<&RunConfig::optimizer, &OptimizerConfig::beta1>("beta1"),
    field<&RunConfig::optimizer, &OptimizerConfig::beta2>("beta2"),
    field<&RunConfig::optimizer, &OptimizerConfig::alpha>("alpha"),
    field<&RunConfig::optimizer, &OptimizerConfig::epsilon>("epsilon"),
    field<&RunConfig::optimizer, &OptimizerConfig::l1>("l1"),
    field<&RunConfig::optimizer, &OptimizerConfig::decays_norm_and_bias>("decays_norm_and_bias"),
    field<&RunConfig::optimizer, &OptimizerConfig::clip_norm>("clip_norm"),
    field<&RunConfig::optimizer, &OptimizerConfig::clip_value>("clip_value"),
    field<&RunConfig::optimizer, &OptimizerConfig::ema_decay>("ema_decay"),
    field<&RunConfig::optimizer, &OptimizerConfig::ema_warmup>("ema_warmup"),
    // The same.
    RunKey{"schedule", KeyKind::kText, read_schedule, write_schedule},
    field<&RunConfig::schedule, &ScheduleConfig::warmup_fraction>("warmup_fraction"),
    field<&RunConfig::schedule, &ScheduleConfig::div_factor>("div_factor"),
    field<&RunConfig::schedule, &ScheduleConfig::final_div_factor>("final_div_factor"),
    field<&RunConfig::schedule, &ScheduleConfig::milestone_epochs>("milestone_epochs",
                                                                   "[30, 60, 80]"),
    field<&RunConfig::schedule, &ScheduleConfig::step_epochs>("step_epochs"),
    field<&RunConfig::schedule, &ScheduleConfig::gamma>("gamma"),
    field<&RunConfig::schedule, &ScheduleConfig::end_learning_rate>("end_learning_rate"),
    field<&RunConfig::schedule, &ScheduleConfig::power>("power"),
    field<&RunConfig::schedule, &ScheduleConfig::warmup_steps>("warmup_steps"),
    field<&RunConfig::schedule, &ScheduleConfig::warmup_epochs>("warmup_epochs"),
    field<&RunConfig::schedule, &ScheduleConfig::warmup_start_factor>("warmup_start_factor"),
    field<&RunConfig::loss>("loss"),
    field<&RunConfig::label_smoothing>("label_smoothing"),
    field<&RunConfig::focal_gamma>("focal_gamma"),
    field<&RunConfig::focal_alpha>("focal_alpha", "[0.25]"),
    RunKey{"class_weights", KeyKind::kNumbers, read_class_weights, write_class_weights},
    field<&RunConfig::loss_weights>("loss_weights", "\"weights.csv\""),
    field<&RunConfig::nan_guard, &NanGuardConfig::max_in_a_row>("max_skipped_steps"),
    field<&RunConfig::order>("order", "\"shuffle\""),
    RunKey{"window", KeyKind::kText, read_window, write_window, "\"256M\""},
    field<&RunConfig::seed>("seed"),
    RunKey{"memory", KeyKind::kText, read_memory, write_memory, "\"256M\""},
    field<&RunConfig::threads>("threads"),
    field<&RunConfig::loader_threads>("loader_threads"),
    field<&RunConfig::cache>("cache"),
    field<&RunConfig::backend>("backend"),
    field<&RunConfig::precision>("precision"),
    field<&RunConfig::device>("device"),
    RunKey{"memory_gpu", KeyKind::kText, read_memory_gpu, write_memory_gpu, "\"8G\""},
    field<&RunConfig::deterministic>("deterministic"),
    field<&RunConfig::batch_element>("batch_element"),
    field<&RunConfig::augment_on>("augment_on"),
    statistic<&RunConfig::mean>("mean"),
    statistic<&RunConfig::std>("std"),
    RunKey{"max_time", KeyKind::kText, read_max_time, write_max_time, "\"2h30m\""},
    field<&RunConfig::checkpoint, &CheckpointTimes::every_steps>("checkpoint.every_steps"),
    field<&RunConfig::checkpoint, &CheckpointTimes::every_minutes>("checkpoint.every_minutes"),
    field<&RunConfig::checkpoint, &CheckpointTimes::every_epoch>("checkpoint.every_epoch"),
    field<&RunConfig::num_checkpoints_kept>("checkpoint.keep"),
    // Before the fields that it sets.
    RunKey{"augment.preset", KeyKind::kText, read_preset, write_nothing, "\"standard\""},
    chance<&AugmentConfig::horizontal_flip>("augment.horizontal_flip"),
    chance<&AugmentConfig::vertical_flip>("augment.vertical_flip"),
    field<&RunConfig::augment, &AugmentConfig::width_shift_range>("augment.width_shift_range"),
    field<&RunConfig::augment, &AugmentConfig::height_shift_range>("augment.height_shift_range"),
    field<&RunConfig::augment, &AugmentConfig::zoom_range>("augment.zoom_range"),
    field<&RunConfig::augment, &AugmentConfig::rotation_range>("augment.rotation_range"),
    field<&RunConfig::augment, &AugmentConfig::shear_range>("augment.shear_range"),
    field<&RunConfig::augment, &AugmentConfig::random_resized_crop>("augment.random_resized_crop"),
    bounds<&AugmentConfig::random_resized_crop_scale>("augment.random_resized_crop_scale",
                                                      "[0.08, 1]"),
    bounds<&AugmentConfig::random_resized_crop_ratio>("augment.random_resized_crop_ratio",
                                                      "[0.75, 1.3333333333333333]"),
    field<&RunConfig::augment, &AugmentConfig::center_crop>("augment.center_crop"),
    count<&AugmentConfig::random_crop_padding, 0, AugmentConfig::kMaxShiftPx>(
        "augment.random_crop_padding"),
    field<&RunConfig::augment, &AugmentConfig::channel_shift_range>("augment.channel_shift_range"),
    field<&RunConfig::augment, &AugmentConfig::brightness_range>("augment.brightness_range"),
    field<&RunConfig::augment, &AugmentConfig::contrast_range>("augment.contrast_range"),
    field<&RunConfig::augment, &AugmentConfig::saturation_range>("augment.saturation_range"),
    field<&RunConfig::augment, &AugmentConfig::hue_range>("augment.hue_range"),
    chance<&AugmentConfig::random_erasing>("augment.random_erasing"),
    bounds<&AugmentConfig::random_erasing_scale>("augment.random_erasing_scale", "[0.02, 0.33]"),
    bounds<&AugmentConfig::random_erasing_ratio>("augment.random_erasing_ratio", "[0.3, 3.3]"),
    field<&RunConfig::augment, &AugmentConfig::random_erasing_value>(
        "augment.random_erasing_value"),
    field<&RunConfig::augment, &AugmentConfig::auto_augment>("augment.auto_augment"),
    count<&AugmentConfig::rand_augment_ops, 1, AugmentConfig::kMaxRandAugmentOps>(
        "augment.rand_augment_ops"),
    count<&AugmentConfig::rand_augment_magnitude, 0, AugmentConfig::kMaxRandAugmentMagnitude>(
        "augment.rand_augment_magnitude"),
    field<&RunConfig::augment, &AugmentConfig::mixup>("augment.mixup"),
    field<&RunConfig::augment, &AugmentConfig::cutmix>("augment.cutmix"),
    field<&RunConfig::augment, &AugmentConfig::fill_mode>("augment.fill_mode"),
    field<&RunConfig::augment, &AugmentConfig::cval>("augment.cval"),
    field<&RunConfig::augment, &AugmentConfig::rescale>("augment.rescale"),
    field<&RunConfig::augment, &AugmentConfig::interpolation>("augment.interpolation"),
    field<&RunConfig::augment, &AugmentConfig::decode_scaling>("augment.decode_scaling"),
    field<&RunConfig::early_stopping, &EarlyStoppingConfig::monitor>("early_stopping.monitor"),
    field<&RunConfig::early_stopping, &EarlyStoppingConfig::patience>("early_stopping.patience",
                                                                      "10"),
    field<&RunConfig::early_stopping, &EarlyStoppingConfig::min_delta>("early_stopping.min_delta"),
    field<&RunConfig::restore_best_weights>("early_stopping.restore_best_weights"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::monitor>("reduce_on_plateau.monitor"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::factor>("reduce_on_plateau.factor", "0.1"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::patience>("reduce_on_plateau.patience"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::min_delta>("reduce_on_plateau.min_delta"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::delta_mode>(
        "reduce_on_plateau.delta_mode"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::cooldown>("reduce_on_plateau.cooldown"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::min_learning_rate>(
        "reduce_on_plateau.min_learning_rate"),
};

}  // namespace

std::span<const RunKey> run_keys() {
  return kKeys;
}

std::span<const std::string_view> run_tables() {
  static const std::vector<std::string_view> tables = [] {
    std::vector<std::string_view> names;
    for (const RunKey& key : kKeys) {
      if (std::ranges::find(names, key.table()) == names.end()) names.push_back(key.table());
    }
    return names;
  }();
  return tables;
}

const RunKey* find_run_key(std::string_view name) {
  const auto found = std::ranges::find(kKeys, name, &RunKey::name);
  return found == kKeys.end() ? nullptr : &*found;
}

}  // namespace penstock::train
