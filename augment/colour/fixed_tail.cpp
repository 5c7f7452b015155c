#include "augment/colour/fixed_tail.h"

#include <cmath>

namespace penstock::augment {
namespace {

constexpr double kOne = 0x1p15;
constexpr int kMostShift = 3;   // an error of half a level at most
constexpr double kRoom = 0.99;  // for the roundings of sums

std::int16_t nearest(double value) noexcept {
  return static_cast<std::int16_t>(std::clamp(std::round(value), -32767.0, 32767.0));
}

}  // namespace

FixedTail::FixedTail(const ColourTail& tail) noexcept
    : hue(*tail.hue_sixths), share(nearest(hue.share * kOne)) {
  if (!tail.matrix) return;
  const SharedMix mix = tail.matrix->shared_mix();
  double reach = std::abs(mix.own) + std::abs(mix.offset) / 255;
  for (const double gain : mix.shared) reach += std::abs(gain);
  double unit = kOne;
  while (shift <= kMostShift && !(reach * unit <= kRoom * kOne)) {
    ++shift;
    unit /= 2;
  }
  has_mix = shift <= kMostShift;
  if (!has_mix) return;
  own = nearest(mix.own * unit);
  for (std::size_t i = 0; i < 3; ++i) shared[i] = nearest(mix.shared[hue.source[i]] * unit);
  offset = nearest(mix.offset * kFixedPerLevel * unit / kOne);
}

}  // namespace penstock::augment
