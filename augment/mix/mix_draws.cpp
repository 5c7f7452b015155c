#include "augment/mix/mix_draws.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace penstock::augment {
namespace {

double uniform(const Draws& draws, MixBlock block, unsigned slot) noexcept {
  return draws.uniform(static_cast<std::uint16_t>(block), slot);
}

struct Side {
  std::uint32_t begin;
  std::uint32_t length;
};

// One side of the box, cut off at the picture's ends.
Side box_side(std::uint32_t length_px, double centre, double half_share) noexcept {
  const auto length = static_cast<std::int64_t>(length_px);
  const auto middle = static_cast<std::int64_t>(centre * length_px);
  const auto half = static_cast<std::int64_t>(half_share * length_px);
  const std::int64_t begin = std::max<std::int64_t>(middle - half, 0);
  const std::int64_t end = std::min(middle + half, length);
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin)};
}

MixDraws draw_cutmix(double alpha, SizePx output, const Draws& draws) noexcept {
  const double share = symmetric_beta(alpha, draws, MixBlock::kCutmixShare);
  const double half_share = 0.5 * std::sqrt(1 - share);
  const Side x = box_side(output.width, uniform(draws, MixBlock::kBoxCentre, 0), half_share);
  const Side y = box_side(output.height, uniform(draws, MixBlock::kBoxCentre, 1), half_share);
  const double area = static_cast<double>(x.length) * y.length;
  return {.kind = MixKind::kCutmix,
          .share = 1 - area / (static_cast<double>(output.width) * output.height),
          .box = {x.begin, y.begin, x.length, y.length}};
}

}  // namespace

double symmetric_beta(double alpha, const Draws& draws, MixBlock block) noexcept {
  const double cosine = std::cos(2 * std::numbers::pi * uniform(draws, block, 1));
  // u = 0 and small alphas give infinity here, and 0 or 1 in the end.
  const double radius = std::pow(uniform(draws, block, 0), -1 / alpha) - 1;
  const double away = 0.5 / std::sqrt(1 + 1 / (radius * cosine * cosine));
  return cosine < 0 ? 0.5 - away : 0.5 + away;
}

MixDraws draw_mix(const AugmentConfig& config, SizePx output, const Draws& draws) noexcept {
  const bool has_both = config.mixup > 0 && config.cutmix > 0;
  const bool is_mixup = has_both ? uniform(draws, MixBlock::kChoice, 0) < 0.5 : config.mixup > 0;
  if (!is_mixup) return draw_cutmix(config.cutmix, output, draws);
  return {.kind = MixKind::kMixup,
          .share = symmetric_beta(config.mixup, draws, MixBlock::kMixupShare)};
}

}  // namespace penstock::augment
