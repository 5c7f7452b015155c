#include "tools/bench/augment_rows.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"

namespace penstock::tools::bench {
namespace {

constexpr augment::SizePx kPhotograph{470, 400};
constexpr augment::SizePx kInput{224, 224};
constexpr augment::SizePx kTwice{448, 448};
constexpr augment::SizePx kSmall{32, 32};

// Means and deviations of ImageNet: normalising by 0 and 1 could be left out.
constexpr std::array<double, 3> kMean = {0.485, 0.456, 0.406};
constexpr std::array<double, 3> kStd = {0.229, 0.224, 0.225};

constexpr std::string_view kResizedCrop = "resized-crop";

constexpr augment::AugmentConfig resized_crop() {
  return {.horizontal_flip = 0.5, .random_resized_crop = true, .mean = kMean, .std = kStd};
}

constexpr augment::AugmentConfig unscaled_crop() {
  return {.horizontal_flip = 0.5, .random_resized_crop = true};
}

/// The ranges of torchvision's training recipes.
constexpr augment::AugmentConfig jittered_crop(double hue_range) {
  augment::AugmentConfig config = resized_crop();
  config.brightness_range = {.lo = 0.6, .hi = 1.4};
  config.contrast_range = {.lo = 0.6, .hi = 1.4};
  config.saturation_range = {.lo = 0.6, .hi = 1.4};
  config.hue_range = hue_range;
  return config;
}

constexpr AugmentRow row_of_elements(std::string_view name, ElementType element,
                                     const augment::AugmentConfig& config, OpencvChain chain) {
  return {.name = name,
          .steps = "random crop, resize, flip, as such elements",
          .picture = kPhotograph,
          .output = kInput,
          .num_samples = 16,
          .config = config,
          .element = element,
          .chain = chain,
          .on_top_of = kResizedCrop};
}

constexpr augment::AugmentConfig turned(const std::array<double, 3>& mean,
                                        const std::array<double, 3>& std) {
  return {.horizontal_flip = 0.5,
          .width_shift_range = 0.1,
          .height_shift_range = 0.1,
          .zoom_range = {.lo = 0.9, .hi = 1.1},
          .rotation_range = 20,
          .mean = mean,
          .std = std};
}

constexpr AugmentRow photograph_row(std::string_view name, std::string_view steps,
                                    ElementType element, const augment::AugmentConfig& config,
                                    OpencvChain chain, const AugmentBar& bar) {
  return {.name = name,
          .steps = steps,
          .picture = kPhotograph,
          .output = kInput,
          .num_samples = 16,
          .config = config,
          .element = element,
          .chain = chain,
          .bar = bar};
}

/// A picture of the output's size, of which nothing is interpolated.
constexpr AugmentRow copied_row(std::string_view name, std::string_view steps, ElementType element,
                                const augment::AugmentConfig& config, OpencvChain chain) {
  AugmentRow row = photograph_row(name, steps, element, config, chain, {});
  row.picture = kInput;
  return row;
}

constexpr AugmentRow antialias_row(std::string_view name, augment::SizePx picture) {
  return {.name = name,
          .steps = "resize with antialias, flip, normalise",
          .picture = picture,
          .output = kInput,
          .num_samples = 16,
          .config = {.horizontal_flip = 0.5,
                     .mean = kMean,
                     .std = kStd,
                     .interpolation = augment::Interpolation::kBilinearAntialias},
          .chain = shrink_with_opencv,
          .bar = {.times_opencv = 2}};
}

constexpr AugmentRow resize_row(std::string_view name, augment::Interpolation interpolation,
                                OpencvChain chain) {
  return {.name = name,
          .steps = "resize, flip, normalise",
          .picture = kPhotograph,
          .output = kInput,
          .num_samples = 16,
          .config = {.horizontal_flip = 0.5,
                     .mean = kMean,
                     .std = kStd,
                     .interpolation = interpolation},
          .chain = chain};
}

constexpr AugmentRow turned_row(std::string_view name, augment::Interpolation interpolation,
                                std::uint32_t num_samples) {
  return {
      .name = name,
      .steps = "rotation, normalise",
      .picture = kTwice,
      .output = kInput,
      .num_samples = num_samples,
      .config = {.rotation_range = 20, .mean = kMean, .std = kStd, .interpolation = interpolation}};
}

constexpr augment::AugmentConfig shifted_crop() {
  augment::AugmentConfig config = resized_crop();
  config.channel_shift_range = 20;
  return config;
}

constexpr AugmentRow jitter_row(std::string_view name, std::string_view steps, double hue_range) {
  return {.name = name,
          .steps = steps,
          .picture = kPhotograph,
          .output = kInput,
          .num_samples = 16,
          .config = jittered_crop(hue_range),
          .chain = jitter_with_opencv,
          .on_top_of = kResizedCrop,
          .bar = {.most_us_more = 30}};
}

constexpr std::array kRows = {
    photograph_row("turned", "flip, shift, zoom, rotation, normalise", ElementType::kFloat32,
                   turned(kMean, kStd), warp_with_opencv, {.times_opencv = 4.5}),
    photograph_row("uint8-turned", "flip, shift, zoom, rotation, as bytes", ElementType::kUint8,
                   turned({}, {1, 1, 1}), warp_with_opencv, {}),
    AugmentRow{.name = kResizedCrop,
               .steps = "random crop, resize, flip, normalise",
               .picture = kPhotograph,
               .output = kInput,
               .num_samples = 16,
               .config = resized_crop(),
               .chain = resize_with_opencv,
               .bar = {.most_us = 60, .times_opencv = 2.5}},
    antialias_row("antialias", kTwice),
    antialias_row("antialias-uneven", kPhotograph),
    turned_row("antialias-turned", augment::Interpolation::kBilinearAntialias, 16),
    resize_row("bicubic", augment::Interpolation::kBicubic, cubic_with_opencv),
    turned_row("bicubic-turned", augment::Interpolation::kBicubic, 2),
    resize_row("nearest", augment::Interpolation::kNearest, nearest_with_opencv),
    AugmentRow{.name = "channel-shift",
               .steps = "resized-crop with a value added to all channels",
               .picture = kPhotograph,
               .output = kInput,
               .num_samples = 16,
               .config = shifted_crop(),
               .chain = shift_with_opencv,
               .on_top_of = kResizedCrop},
    jitter_row("jitter", "resized-crop with brightness, contrast, saturation", 0),
    jitter_row("jitter-hue", "resized-crop with brightness, contrast, saturation, hue", 0.1),
    row_of_elements("float16", ElementType::kFloat16, resized_crop(), resize_with_opencv),
    row_of_elements("bfloat16", ElementType::kBfloat16, resized_crop(), nullptr),
    row_of_elements("uint8", ElementType::kUint8, unscaled_crop(), resize_with_opencv),
    copied_row("crop", "crop of the padded picture, flip, normalise", ElementType::kFloat32,
               {.horizontal_flip = 0.5, .random_crop_padding = 28, .mean = kMean, .std = kStd},
               pad_with_opencv),
    copied_row("uint8-crop", "crop of the padded picture, flip, as bytes", ElementType::kUint8,
               {.horizontal_flip = 0.5, .random_crop_padding = 28}, pad_with_opencv),
    AugmentRow{.name = "pad-crop",
               .steps = "32 x 32: crop of the padded picture, flip, normalise",
               .picture = kSmall,
               .output = kSmall,
               .num_samples = 512,
               .config = {.horizontal_flip = 0.5,
                          .random_crop_padding = 4,
                          .fill_mode = augment::FillMode::kConstant,
                          .mean = kMean,
                          .std = kStd},
               .chain = pad_with_opencv,
               .bar = {.most_us = 1.5}},
};

}  // namespace

std::span<const AugmentRow> augment_rows() {
  return kRows;
}

const AugmentRow& augment_row_named(std::string_view name) {
  const auto found = std::ranges::find(kRows, name, &AugmentRow::name);
  if (found != kRows.end()) return *found;
  std::vector<std::string_view> known;
  std::string text;
  for (const AugmentRow& row : kRows) {
    known.push_back(row.name);
    text += (text.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error(ErrorCode::kInvalidArgument,
              "--row: expected one of " + text + ", found '" + std::string(name) + "'",
              nearest_name_hint(name, known));
}

}  // namespace penstock::tools::bench
