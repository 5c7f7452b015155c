// Everything that a training run is told. A run file, the flags of `penstock train` and this struct
// use the same words.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "augment/augment_config.h"
#include "streamer/pipeline/loader.h"
#include "train/backend/compute_type.h"
#include "train/loss/loss_spec.h"
#include "train/optim/early_stopping.h"
#include "train/optim/nan_guard.h"
#include "train/optim/optimizer_config.h"
#include "train/optim/param_groups.h"
#include "train/optim/reduce_on_plateau.h"
#include "train/optim/schedule.h"
#include "train/plan/recompute_sets.h"
#include "train/run/settings/color_mode.h"
#include "train/store/checkpoint_clock.h"

namespace penstock::train {

/// RunConfig::batch_size of steps that take a whole epoch: "all".
inline constexpr std::uint32_t kWholeEpoch = 0;

struct RunConfig {
  /// Folder of the dataset.
  std::filesystem::path dataset;
  /// Folder for the run's files; must not exist.
  std::filesystem::path out;
  /// Name of a known model, or of the one that `model_layers` describes. Empty for `small_cnn` up to 96 pixels,
  /// `resnet18` above.
  std::string model;
  /// TOML text of `[[layer]]` tables; empty for a model by name.
  std::string model_layers;
  /// Weights to begin with (train/loop/initial_weights.h): a safetensors file, or the folder of a run. Empty
  /// for drawn ones.
  std::filesystem::path init_from;
  /// Parameters that stay as they are: patterns on their names ("layer1.*", "head"); one with "!" before it takes
  /// names back (learning_plan.h).
  std::vector<std::string> freeze;
  /// Batch norms whose scale and shift are frozen take their running statistics in training, too, and leave
  /// them as they are (Keras's way; false is PyTorch's).
  bool freeze_norm = true;
  /// Parameters that learn at another rate, with other decay or from a later epoch on.
  std::vector<ParamGroup> param_groups;
  /// The network's input; 0 for the smaller of the dataset's median width and height,
  /// rounded down to a multiple of 32, 32 to 224.
  std::uint32_t image_height_px = 0;
  std::uint32_t image_width_px = 0;
  /// Channels of the network's input.
  ColorMode color_mode = ColorMode::kRgb;
  /// Passes over the training split, 1 to 100,000.
  std::uint32_t epochs = 30;
  /// Steps of an epoch, however long a pass over the data is; 0 for one pass. Passes go on from epoch to epoch:
  /// each still takes every sample once. With `epochs` of them up to 1,000,000,000.
  std::uint32_t steps_per_epoch = 0;
  /// Validates within an epoch, too, after each so many steps of the run; 0 at the end of an epoch only.
  std::uint32_t validate_every_steps = 0;
  /// Samples per step of validation and evaluation, up to 65,536; 0 for as many as training computes at
  /// once.
  std::uint32_t validation_batch_size = 0;
  /// Samples per step, 1 to 65,536, or kWholeEpoch.
  std::uint32_t batch_size = 32;
  /// Leaves out of each pass the samples that its whole steps leave over, other ones in each pass where the order
  /// is drawn; false trains on them in a shorter step. Of a split smaller than a step there would be none: refused
  /// when the run starts.
  bool drop_remainder = false;
  /// The most samples of a step that are computed at once, 1 to 65,536; 0 for as many as the memory limit allows.
  /// Batch norm sees so many at a time.
  std::uint32_t micro_batch = 0;
  /// Which values are dropped and computed again going back, to save memory: batch_planner.h. Changes no result.
  RecomputeWish recompute = RecomputeWish::kAuto;
  /// Cuts steps that do not fit the memory limit into parts; false refuses them.
  bool auto_batch = true;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  /// Steps in a row whose loss or gradients are not finite that end the run; each is skipped.
  NanGuardConfig nan_guard;
  /// What is minimised: cross-entropy or focal, since a sample of a dataset has one class.
  LossKind loss = LossKind::kSoftmaxCrossEntropy;
  /// Share of the target spread over all classes, 0 to below 1.
  double label_smoothing = 0.1;
  /// LossSpec's; of a focal loss.
  double focal_gamma = LossSpec{}.focal_gamma;
  std::vector<double> focal_alpha;
  /// Weight of each class in training, 0 or more, by class index; empty for 1 each. Not with
  /// `balances_classes`.
  std::vector<double> class_weights;
  /// Weighs classes so that rare ones count as much as frequent ones: class_balance.h.
  bool balances_classes = false;
  /// CSV of training samples and what each weighs in the loss (data/loss_weights.h), beside its class; those that it
  /// does not name weigh 1. Empty: all do. Which samples are drawn does not depend on it.
  std::filesystem::path loss_weights;
  /// Lowers the schedule's peak when a metric stands; a factor of 1 is off. `mode` follows from the metric.
  PlateauConfig reduce_on_plateau{.factor = 1};
  /// Ends the run when a metric stands; a patience of 0 is off. `mode` follows from the metric.
  EarlyStoppingConfig early_stopping{.patience = 0};
  /// With early stopping: the weights that are stored are those of the best epoch, however the run ends.
  bool restore_best_weights = true;
  /// Order of the training split: one of those that take every sample once an epoch.
  SampleOrder order = SampleOrder::kShuffle;
  /// LoaderConfig::window_bytes of the order "windowed".
  std::uint64_t window_bytes = LoaderConfig{}.window_bytes;
  /// Decides order, augmentation, initial weights and dropout.
  std::uint64_t seed = 0;
  /// Limit of what the run may hold, in bytes; 0 for 0.8 of what the machine has available.
  std::uint64_t memory_bytes = 0;
  /// The limit is what this machine had available, which is no order for another: not stored.
  bool has_default_memory = false;
  /// Compute threads, up to 1,024; 0 for the rule of core_split.h.
  std::uint32_t threads = 0;
  /// Threads that read, decode and augment, 2 to 256 in all; 0 for the rule of core_split.h.
  std::uint32_t loader_threads = 0;
  /// Keeps samples in memory from epoch to epoch, as many as the limit leaves room for. Changes the
  /// speed only. LoaderConfig::cache.
  CacheForm cache = CacheForm::kNone;
  /// What computes on the CPU: "onednn" or "reference".
  std::string backend = "onednn";
  /// What activations and products are computed in. bfloat16 takes half the memory for them and, with AMX, a
  /// fraction of the time; float16 and tf32 are of GPUs; weights stay float32. Refused when the run starts where the
  /// machine has it not.
  ComputeType precision = ComputeType::kFloat32;
  /// Where: "cpu", "cuda" (a GPU), or "auto": device_choice.h.
  std::string device = "auto";
  /// Limit of what the run may hold in the GPU's memory, beside what CUDA keeps for itself; 0 for 0.9 of what is
  /// free when the run starts. Nothing on the CPU.
  std::uint64_t memory_gpu_bytes = 0;
  /// Takes only ways of computing that give the same bits every time. On the CPU all do.
  bool deterministic = false;
  /// How pixels are copied to a GPU: "uint8", "float16", "float32", or "auto" (batch_element.h).
  std::string batch_element = "auto";
  /// Where pixels are sampled and coloured: "cpu", or "gpu", to which decoded crops are copied. Nothing on the CPU.
  std::string augment_on = "cpu";
  /// When checkpoints are stored. Its max_minutes is the key `max_time`.
  CheckpointTimes checkpoint;
  /// Checkpoints that stay, the newest ones, 1 to 1000; the one with the best result stays besides.
  std::uint32_t num_checkpoints_kept = 2;
  /// Augmentation of the training split. Its mean and std are replaced by the two below.
  augment::AugmentConfig augment = augment::AugmentConfig::preset("standard");
  /// Statistics to normalise with, one number for each channel of `color_mode`, in units of
  /// augment.rescale: pixels divided by 255. Empty for those of the run in `init_from`, else the dataset's. mean
  /// -1e9 to 1e9, std 1e-6 to 1e9.
  std::vector<double> mean;
  std::vector<double> std;
  /// `mean` or `std` was said to be "dataset": where they are empty, `init_from` does not give its own.
  bool has_dataset_statistics = false;

  std::uint32_t evaluation_batch() const noexcept {
    if (validation_batch_size > 0) return validation_batch_size;
    return micro_batch > 0 ? micro_batch : batch_size;
  }
  bool is_on_gpu() const noexcept { return device == "cuda"; }
  bool is_augmented_on_gpu() const noexcept { return is_on_gpu() && augment_on == "gpu"; }
  bool has_ema() const noexcept { return optimizer.ema_decay > 0; }
  bool reduces_on_plateau() const noexcept { return reduce_on_plateau.factor != 1; }
  bool stops_early() const noexcept { return early_stopping.patience > 0; }

  /// Throws InvalidArgument naming the field, its value and the range, with a line that is right.
  void validate() const;
};

}  // namespace penstock::train
