#include "tools/run_flags.h"

#include <algorithm>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/utf8.h"
#include "tools/command.h"
#include "tools/terminal.h"
#include "train/backend/backend.h"
#include "train/graph/model_zoo.h"
#include "train/run/run_file.h"

namespace penstock::tools {
namespace {

constexpr const char* kPresetKey = "augment.preset";

struct RunFlag {
  const char* flag;
  const char* key;
  const char* type;
  std::string description;
  const char* example;  // a value that is right
};

// "lenet, small_cnn, resnet18"
std::string known_models() {
  std::string names;
  for (const std::string_view name : train::model_names()) {
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return names;
}

const RunFlag kRunFlags[] = {
    {"--model", "model", "NAME|FILE", known_models() + ", or a .toml file of layers (small_cnn)",
     "resnet18"},
    {"--init-from", "init_from", "FILE|RUN",
     "Weights to begin with: safetensors with torchvision's names, or a run (drawn)",
     "resnet18.safetensors"},
    {"--freeze", "freeze", "PATTERNS",
     "Parameters that stay: names with * and ?, ! takes back, head is the classifier (none)",
     "'*,!head'"},
    {"--freeze-norm", "freeze_norm", "TRUTH",
     "Frozen batch norms keep their running statistics (true)", "false"},
    {"--image-size", "image_size", "PIXELS",
     "Network input, 96 or 160x224 (the smaller of the dataset's median sides, down to a multiple "
     "of 32, 32 to 96)",
     "96"},
    {"--color-mode", "color_mode", "NAME", "rgb, or grayscale: an input of one channel (rgb)",
     "grayscale"},
    {"--epochs", "epochs", "N", "Passes over the training split (30)", "30"},
    {"--steps-per-epoch", "steps_per_epoch", "N",
     "Steps of an epoch, in place of a pass; passes go on over the cuts (0: one pass)", "1000"},
    {"--validate-every-steps", "validate_every_steps", "N",
     "Validates within epochs, too (0: at their ends)", "500"},
    {"--validation-batch-size", "validation_batch_size", "N",
     "Samples per step of validation (0: as in training)", "128"},
    {"--batch-size", "batch_size", "N|all", "Samples per step, or all: those of an epoch (32)",
     "32"},
    {"--micro-batch", "micro_batch", "N",
     "Samples of a step that are computed at once (what fits into --memory)", "8"},
    {"--recompute", "recompute", "LEVEL",
     "Values computed twice to save memory: none, norms, blocks or auto (auto)", "blocks"},
    {"--memory", "memory", "SIZE", "Limit of all buffers, such as 256M (0.8 of what is available)",
     "256M"},
    {"--optimizer", "optimizer", "NAME", "sgd, adam, adamw, rmsprop or lamb (sgd)", "adamw"},
    {"--learning-rate", "learning_rate", "RATE",
     "Peak of the schedule (sgd 0.1, rmsprop 0.01, else 0.001)", "0.1"},
    {"--schedule", "schedule", "NAME",
     "one_cycle, constant, step, cosine, polynomial or exponential (one_cycle)", "cosine"},
    {"--warmup-epochs", "warmup_epochs", "EPOCHS", "Linear warm-up; one_cycle has its own (0)",
     "5"},
    {"--momentum", "momentum", "SHARE",
     "Of sgd, in Nesterov's form, and rmsprop (sgd 0.9, rmsprop 0)", "0.9"},
    {"--weight-decay", "weight_decay", "FACTOR",
     "Not on biases and norms (sgd 0.0005, adamw and lamb 0.01, else 0)", "0.0005"},
    {"--clip-norm", "clip_norm", "NORM", "Largest norm of all gradients together (0: none)", "1"},
    {"--ema-decay", "ema_decay", "SHARE",
     "Evaluates and stores means of the weights over the steps (0: none)", "0.999"},
    {"--early-stopping.patience", "early_stopping.patience", "EPOCHS",
     "Epochs without improvement that end the run (0: off)", "10"},
    {"--early-stopping.monitor", "early_stopping.monitor", "METRIC",
     "What has to improve (val_loss)", "val_accuracy"},
    {"--early-stopping.min-delta", "early_stopping.min_delta", "CHANGE",
     "Smallest improvement that counts (0)", "0.001"},
    {"--early-stopping.restore-best-weights", "early_stopping.restore_best_weights", "TRUTH",
     "Stores the best epoch's weights (true)", "true"},
    {"--reduce-on-plateau.factor", "reduce_on_plateau.factor", "FACTOR",
     "Of the rate when a metric stands (1: off)", "0.1"},
    {"--reduce-on-plateau.monitor", "reduce_on_plateau.monitor", "METRIC", "Which (val_loss)",
     "val_accuracy"},
    {"--reduce-on-plateau.patience", "reduce_on_plateau.patience", "EPOCHS",
     "Without improvement that are put up with (10)", "5"},
    {"--loss", "loss", "NAME", "cross_entropy or focal (cross_entropy)", "focal"},
    {"--focal-gamma", "focal_gamma", "EXPONENT", "Of focal: 0 is plain cross-entropy (2)", "2"},
    {"--focal-alpha", "focal_alpha", "NUMBERS", "Of focal: one for each class, or one (none)",
     "\"[0.25]\""},
    {"--class-weights", "class_weights", "NUMBERS",
     "One for each class, balanced by their frequency, or none (none)", "balanced"},
    {"--max-skipped-steps", "max_skipped_steps", "N",
     "Steps in a row that are not finite before the run ends (10)", "10"},
    {"--label-smoothing", "label_smoothing", "SHARE", "Target spread over all classes (0.1)",
     "0.1"},
    {"--order", "order", "NAME", "shuffle, windowed (for disks that seek) or sequential (shuffle)",
     "shuffle"},
    {"--window", "window", "SIZE", "Shard bytes that windowed shuffles within (256M)", "256M"},
    {"--seed", "seed", "N", "Order, augmentation, initial weights, dropout (0)", "0"},
    {"--threads", "threads", "N", "Compute threads (all cores)", "2"},
    {"--loader-threads", "loader_threads", "N",
     "Threads that read, decode and augment (a quarter of the cores, at least 2)", "2"},
    {"--cache", "cache", "FORM",
     "Samples kept in memory within the limit: none, encoded or decoded (none)", "encoded"},
    {"--backend", "backend", "NAME", train::backend_choice() + " (onednn)", "onednn"},
    {"--precision", "precision", "TYPE",
     "float32, or bfloat16: half the memory, and with AVX-512 or AMX less time (float32)",
     "bfloat16"},
    {"--device", "device", "NAME", "auto or cpu; this build has no cuda (auto)", "cpu"},
    {"--mean", "mean", "NUMBERS", "One for each channel, or dataset (dataset)",
     "\"[0.485, 0.456, 0.406]\""},
    {"--std", "std", "NUMBERS", "One for each channel, or dataset (dataset)",
     "\"[0.229, 0.224, 0.225]\""},
    {"--max-time", "max_time", "TIME",
     "Stores the run and ends before so long, such as 2h30m; a number is minutes (no limit)",
     "2h30m"},
    {"--checkpoint.every-steps", "checkpoint.every_steps", "N",
     "Stored after every N steps (0: never)", "1000"},
    {"--checkpoint.every-minutes", "checkpoint.every_minutes", "MINUTES",
     "Stored so long after the last one (10; 0: never)", "10"},
    {"--checkpoint.every-epoch", "checkpoint.every_epoch", "TRUTH",
     "Stored after every epoch (true)", "true"},
    {"--checkpoint.keep", "checkpoint.keep", "N", "Newest ones that stay, besides the best one (2)",
     "2"},
    {"--augment", kPresetKey, "PRESET",
     "none, keras_default, standard, imagenet or cifar (standard)", "standard"},
    {"--augment.horizontal-flip", "augment.horizontal_flip", "CHANCE",
     "Mirrored; true is 0.5 (0.5)", "0.5"},
    {"--augment.vertical-flip", "augment.vertical_flip", "CHANCE", "Upside down; true is 0.5 (0)",
     "0.5"},
    {"--augment.width-shift-range", "augment.width_shift_range", "SHARE", "Of the width (0.1)",
     "0.1"},
    {"--augment.height-shift-range", "augment.height_shift_range", "SHARE", "Of the height (0.1)",
     "0.1"},
    {"--augment.zoom-range", "augment.zoom_range", "RANGE", "0.1 or [0.9, 1.1] (0.1)", "0.1"},
    {"--augment.rotation-range", "augment.rotation_range", "DEGREES", "Turned to either side (0)",
     "20"},
    {"--augment.shear-range", "augment.shear_range", "DEGREES", "Leaning to either side (0)", "10"},
    {"--augment.random-resized-crop", "augment.random_resized_crop", "TRUTH",
     "A random window, stretched (false)", "true"},
    {"--augment.random-resized-crop-scale", "augment.random_resized_crop_scale", "RANGE",
     "Its share of the area ([0.08, 1])", "[0.08, 1]"},
    {"--augment.random-resized-crop-ratio", "augment.random_resized_crop_ratio", "RANGE",
     "Its width over its height ([0.75, 1.3333])", "[0.75, 1.3333]"},
    {"--augment.center-crop", "augment.center_crop", "SHARE",
     "Of the largest window of the network's ratio, in evaluation too (0: the whole picture)",
     "0.875"},
    {"--augment.random-crop-padding", "augment.random_crop_padding", "PIXELS",
     "Padded, and a random window taken (0)", "4"},
    {"--augment.channel-shift-range", "augment.channel_shift_range", "VALUE",
     "Added to all channels, up or down, 0 to 255 (0)", "20"},
    {"--augment.brightness-range", "augment.brightness_range", "RANGE", "0.2 or [0.8, 1.2] (0)",
     "0.2"},
    {"--augment.contrast-range", "augment.contrast_range", "RANGE", "0.2 or [0.8, 1.2] (0)", "0.2"},
    {"--augment.saturation-range", "augment.saturation_range", "RANGE", "0.2 or [0.8, 1.2] (0)",
     "0.2"},
    {"--augment.hue-range", "augment.hue_range", "TURNS", "Of the colour wheel, either way (0)",
     "0.05"},
    {"--augment.random-erasing", "augment.random_erasing", "CHANCE",
     "A random window overwritten; true is 0.5 (0)", "0.25"},
    {"--augment.random-erasing-scale", "augment.random_erasing_scale", "RANGE",
     "Its share of the area ([0.02, 0.33])", "[0.02, 0.33]"},
    {"--augment.random-erasing-ratio", "augment.random_erasing_ratio", "RANGE",
     "Its height over its width ([0.3, 3.3])", "[0.3, 3.3]"},
    {"--augment.random-erasing-value", "augment.random_erasing_value", "VALUE",
     "What it becomes, after normalisation (0)", "0"},
    {"--augment.auto-augment", "augment.auto_augment", "POLICY",
     "none, trivial_augment_wide or rand_augment (none)", "trivial_augment_wide"},
    {"--augment.rand-augment-ops", "augment.rand_augment_ops", "N",
     "Operations of rand_augment, 1 to 7 (2)", "2"},
    {"--augment.rand-augment-magnitude", "augment.rand_augment_magnitude", "N",
     "Their strength, 0 to 30 (9)", "9"},
    {"--augment.mixup", "augment.mixup", "ALPHA",
     "Samples of a batch blended with each other; 0.2 is usual (0: off)", "0.2"},
    {"--augment.cutmix", "augment.cutmix", "ALPHA",
     "Boxes swapped between samples of a batch; 1 is usual (0: off)", "1"},
    {"--augment.fill-mode", "augment.fill_mode", "MODE",
     "nearest, constant, reflect or wrap (nearest)", "nearest"},
    {"--augment.cval", "augment.cval", "VALUE", "Colour of fill mode constant, 0 to 255 (0)", "0"},
    {"--augment.rescale", "augment.rescale", "FACTOR",
     "From stored pixels to the units of mean and std (1/255)", "0.00392156862745098"},
    {"--augment.interpolation", "augment.interpolation", "METHOD",
     "nearest, bilinear, bilinear_antialias or bicubic (bilinear)", "bilinear_antialias"},
    {"--augment.decode-scaling", "augment.decode_scaling", "MODE", "auto or off (auto)", "auto"},
};

// Reads the value into a run of its own, so that nonsense is a usage error. What this build or this
// machine cannot do is said later, when the command runs.
void check_alone(const RunOverride& given, const std::string& example) {
  if (!is_utf8(given.text)) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "run: " + given.flag + ": expected text in UTF-8, found '" + printable(given.text) + "'",
        example);
  }
  train::RunConfig scratch;
  try {
    apply_overrides(scratch, {given});
    // Another flag or the run file may say so.
    if (std::max(scratch.mean.size(), scratch.std.size()) == 1) {
      scratch.color_mode = train::ColorMode::kGrayscale;
    }
    if (scratch.schedule.warmup_epochs > 0) {
      scratch.schedule.kind = train::ScheduleKind::kConstant;
    }
    scratch.validate();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument) return;
    // A hint of a run file is a line of it; a flag's is the flag.
    const bool is_near = error.hint().rfind("did you mean", 0) == 0;
    throw Error(error.code(), error.what(), is_near ? error.hint() : example);
  }
}

}  // namespace

