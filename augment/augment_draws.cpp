#include "augment/augment_draws.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace penstock::augment {
namespace {

constexpr int kNumTries = 10;  // for a window that fits, as in torchvision

double draw_between(DrawRange range, double uniform) noexcept {
  return range.lo + (range.hi - range.lo) * uniform;
}

/// Keras: a range below 1 is a fraction of the side, else pixels.
double draw_shift_px(double range, double uniform, std::uint32_t side_px) noexcept {
  const double shift = draw_between({.lo = -range, .hi = range}, uniform);
  return range < 1 ? shift * side_px : shift;
}

/// One of the whole numbers 0 to `most`.
std::uint32_t draw_whole(std::uint32_t most, double uniform) noexcept {
  return static_cast<std::uint32_t>(uniform * (most + 1.0));
}

// std::nearbyint rounds halves to even in the default mode, as Python's round() does.
struct WindowSides {
  double width = 0;
  double height = 0;
};

WindowSides window_sides(double area_px, double ratio) noexcept {
  return {std::nearbyint(std::sqrt(area_px * ratio)), std::nearbyint(std::sqrt(area_px / ratio))};
}

/// The largest window within the bounds of the ratio: what is taken when no try fits.
SizePx fallback_sides(DrawRange ratio, SizePx upright) noexcept {
  const double width = upright.width;
  const double height = upright.height;
  const auto whole = [](double side) {
    return static_cast<std::uint32_t>(std::max(std::nearbyint(side), 1.0));
  };
  if (width / height < ratio.lo) return {upright.width, whole(width / ratio.lo)};
  if (width / height > ratio.hi) return {whole(height * ratio.hi), upright.height};
  return upright;
}

/// Keras 2.12, image_utils.smart_resize: the largest centred window of the output's ratio; `share` of its
/// sides.
RectPx centred_window(double share, const PictureSides& sides) noexcept {
  const auto fitting = [](std::uint32_t side, std::uint32_t other_side, std::uint32_t output,
                          std::uint32_t other_output) {
    return std::min<std::uint64_t>(side, std::uint64_t{other_side} * output / other_output);
  };
  const SizePx upright = sides.upright;
  const SizePx output = sides.output;
  const auto part = [share](std::uint64_t side) {
    return std::max(static_cast<std::uint32_t>(std::nearbyint(share * static_cast<double>(side))),
                    1u);
  };
  const std::uint32_t width =
      part(fitting(upright.width, upright.height, output.width, output.height));
  const std::uint32_t height =
      part(fitting(upright.height, upright.width, output.height, output.width));
  return {(upright.width - width) / 2, (upright.height - height) / 2, width, height};
}

double draw_angle_rad(double range_deg, double uniform) noexcept {
  return draw_between({.lo = -range_deg, .hi = range_deg}, uniform) * std::numbers::pi / 180;
}

// Values by block, so that nothing is drawn for what is off.
class Blocks {
 public:
  explicit Blocks(const Draws& draws) noexcept : draws_(draws) {}

  double operator()(DrawBlock block, unsigned slot, int offset = 0) const noexcept {
    return draws_.uniform(static_cast<std::uint16_t>(static_cast<int>(block) + offset), slot);
  }

 private:
  const Draws& draws_;
};

/// Draws the sides of one try: the area between shares of `area_px`, the ratio evenly as a logarithm.
struct WindowDraw {
  double area_px;
  DrawRange share;
  DrawRange log_ratio;
  DrawBlock block;

  WindowDraw(double whole_px, DrawRange shares, DrawRange ratio, DrawBlock sides) noexcept
      : area_px(whole_px),
        share(shares),
        log_ratio{.lo = std::log(ratio.lo), .hi = std::log(ratio.hi)},
        block(sides) {}

