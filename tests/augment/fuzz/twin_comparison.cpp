#include "tests/augment/fuzz/twin_comparison.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <sstream>

#include "augment/augment_draws.h"
#include "augment/sampling_plan.h"
#include "augment/warp/reference_warp.h"
#include "tests/augment/element_values.h"

namespace penstock::augment {
namespace {

AugmentDraws drawn_for(const SampleTrial& trial) {
  return draw_augmentation(trial.config,
                           {.output = {trial.spec.width_px, trial.spec.height_px},
                            .upright = upright_size({trial.info.width_px, trial.info.height_px},
                                                    trial.info.orientation)},
                           Draws(trial.place));
}

AffineMap map_for(const SampleTrial& trial) {
  return sample_map(drawn_for(trial), {trial.spec.width_px, trial.spec.height_px}, trial.info);
}

/// How often an error of a sampled value is in what the colours make of it, at most; and whether it may
/// jump: on bytes, and with a mean of pixels of which some are ties.
struct Growth {
  double factor = 1;
  bool may_jump = false;
  bool ends_with_hue = false;  // in fixed point: within a quarter of a level
};

Growth growth_of(const AugmentConfig& config, const AugmentDraws& drawn) {
  const bool has_ties =
      config.interpolation == Interpolation::kNearest || config.fill_mode == FillMode::kConstant;
  Growth growth;
  const ColourSteps steps = colour_steps_of(drawn);  // outlives the span
  growth.ends_with_hue = !steps.empty() && steps.steps().back().kind == ColourStepKind::kHue;
  for (const ColourStep& step : steps.steps()) {
    const double amount = step.amount;
    switch (step.kind) {
      case ColourStepKind::kChannelShift:
        break;
      case ColourStepKind::kBrightness:
        growth.factor *= std::max(1.0, amount);
        break;
      case ColourStepKind::kContrast:
        growth.may_jump = growth.may_jump || has_ties;
        [[fallthrough]];
      case ColourStepKind::kSaturation:
        growth.factor *= amount + std::abs(1 - amount);
        break;
      case ColourStepKind::kHue:
        growth.factor *= 6;  // a channel is up to so many sixths of the wheel away
        break;
      default:
        growth.may_jump = true;
    }
  }
  return growth;
}

/// Levels of a byte that a sampled value may be off, for its interpolation.
double sampling_error(Interpolation interpolation, const AffineMap& map, ElementType element) {
  const bool is_turned = !map.is_separable() && !map.is_quarter_turn();
  const double columns_px = std::hypot(map.xx, map.xy);
  const double rows_px = std::hypot(map.yx, map.yy);
  switch (interpolation) {
    case Interpolation::kNearest:
      return 1e-3;
    case Interpolation::kBilinear:
      // Bytes are blended in whole numbers: fixed_point_test.cpp.
      return element == ElementType::kUint8 ? 0.034 : 0.01;
    case Interpolation::kBilinearAntialias:
      // The picture that these come from is rounded to bytes; a thousandth for what blends round.
      if (is_turned) return 1.001;
      // Six weights of rows off by 2^-14, or up to as many as two steps hold by 2^-23, half of them up; as
      // many float32 sums of columns.
      return std::min(1.0, 0.05 + 255 * 0x1p-23 * rows_px + 255 * 0x1p-24 * columns_px);
    case Interpolation::kBicubic:
      return 0.2;
  }
  return 0;
}

/// Several turns that make 90 degrees together, but for rounding, which may take them for any other:
/// antialiased samples of these are made in another way.
bool is_nearly_aligned(const AffineMap& map) {
  if (map.is_separable() || map.is_quarter_turn()) return false;
  const double longest =
      std::max({std::abs(map.xx), std::abs(map.xy), std::abs(map.yx), std::abs(map.yy)});
  const double across = std::min(std::max(std::abs(map.xy), std::abs(map.yx)),
                                 std::max(std::abs(map.xx), std::abs(map.yy)));
  return across < 1e-12 * longest;
}

std::vector<double> twin_of(const SampleTrial& trial, const AugmentDraws& drawn,
                            const TestPicture& picture, std::uint32_t decode_scale) {
  return augment::reference_warp({.config = trial.config,
                                  .drawn = drawn,
                                  .info = trial.info,
                                  .spec = trial.spec,
                                  .image = picture.view(),
                                  .decode_scale = decode_scale});
}

/// Twins whose positions are about a millionth of a pixel away, into each quadrant: on the border of two
/// pixels, or of the picture, rounding decides.
std::array<std::vector<double>, 4> moved_twins(const SampleTrial& trial, const AugmentDraws& drawn,
                                               const TestPicture& picture,
                                               std::uint32_t decode_scale) {
  const AffineMap map = map_for(trial);
  const double longest = std::max({1.0, std::abs(map.x0), std::abs(map.y0)});
  const double distance_px = std::max(4e-6, 1e-13 * longest);
  const double x = distance_px / std::max(std::hypot(map.xx, map.yx), 1e-9);
  const double y = distance_px / std::max(std::hypot(map.xy, map.yy), 1e-9);
  const std::array<PointPx, 4> moves = {{{x, y}, {-x, y}, {x, -y}, {-x, -y}}};
  std::array<std::vector<double>, 4> twins;
  for (std::size_t i = 0; i < moves.size(); ++i) {
    AugmentDraws moved = drawn;
    moved.shift_px = {drawn.shift_px.x + moves[i].x, drawn.shift_px.y + moves[i].y};
    twins[i] = twin_of(trial, moved, picture, decode_scale);
  }
  return twins;
}

/// The twin walks back to the picture step by step.
double num_steps_back(const SampleTrial& trial) {
  if (trial.config.fill_mode != FillMode::kReflect && trial.config.fill_mode != FillMode::kWrap) {
    return 0;
  }
  const AffineMap map = map_for(trial);
  double farthest = 0;
  for (const double x : {0.0, double(trial.spec.width_px)}) {
    for (const double y : {0.0, double(trial.spec.height_px)}) {
      const PointPx p = map({x, y});
      farthest = std::max(
          {farthest, std::abs(p.x) / trial.info.width_px, std::abs(p.y) / trial.info.height_px});
    }
  }
  return farthest * trial.spec.width_px * trial.spec.height_px * trial.spec.channels;
}

}  // namespace

double num_looks(const SampleTrial& trial) {
  const double num_values =
      double(trial.spec.width_px) * trial.spec.height_px * trial.spec.channels;
  if (trial.config.interpolation == Interpolation::kBicubic) return num_values * 16;
  if (trial.config.interpolation != Interpolation::kBilinearAntialias) return num_values * 4;
  const AffineMap map = map_for(trial);
  const auto reach = [&](double a, double b, std::uint32_t side_px) {
    return std::min(4 * std::max(1.0, std::hypot(a, b)) + 2, double(side_px));
  };
  const bool is_turned = !map.is_separable() && !map.is_quarter_turn();
  return num_values * (is_turned ? 4 : 1) * reach(map.xx, map.xy, trial.info.width_px) *
         reach(map.yx, map.yy, trial.info.height_px);
}

void compare_with_twin(const SampleTrial& trial, std::uint32_t decode_scale,
                       const TestPicture& picture, const std::vector<std::byte>& sample,
                       TwinTally& tally) {
  const BatchSpec& spec = trial.spec;
  const AugmentConfig& config = trial.config;
  const std::vector<double> found = element_values(sample, spec.element);
  for (const double value : found) {
    if (!std::isfinite(value)) throw TrialFailure("a value is not finite");
  }
  if (num_steps_back(trial) > 2e6) {
    ++tally.num_without_twin;
    return;
  }
  const AugmentDraws drawn = drawn_for(trial);
  const std::vector<double> twin = twin_of(trial, drawn, picture, decode_scale);
  if (twin.size() != found.size()) throw TrialFailure("the twin has another size");
  const AffineMap map = map_for(trial);
  const Growth growth = growth_of(config, drawn);
  const double bound = sampling_error(config.interpolation, map, spec.element) * growth.factor +
                       (growth.factor > 1 ? 1e-3 * growth.factor : 0) +
                       (growth.ends_with_hue ? 0.25 : 0);
  const bool is_other_way =
      config.interpolation == Interpolation::kBilinearAntialias && is_nearly_aligned(map);
  TwinTally::Values& values =
      growth.may_jump     ? tally.on_bytes
      : growth.factor > 1 ? tally.enlarged
                          : tally.by_interpolation[static_cast<std::size_t>(config.interpolation)];
  std::optional<std::array<std::vector<double>, 4>> moved;
  const std::size_t plane = std::size_t{spec.width_px} * spec.height_px;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t c = spec.layout == PixelLayout::kNchw ? i / plane : i % spec.channels;
    const bool is_byte = spec.element == ElementType::kUint8;
    const double gain = is_byte ? 1 : config.rescale / config.std[c];
    const double bias = is_byte ? 0 : std::abs(config.mean[c] / config.std[c]);
    // Of float32: a gain, a bias, a product, a sum.
    const double float_error = 6 * 0x1p-24 * (255 * gain + bias);
    const auto levels_apart = [&](double expected) {
      const double rounding =
          float_error + element_rounding(spec.element, std::abs(expected) + float_error);
      return std::max(0.0, std::abs(found[i] - expected) - rounding) / gain;
    };
    const double apart = levels_apart(twin[i]);
    ++values.num;
    if (apart <= bound) {
      values.sum_levels += apart / growth.factor;
      values.worst_levels = std::max(values.worst_levels, apart / growth.factor);
      continue;
    }
    ++values.num_ties;
    if (growth.may_jump || is_other_way) continue;
    if (!moved) moved = moved_twins(trial, drawn, picture, decode_scale);
    const bool is_tie = std::ranges::any_of(*moved, [&](const std::vector<double>& other) {
      return levels_apart(other[i]) <= bound + 0.01 * growth.factor;
    });
    if (is_tie) continue;
    std::ostringstream text;
    text << "value " << i << " (channel " << c << ") is " << found[i] << ", and in the twin "
         << twin[i] << ": " << apart << " levels apart, at most " << bound << " expected";
    throw TrialFailure(text.str());
  }
}

}  // namespace penstock::augment