void add_run_flags(CLI::App& command, std::vector<RunOverride>& overrides,
                   std::initializer_list<std::string_view> keys) {
  const auto is_wanted = [&](std::string_view key) {
    return keys.size() == 0 || std::ranges::any_of(keys, [&](std::string_view wanted) {
             return key == wanted || (wanted.ends_with('.') && key.starts_with(wanted));
           });
  };
  for (const RunFlag& flag : kRunFlags) {
    if (!is_wanted(flag.key)) continue;
    add_value(command, {flag.flag, flag.type, flag.description},
              [&overrides, &flag](const std::string& text) {
                overrides.push_back({flag.flag, flag.key, text});
                check_alone(overrides.back(), std::string(flag.flag) + " " + flag.example);
              });
  }
}

void apply_overrides(train::RunConfig& config, const std::vector<RunOverride>& overrides) {
  // What brings settings of its own comes before those.
  const auto brings = [](const RunOverride& given) {
    return given.key == kPresetKey || given.key == "optimizer" || given.key == "schedule";
  };
  for (const bool is_preset : {true, false}) {
    for (const RunOverride& given : overrides) {
      if (brings(given) != is_preset) continue;
      train::set_run_value(config, given.key, given.text, given.flag);
    }
  }
}

}  // namespace penstock::tools