  WindowSides operator()(const Blocks& uniform, int try_idx) const noexcept {
    return window_sides(area_px * draw_between(share, uniform(block, 0, try_idx)),
                        std::exp(draw_between(log_ratio, uniform(block, 1, try_idx))));
  }
};

/// A window of these sides, anywhere within `whole`.
RectPx draw_place(SizePx sides, SizePx whole, const Blocks& uniform, DrawBlock block) noexcept {
  return {draw_whole(whole.width - sides.width, uniform(block, 1)),
          draw_whole(whole.height - sides.height, uniform(block, 0)), sides.width, sides.height};
}

/// torchvision 0.15, transforms.RandomResizedCrop.get_params.
RectPx draw_crop(const AugmentConfig& config, SizePx upright, const Blocks& uniform) noexcept {
  const WindowDraw draw(static_cast<double>(upright.width) * upright.height,
                        config.random_resized_crop_scale, config.random_resized_crop_ratio,
                        DrawBlock::kCropSides);
  for (int i = 0; i < kNumTries; ++i) {
    const WindowSides sides = draw(uniform, i);
    const bool fits = sides.width >= 1 && sides.width <= upright.width && sides.height >= 1 &&
                      sides.height <= upright.height;
    if (!fits) continue;
    return draw_place(
        {static_cast<std::uint32_t>(sides.width), static_cast<std::uint32_t>(sides.height)},
        upright, uniform, DrawBlock::kCropPlace);
  }
  const SizePx sides = fallback_sides(config.random_resized_crop_ratio, upright);
  return {(upright.width - sides.width) / 2, (upright.height - sides.height) / 2, sides.width,
          sides.height};
}

void draw_colours(const AugmentConfig& config, const Blocks& uniform,
                  AugmentDraws& drawn) noexcept {
  const auto factor = [&](DrawRange range, DrawBlock block) {
    return range == DrawRange{} ? 1.0 : draw_between(range, uniform(block, 0));
  };
  const auto about_zero = [&](double range, DrawBlock block) {
    return range > 0 ? draw_between({.lo = -range, .hi = range}, uniform(block, 0)) : 0.0;
  };
  drawn.channel_shift = about_zero(config.channel_shift_range, DrawBlock::kChannelShift);
  drawn.brightness = factor(config.brightness_range, DrawBlock::kBrightness);
  drawn.contrast = factor(config.contrast_range, DrawBlock::kContrast);
  drawn.saturation = factor(config.saturation_range, DrawBlock::kSaturation);
  drawn.hue_turns = about_zero(config.hue_range, DrawBlock::kHue);
}

/// torchvision 0.15, transforms.RandomErasing.get_params: of width 0 when no try fits. The ratio is
/// height over width there.
RectPx draw_erased(const AugmentConfig& config, SizePx output, const Blocks& uniform) noexcept {
  const WindowDraw draw(static_cast<double>(output.width) * output.height,
                        config.random_erasing_scale, config.random_erasing_ratio,
                        DrawBlock::kErasedSides);
  for (int i = 0; i < kNumTries; ++i) {
    const WindowSides upended = draw(uniform, i);
    if (upended.width >= output.height || upended.height >= output.width) continue;
    const auto height = static_cast<std::uint32_t>(upended.width);
    const auto width = static_cast<std::uint32_t>(upended.height);
    if (height == 0 || width == 0) return {};
    return draw_place({width, height}, output, uniform, DrawBlock::kErasedPlace);
  }
  return {};
}

}  // namespace

// Five of the colour settings, and the policy's.
static_assert(5 + AugmentConfig::kMaxRandAugmentOps <= ColourSteps::kMaxSteps);

ColourSteps colour_steps_of(const AugmentDraws& drawn) noexcept {
  ColourSteps steps;
  const auto add = [&](ColourStepKind kind, double amount, double neutral) {
    if (amount != neutral) steps.add({kind, static_cast<float>(amount)});
  };
  add(ColourStepKind::kChannelShift, drawn.channel_shift, 0);
  add(ColourStepKind::kBrightness, drawn.brightness, 1);
  add(ColourStepKind::kContrast, drawn.contrast, 1);
  add(ColourStepKind::kSaturation, drawn.saturation, 1);
  add(ColourStepKind::kHue, drawn.hue_turns, 0);
  add_policy_colours(drawn.policy.steps(), steps);
  return steps;
}

