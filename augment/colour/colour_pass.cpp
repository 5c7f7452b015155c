#include "augment/colour/colour_pass.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "augment/colour/pixel_colours.h"
#include "augment/colour/tone_steps.h"
#include "augment/simd_target.h"

// Partial sums are vectors in a fixed number.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/colour/colour_pass.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "augment/colour/finish_vectors-inl.h"
#include "augment/colour/pixel_sinks-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

constexpr std::size_t kNumSums = 32;
constexpr std::size_t kSumBlockPx = 4096;

/// Sum i takes the values i, i + 32, i + 64 and so on.
HWY_ATTR inline void sum_block(const float* values, std::size_t num_px, float* sums) {
  const D d;
  constexpr std::size_t kNum = kNumSums / hn::MaxLanes(D());
  V partial[kNum];
  for (V& sum : partial) sum = hn::Zero(d);
  std::size_t i = 0;
  for (; i + kNumSums <= num_px; i += kNumSums) {
    for (std::size_t k = 0; k < kNum; ++k) {
      partial[k] = hn::Add(partial[k], hn::LoadU(d, values + i + k * hn::Lanes(d)));
    }
  }
  for (std::size_t k = 0; k < kNum; ++k) hn::StoreU(partial[k], d, sums + k * hn::Lanes(d));
  for (std::size_t k = 0; i + k < num_px; ++k) sums[k] += values[i + k];
}

HWY_ATTR double plane_sum_of(const Canvas& canvas, std::uint32_t channel) {
  const float* const values = canvas.plane(channel).data();
  const std::size_t num_px = canvas.plane_px();
  double totals[kNumSums] = {};
  float sums[kNumSums];
  for (std::size_t begin = 0; begin < num_px && !canvas.is_abandoned(); begin += kSumBlockPx) {
    sum_block(values + begin, std::min(kSumBlockPx, num_px - begin), sums);
    for (std::size_t k = 0; k < kNumSums; ++k) totals[k] += sums[k];
  }
  double total = 0;
  for (const double one : totals) total += one;
  return total;
}

HWY_ATTR void apply_colours_of(const PixelColours& colours, const Canvas& canvas) {
  const std::size_t num_px = canvas.plane_px();
  for (std::size_t begin = 0; begin < num_px; begin += Canvas::kPieceValues) {
    if (canvas.is_abandoned()) return;
    const std::size_t count = std::min(Canvas::kPieceValues, num_px - begin);
    float* const red = canvas.values + begin;
    if (canvas.channels == 1) {
      finish_gray_into(red, count, colours, LineSink<Float32>{{red}});
      continue;
    }
    float* const green = red + num_px;
    float* const blue = green + num_px;
    finish_into({red, green, blue}, count, colours, LineSink<Float32>{{red, green, blue}});
  }
}

