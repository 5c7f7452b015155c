#include "augment/colour/fixed_canvas.h"

#include <algorithm>
#include <cmath>

#include "augment/colour/fixed_tail.h"
#include "augment/warp/low_halves.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/colour/fixed_canvas.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Of at most 2^16 values: the sum goes into 32 bits.
HWY_ATTR std::int32_t fixed_sum_of(const std::int16_t* values, std::size_t count) {
  std::int32_t total = 0;
  std::size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::int16_t> d;
  const hn::RepartitionToWide<decltype(d)> d_sum;
  const auto one = hn::Set(d, 1);
  auto sum = hn::Zero(d_sum);
  auto rest = hn::Zero(d_sum);
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    sum = hn::ReorderWidenMulAccumulate(d_sum, hn::LoadU(d, values + i), one, sum, rest);
  }
  total = hn::GetLane(hn::SumOfLanes(d_sum, hn::Add(sum, rest)));
#endif
  for (; i < count; ++i) total += values[i];
  return total;
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::augment {

HWY_EXPORT(fixed_sum_of);

ChannelScale fixed_scale(float fill) noexcept {
  return {
      .gain = kFixedPerLevel, .bias = kLowHalfBias, .fill = fill * kFixedPerLevel + kLowHalfBias};
}

bool keep_fixed(std::span<const ColourStep> steps, std::uint32_t channels) noexcept {
  if (channels != 3 || steps.empty() || steps.back().kind != ColourStepKind::kHue) return false;
  double reach = 1;  // of the matrix, at most: no mean is above 255
  for (const ColourStep& step : steps.first(steps.size() - 1)) {
    if (!is_linear(step.kind)) return false;
    const double amount = step.amount;
    if (step.kind == ColourStepKind::kChannelShift) {
      reach += std::abs(amount) / 255;
    } else if (step.kind == ColourStepKind::kBrightness) {
      reach *= std::abs(amount);
    } else {
      reach *= std::abs(amount) + std::abs(1 - amount);
    }
  }
  return reach <= FixedTail::kMostReach;
}

ColourMatrix::Means fixed_means(const FixedCanvas& canvas) noexcept {
  constexpr std::size_t kPieceValues = std::size_t{1} << 15;
  ColourMatrix::Means means{};
  for (std::size_t c = 0; c < 3; ++c) {
    const std::int16_t* const plane = canvas.values + c * canvas.plane_px;
    std::int64_t total = 0;
    for (std::size_t i = 0; i < canvas.plane_px && !canvas.is_abandoned(); i += kPieceValues) {
      total += HWY_DYNAMIC_DISPATCH(fixed_sum_of)(plane + i,
                                                  std::min(kPieceValues, canvas.plane_px - i));
    }
    means[c] = static_cast<double>(total) / kFixedPerLevel / static_cast<double>(canvas.plane_px);
  }
  return means;
}

ColourTail fixed_canvas_tail(std::span<const ColourStep> steps,
                             const FixedCanvas& canvas) noexcept {
  ColourTail tail;
  tail.hue_sixths = turn_sixths(steps.back().amount);
  const std::span<const ColourStep> linear = steps.first(steps.size() - 1);
  if (linear.empty()) return tail;
  const bool has_contrast = std::ranges::any_of(
      linear, [](const ColourStep& step) { return step.kind == ColourStepKind::kContrast; });
  const ColourMatrix::Means means = has_contrast ? fixed_means(canvas) : ColourMatrix::Means{};
  tail.matrix.emplace(3);
  for (const ColourStep& step : linear) tail.matrix->append(step, means);
  return tail;
}

}  // namespace penstock::augment
#endif