AugmentDraws draw_augmentation(const AugmentConfig& config, const PictureSides& sides,
                               const Draws& draws) noexcept {
  const Blocks uniform(draws);
  AugmentDraws drawn;
  if (config.horizontal_flip > 0) {
    drawn.is_flipped = uniform(DrawBlock::kHorizontalFlip, 0) < config.horizontal_flip;
  }
  if (config.vertical_flip > 0) {
    drawn.is_flipped_vertically = uniform(DrawBlock::kVerticalFlip, 0) < config.vertical_flip;
  }
  if (config.rotation_range > 0) {
    drawn.rotation_rad = draw_angle_rad(config.rotation_range, uniform(DrawBlock::kRotation, 0));
  }
  if (config.shear_range > 0) {
    drawn.shear_rad = draw_angle_rad(config.shear_range, uniform(DrawBlock::kShear, 0));
  }
  if (config.width_shift_range > 0) {
    drawn.shift_px.x = draw_shift_px(config.width_shift_range, uniform(DrawBlock::kWidthShift, 0),
                                     sides.output.width);
  }
  if (config.height_shift_range > 0) {
    drawn.shift_px.y = draw_shift_px(config.height_shift_range, uniform(DrawBlock::kHeightShift, 0),
                                     sides.output.height);
  }
  if (!(config.zoom_range == DrawRange{})) {
    drawn.zoom = {.x = draw_between(config.zoom_range, uniform(DrawBlock::kZoom, 1)),
                  .y = draw_between(config.zoom_range, uniform(DrawBlock::kZoom, 0))};
  }
  if (config.random_crop_padding > 0) {
    const std::uint32_t twice = 2 * config.random_crop_padding;
    const double padding_px = config.random_crop_padding;
    drawn.shift_px.x += draw_whole(twice, uniform(DrawBlock::kRandomCrop, 1)) - padding_px;
    drawn.shift_px.y += draw_whole(twice, uniform(DrawBlock::kRandomCrop, 0)) - padding_px;
  }
  if (config.random_resized_crop) {
    drawn.crop = draw_crop(config, sides.upright, uniform);
  } else if (config.center_crop > 0) {
    drawn.crop = centred_window(config.center_crop, sides);
  }
  draw_colours(config, uniform, drawn);
  if (config.random_erasing > 0 && uniform(DrawBlock::kErasing, 0) < config.random_erasing) {
    drawn.erased = draw_erased(config, sides.output, uniform);
  }
  drawn.policy = draw_policy(config, sides.output, draws);
  return drawn;
}

bool draws_colours(const AugmentConfig& config) noexcept {
  return config.channel_shift_range > 0 || !(config.brightness_range == DrawRange{}) ||
         !(config.contrast_range == DrawRange{}) || !(config.saturation_range == DrawRange{}) ||
         config.hue_range > 0 || config.auto_augment != AutoAugment::kNone;
}

bool draws_anything(const AugmentConfig& config) noexcept {
  const bool draws_geometry = config.horizontal_flip > 0 || config.vertical_flip > 0 ||
                              config.rotation_range > 0 || config.shear_range > 0 ||
                              config.width_shift_range > 0 || config.height_shift_range > 0 ||
                              !(config.zoom_range == DrawRange{}) ||
                              config.random_crop_padding > 0 || config.random_resized_crop;
  return draws_geometry || draws_colours(config) || config.random_erasing > 0;
}

SizePx smallest_crop(const AugmentConfig& config, const PictureSides& sides) noexcept {
  const SizePx upright = sides.upright;
  if (!config.random_resized_crop) {
    if (config.center_crop == 0) return upright;
    const RectPx window = centred_window(config.center_crop, sides);
    return {window.width, window.height};
  }
  const double area_px =
      static_cast<double>(upright.width) * upright.height * config.random_resized_crop_scale.lo;
  const DrawRange ratio = config.random_resized_crop_ratio;
  const SizePx fallback = fallback_sides(ratio, upright);
  // One less, because exp(log(ratio)) may come out a little smaller.
  const auto least = [](double drawn, std::uint32_t other) {
    return static_cast<std::uint32_t>(std::clamp(drawn - 1, 1.0, static_cast<double>(other)));
  };
  return {least(window_sides(area_px, ratio.lo).width, fallback.width),
          least(window_sides(area_px, ratio.hi).height, fallback.height)};
}

}  // namespace penstock::augment