/// A whole turn in place: the planes change places with the channels.
HWY_ATTR void turn_canvas_of(const HueTurn& hue, const Canvas& canvas) {
  const D d;
  const std::size_t num_px = canvas.plane_px();
  const float share = hue.share;
  const float* from[3];
  float* to[3];
  for (std::uint32_t c = 0; c < 3; ++c) {
    from[c] = canvas.plane(hue.source[c]).data();
    to[c] = canvas.plane(hue.target[c]).data();
  }
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= num_px; i += hn::Lanes(d)) {
    if (i % Canvas::kPieceValues == 0 && canvas.is_abandoned()) return;
    const RgbVectors turned = turn_hue_of(
        {hn::LoadU(d, from[0] + i), hn::LoadU(d, from[1] + i), hn::LoadU(d, from[2] + i)}, share);
    hn::StoreU(turned.red, d, to[0] + i);
    hn::StoreU(turned.green, d, to[1] + i);
    hn::StoreU(turned.blue, d, to[2] + i);
  }
  for (; i < num_px; ++i) {
    const std::array<float, 3> turned = turn_hue({from[0][i], from[1][i], from[2][i]}, share);
    for (std::uint32_t c = 0; c < 3; ++c) to[c][i] = turned[c];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::augment {

HWY_EXPORT(plane_sum_of);
HWY_EXPORT(apply_colours_of);
HWY_EXPORT(turn_canvas_of);

namespace {

// Units of the stored pixels.
constexpr std::array<ChannelScale, 3> kStored{};

/// A tail on its way: what is put together, and the means of the canvas while it stays as it is.
class PendingTail {
 public:
  explicit PendingTail(const Canvas& canvas) noexcept : canvas_(canvas) {}

  void append_linear(const ColourStep& step) noexcept {
    if (tail_.hue_sixths) flush();
    if (step.kind == ColourStepKind::kContrast && !means_) means_ = channel_means(canvas_);
    if (!tail_.matrix) tail_.matrix.emplace(canvas_.channels);
    tail_.matrix->append(step, means_.value_or(ColourMatrix::Means{}));
  }

  void append_hue(float turns) noexcept {
    if (canvas_.channels == 1) return flush();  // a run of linear steps ends all the same
    if (tail_.hue_sixths) flush();
    tail_.hue_sixths = turn_sixths(turns);
  }

  /// Brings the canvas up to date.
  void flush() noexcept {
    apply_tail(tail_, canvas_);
    tail_ = {};
    means_.reset();
  }

  const ColourTail& tail() const noexcept { return tail_; }

 private:
  const Canvas& canvas_;
  ColourTail tail_;
  std::optional<ColourMatrix::Means> means_;
};

}  // namespace

float turn_sixths(float turns) noexcept {
  return turns < 0 ? turns * 6 + 6 : turns * 6;
}

ColourMatrix::Means channel_means(const Canvas& canvas) noexcept {
  ColourMatrix::Means means{};
  for (std::uint32_t c = 0; c < canvas.channels; ++c) {
    means[c] =
        HWY_DYNAMIC_DISPATCH(plane_sum_of)(canvas, c) / static_cast<double>(canvas.plane_px());
  }
  return means;
}

void apply_tail(const ColourTail& tail, const Canvas& canvas) noexcept {
  if (is_scalar_forced()) return apply_tail_pixel_by_pixel(tail, canvas);
  if (tail.matrix) {
    const PixelColours colours({.matrix = tail.matrix, .hue_sixths = {}}, kStored);
    HWY_DYNAMIC_DISPATCH(apply_colours_of)(colours, canvas);
  }
  if (tail.hue_sixths) HWY_DYNAMIC_DISPATCH(turn_canvas_of)(HueTurn(*tail.hue_sixths), canvas);
}

void apply_tail_pixel_by_pixel(const ColourTail& tail, const Canvas& canvas) noexcept {
  const PixelColours colours({.matrix = tail.matrix, .hue_sixths = {}}, kStored);
  for (std::size_t i = 0; i < canvas.plane_px(); ++i) {
    if (i % Canvas::kPieceValues == 0 && canvas.is_abandoned()) return;
    if (canvas.channels == 1) {
      canvas.values[i] = finished_gray(canvas.values[i], colours);
      continue;
    }
    std::array<float, 3> rgb = {canvas.plane(0)[i], canvas.plane(1)[i], canvas.plane(2)[i]};
    if (tail.matrix) rgb = finished_pixel(rgb, colours);
    if (tail.hue_sixths) {
      const HueTurn hue(*tail.hue_sixths);
      rgb = in_order(rgb, hue, [&](const auto& ordered) { return turn_hue(ordered, hue.share); });
    }
    for (std::uint32_t c = 0; c < 3; ++c) canvas.plane(c)[i] = rgb[c];
  }
}

ColourTail apply_colour_steps(std::span<const ColourStep> steps, const Canvas& canvas,
                              std::span<std::byte> scratch) noexcept {
  PendingTail pending(canvas);
  for (const ColourStep& step : steps) {
    if (canvas.is_abandoned()) break;
    if (is_linear(step.kind)) {
      pending.append_linear(step);
    } else if (is_tone_step(step.kind)) {
      pending.flush();
      apply_tone_step(step, canvas, scratch);
    } else {
      pending.append_hue(step.amount);
    }
  }
  return pending.tail();
}

}  // namespace penstock::augment
#endif
