#include "train/run/settings/run_config.h"

#include <algorithm>
#include <array>

#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"
#include "train/backend/backend.h"
#include "train/run/settings/channel_statistics.h"

namespace penstock::train {
namespace {

constexpr const char* kOwner = "run";

void check_image_size(std::uint32_t height_px, std::uint32_t width_px) {
  constexpr std::uint32_t kMaxSidePx = 1u << 14;
  constexpr const char* kHint = "image_size = 96";
  if ((height_px == 0) != (width_px == 0)) {
    refuse_setting({kOwner, "image_size", "two sides",
                    std::to_string(height_px) + "x" + std::to_string(width_px), kHint});
  }
  if (height_px == 0) return;  // the dataset's
  check_range({kOwner, "image_size", height_px, 1, kMaxSidePx, kHint});
  check_range({kOwner, "image_size", width_px, 1, kMaxSidePx, kHint});
}

// What a loader's passes and a schedule's steps are counted in.
void check_steps(const RunConfig& config) {
  constexpr std::uint64_t kMostSteps = 1'000'000'000;
  check_range(
      {kOwner, "steps_per_epoch", config.steps_per_epoch, 0, kMostSteps, "steps_per_epoch = 1000"});
  if (config.steps_per_epoch <= kMostSteps / config.epochs) return;
  const std::string most = std::to_string(kMostSteps / config.epochs);
  refuse_setting({kOwner, "steps_per_epoch",
                  "at most " + most + " with epochs = " + std::to_string(config.epochs) +
                      ": 1000000000 steps in all",
                  std::to_string(config.steps_per_epoch), "steps_per_epoch = " + most});
}

// A pass counts every sample once.
void check_order(const RunConfig& config) {
  if (draws_with_replacement(config.order)) {
    refuse_setting({kOwner, "order", "shuffle, windowed or sequential",
                    "\"" + std::string(sample_order_name(config.order)) + "\"",
                    "order = \"shuffle\""});
  }
  check_range({kOwner, "window", config.window_bytes, kMinWindowBytes, kMaxWindowBytes,
               "window = \"256M\""});
}

void check_threads(const RunConfig& config) {
  check_range({kOwner, "threads", config.threads, 0, 1024, "threads = 0"});
  if (config.loader_threads == 0) return;
  check_range({kOwner, "loader_threads", config.loader_threads, 2, 256, "loader_threads = 2"});
}

void check_places(const RunConfig& config) {
  const std::vector<std::string_view> backends = backend_names();
  if (std::ranges::find(backends, config.backend) == backends.end()) {
    refuse_setting({kOwner, "backend", backend_choice(), "\"" + config.backend + "\"",
                    "backend = \"onednn\""});
  }
  if (config.device != "auto" && config.device != "cpu" && config.device != "cuda") {
    refuse_setting(
        {kOwner, "device", "auto, cpu or cuda", "\"" + config.device + "\"", "device = \"auto\""});
  }
  if (config.augment_on != "cpu" && config.augment_on != "gpu") {
    refuse_setting({kOwner, "augment_on", "cpu or gpu", "\"" + config.augment_on + "\"",
                    "augment_on = \"cpu\""});
  }
  constexpr std::array kElements = {"auto", "uint8", "float16", "float32"};
  if (std::ranges::find(kElements, config.batch_element) == kElements.end()) {
    refuse_setting({kOwner, "batch_element", "auto, uint8, float16 or float32",
                    "\"" + config.batch_element + "\"", "batch_element = \"auto\""});
  }
}

struct StatisticRange {
  const char* field;
  double lo;
  const char* text;  // "-1e9 to 1e9", of pixels divided by 255
  double unit;       // of the values: statistics_unit()
};

void check_statistic(const std::vector<double>& values, ColorMode mode,
                     const StatisticRange& range) {
  if (values.empty()) return;
  const std::size_t num = num_channels(mode);
  const std::string hint = std::string(range.field) + " = \"dataset\"";
  if (values.size() != num) {
    refuse_setting({kOwner, range.field,
                    std::string(num == 1 ? "one number" : "three numbers") +
                        " with color_mode = \"" + std::string(color_mode_name(mode)) + "\"",
                    std::to_string(values.size()), hint});
  }
  for (std::size_t c = 0; c < num; ++c) {
    const double of_255 = values[c] / range.unit;
    if (of_255 >= range.lo && of_255 <= 1e9) continue;
    refuse_setting(
        {kOwner, std::string(range.field) + "[" + std::to_string(c) + "]",
         std::string(range.text) + (range.unit != 1 ? " times 255 times augment.rescale" : ""),
         number_text(values[c]), hint});
  }
}

void check_statistics(const RunConfig& config) {
  const double unit = statistics_unit(config.augment);
  check_statistic(config.mean, config.color_mode,
                  {.field = "mean", .lo = -1e9, .text = "-1e9 to 1e9", .unit = unit});
  check_statistic(config.std, config.color_mode,
                  {.field = "std", .lo = 1e-6, .text = "1e-6 to 1e9", .unit = unit});
}

struct WeightRange {
  const char* field;
  double most;
  const char* text;
  const char* hint;
};

void check_weights(const std::vector<double>& weights, const WeightRange& range) {
  for (const double weight : weights) {
    if (weight >= 0 && weight <= range.most) continue;
    refuse_setting({kOwner, range.field, range.text, number_text(weight), range.hint});
  }
}

// Regression and several labels need what a dataset does not hold.
void check_loss(const RunConfig& config) {
  if (!is_softmax_loss(config.loss)) {
    refuse_setting({kOwner, "loss",
                    "\"cross_entropy\" or \"focal\", since a sample of a dataset has one class",
                    "\"" + std::string(loss_name(config.loss)) + "\"", "loss = \"cross_entropy\""});
  }
  if (!(config.label_smoothing >= 0 && config.label_smoothing < 1)) {
    refuse_setting({kOwner, "label_smoothing", "0 to below 1", number_text(config.label_smoothing),
                    "label_smoothing = 0.1"});
  }
  if (!(config.focal_gamma >= 0 && config.focal_gamma <= 100)) {
    refuse_setting(
        {kOwner, "focal_gamma", "0 to 100", number_text(config.focal_gamma), "focal_gamma = 2"});
  }
  check_weights(config.focal_alpha, {"focal_alpha", 1, "0 to 1", "focal_alpha = [0.25]"});
  check_weights(config.class_weights,
                {"class_weights", 1e9, "0 to 1e9", "class_weights = \"balanced\""});
  const auto is_zero = [](double weight) { return weight == 0; };
  if (!config.class_weights.empty() && std::ranges::all_of(config.class_weights, is_zero)) {
    refuse_setting({kOwner, "class_weights", "one above 0 at least", "only zeros",
                    "class_weights = \"balanced\""});
  }
}

// What they match is looked at when the network is there.
void check_learning(const RunConfig& config) {
  for (const std::string& pattern : config.freeze) {
    if (!pattern.empty() && pattern != "!") continue;
    refuse_setting({kOwner, "freeze", "names or patterns", "\"" + pattern + "\"",
                    "freeze = [\"*\", \"!head\"]"});
  }
  for (const ParamGroup& group : config.param_groups) group.validate();
}

// A sample is mixed with another of its batch.
void check_mixing(const RunConfig& config) {
  if (config.batch_size != 1) return;
  const auto check = [](double alpha, const char* field) {
    if (alpha == 0) return;
    refuse_setting({kOwner, "batch_size", std::string("2 or more with augment.") + field, "1",
                    "batch_size = 32"});
  };
  check(config.augment.mixup, "mixup");
  check(config.augment.cutmix, "cutmix");
}

}  // namespace

// The comparisons are written so that NaN fails them.
void RunConfig::validate() const {
  check_image_size(image_height_px, image_width_px);
  check_range({kOwner, "epochs", epochs, 1, 100'000, "epochs = 30"});
  check_steps(*this);
  if (batch_size != kWholeEpoch) {
    check_range({kOwner, "batch_size", batch_size, 1, 65'536, "batch_size = 32"});
  }
  check_range({kOwner, "micro_batch", micro_batch, 0, 65'536, "micro_batch = 8"});
  check_range({kOwner, "validation_batch_size", validation_batch_size, 0, 65'536,
               "validation_batch_size = 32"});
  optimizer.validate();
  schedule.validate();
  check_loss(*this);
  check_range({kOwner, "max_skipped_steps", nan_guard.max_in_a_row, 1, 1'000'000,
               "max_skipped_steps = 10"});
  if (reduces_on_plateau()) reduce_on_plateau.validate();
  if (stops_early()) early_stopping.validate();
  check_range({kOwner, "seed", seed, 0, INT64_MAX, "seed = 0"});  // what TOML can hold
  check_order(*this);
  check_threads(*this);
  check_places(*this);
  checkpoint.validate();
  check_range({"checkpoint", "keep", num_checkpoints_kept, 1, 1000, "keep = 2"});
  augment.validate();
  check_learning(*this);
  check_mixing(*this);
  check_statistics(*this);
}

}  // namespace penstock::train
