#include "augment/colour/reference_colour.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "augment/colour/reference_tone.h"

namespace penstock::augment {
namespace {

double gray_of(const double* pixel, std::uint32_t channels) {
  return channels == 1 ? pixel[0] : 0.2989 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

double gray_mean(const std::vector<double>& pixels, std::uint32_t channels) {
  double sum = 0;
  for (std::size_t i = 0; i < pixels.size(); i += channels) sum += gray_of(&pixels[i], channels);
  return sum / (static_cast<double>(pixels.size()) / channels);
}

/// torchvision's _blend, without its clamp.
void blend_with(std::vector<double>& values, double ratio, double other) {
  for (double& value : values) value = ratio * value + (1 - ratio) * other;
}

void saturate(std::vector<double>& pixels, double ratio) {
  for (std::size_t i = 0; i < pixels.size(); i += 3) {
    const double gray = gray_of(&pixels[i], 3);
    for (std::size_t c = 0; c < 3; ++c) pixels[i + c] = ratio * pixels[i + c] + (1 - ratio) * gray;
  }
}

struct Hsv {
  double hue = 0;  // turns
  double saturation = 0;
  double value = 0;
};

/// By Foley, van Dam: Computer Graphics, hexcone model, as in Python's colorsys.
Hsv to_hsv(const double* rgb) {
  const double highest = std::max({rgb[0], rgb[1], rgb[2]});
  const double lowest = std::min({rgb[0], rgb[1], rgb[2]});
  if (highest == lowest) return {0, 0, highest};
  const double red = (highest - rgb[0]) / (highest - lowest);
  const double green = (highest - rgb[1]) / (highest - lowest);
  const double blue = (highest - rgb[2]) / (highest - lowest);
  double sixths = 4 + green - red;
  if (rgb[0] == highest) {
    sixths = blue - green;
  } else if (rgb[1] == highest) {
    sixths = 2 + red - blue;
  }
  return {sixths / 6, (highest - lowest) / highest, highest};
}

std::array<double, 3> to_rgb(const Hsv& hsv) {
  const double sixths = (hsv.hue - std::floor(hsv.hue)) * 6;
  const double f = sixths - std::floor(sixths);
  const double v = hsv.value;
  const double p = v * (1 - hsv.saturation);
  const double q = v * (1 - hsv.saturation * f);
  const double t = v * (1 - hsv.saturation * (1 - f));
  switch (static_cast<int>(sixths)) {
    case 1:
      return {q, v, p};
    case 2:
      return {p, v, t};
    case 3:
      return {p, q, v};
    case 4:
      return {t, p, v};
    case 5:
      return {v, p, q};
    default:  // 0, and 6, which rounding may give
      return {v, t, p};
  }
}

void turn_hue(std::vector<double>& pixels, double turns) {
  for (std::size_t i = 0; i < pixels.size(); i += 3) {
    Hsv hsv = to_hsv(&pixels[i]);
    hsv.hue += turns;
    std::ranges::copy(to_rgb(hsv), &pixels[i]);
  }
}

void apply_linear(const ColourStep& step, std::uint32_t channels, std::vector<double>& pixels) {
  switch (step.kind) {
    case ColourStepKind::kChannelShift:
      for (double& value : pixels) value += step.amount;
      break;
    case ColourStepKind::kBrightness:
      blend_with(pixels, step.amount, 0);
      break;
    case ColourStepKind::kContrast:
      blend_with(pixels, step.amount, gray_mean(pixels, channels));
      break;
    case ColourStepKind::kSaturation:
      if (channels == 3) saturate(pixels, step.amount);
      break;
    default:
      break;
  }
}

/// reference_tone works on planes.
void apply_tone(const ColourStep& step, const PictureShape& shape, std::vector<double>& pixels) {
  const std::size_t channels = shape.channels;
  const std::size_t num_px = pixels.size() / channels;
  ReferencePicture planes{std::vector<double>(pixels.size()), shape.channels, shape.height_px,
                          shape.width_px};
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    planes.values[i % channels * num_px + i / channels] = pixels[i];
  }
  planes = reference_tone_step(step, planes);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = planes.values[i % channels * num_px + i / channels];
  }
}

bool is_byte_step(const ColourStep& step) {
  return step.kind > ColourStepKind::kHue;
}

bool is_linear_step(const ColourStep& step) {
  return step.kind <= ColourStepKind::kSaturation;
}

}  // namespace

void reference_colour(std::span<const ColourStep> steps, const PictureShape& shape,
                      std::vector<double>& pixels_hwc) {
  const std::uint32_t channels = shape.channels;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const ColourStep& step = steps[i];
    if (step.kind == ColourStepKind::kHue && channels == 3) turn_hue(pixels_hwc, step.amount);
    if (is_byte_step(step)) apply_tone(step, shape, pixels_hwc);
    if (!is_linear_step(step)) continue;
    apply_linear(step, channels, pixels_hwc);
    const bool is_last = i + 1 == steps.size() || !is_linear_step(steps[i + 1]);
    if (!is_last) continue;
    for (double& value : pixels_hwc) value = std::clamp(value, 0.0, 255.0);
  }
}

}  // namespace penstock::augment
