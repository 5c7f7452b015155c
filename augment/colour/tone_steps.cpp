#include "augment/colour/tone_steps.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "augment/colour/sharpness_stride.h"

// Vectors without a fixed size make no arrays of lanes.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/colour/tone_steps.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr std::size_t kMaxLanes = hn::MaxLanes(D());

HWY_ATTR inline V clamped(V value) {
  const D d;
  return hn::Min(hn::Max(value, hn::Zero(d)), hn::Set(d, 255.0f));
}

HWY_ATTR inline V whole(V value) {
  return hn::Round(clamped(value));
}

/// As a conversion of torch to uint8: what lies behind the point is cut off.
HWY_ATTR inline V cut_to_byte(V value) {
  return hn::Floor(clamped(value));
}

/// to[i] = op(from[i]); the two may be the same. The last, incomplete vector goes through a copy.
template <class Op>
HWY_ATTR inline void map_floats(const float* from, float* to, std::size_t count, const Op& op) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(op(hn::LoadU(d, from + i)), d, to + i);
  if (i == count) return;
  HWY_ALIGN float rest[kMaxLanes] = {};
  std::memcpy(rest, from + i, (count - i) * sizeof(float));
  hn::Store(op(hn::Load(d, rest)), d, rest);
  std::memcpy(to + i, rest, (count - i) * sizeof(float));
}

/// Maps values of the canvas in place, piece by piece.
template <class Op>
HWY_ATTR inline void map_values(const Canvas& canvas, std::span<float> values, const Op& op) {
  for (std::size_t begin = 0; begin < values.size(); begin += Canvas::kPieceValues) {
    if (canvas.is_abandoned()) return;
    float* const piece = values.data() + begin;
    map_floats(piece, piece, std::min(Canvas::kPieceValues, values.size() - begin), op);
  }
}

template <class Op>
HWY_ATTR inline void map_canvas(const Canvas& canvas, const Op& op) {
  map_values(canvas, {canvas.values, canvas.channels * canvas.plane_px()}, op);
}

/// Keeps the `bits` highest bits: img & -(2 ** (8 - bits)).
HWY_ATTR void posterize(const Canvas& canvas, float bits) {
  const D d;
  const float step = std::ldexp(1.0f, 8 - static_cast<int>(bits));
  const V steps = hn::Set(d, step);
  const V inverse = hn::Set(d, 1 / step);  // a power of two: nothing is rounded
  map_canvas(canvas, [&](V value) HWY_ATTR {
    return hn::Mul(hn::Floor(hn::Mul(whole(value), inverse)), steps);
  });
}

HWY_ATTR void solarize(const Canvas& canvas, float threshold) {
  const D d;
  map_canvas(canvas, [&](V value) HWY_ATTR {
    const V byte = whole(value);
    return hn::IfThenElse(hn::Ge(byte, hn::Set(d, threshold)), hn::Sub(hn::Set(d, 255.0f), byte),
                          byte);
  });
}

struct Extremes {
  float lowest;
  float highest;
};

/// Of values that are at least one.
HWY_ATTR inline Extremes extremes_of(std::span<const float> values) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  Extremes found{values[0], values[0]};
  std::size_t i = 0;
  if (values.size() >= lanes) {
    V lowest = hn::LoadU(d, values.data());
    V highest = lowest;
    for (; i + lanes <= values.size(); i += lanes) {
      const V value = hn::LoadU(d, values.data() + i);
      lowest = hn::Min(lowest, value);
      highest = hn::Max(highest, value);
    }
    found = {hn::GetLane(hn::MinOfLanes(d, lowest)), hn::GetLane(hn::MaxOfLanes(d, highest))};
  }
  for (; i < values.size(); ++i) {
    found.lowest = std::min(found.lowest, values[i]);
    found.highest = std::max(found.highest, values[i]);
  }
  return found;
}

/// Of a plane that is not empty, as whole numbers.
HWY_ATTR inline Extremes whole_extremes_of(const Canvas& canvas, std::span<const float> plane) {
  Extremes found{plane[0], plane[0]};
  for (std::size_t begin = 0; begin < plane.size(); begin += Canvas::kPieceValues) {
    if (canvas.is_abandoned()) break;
    const Extremes piece =
        extremes_of(plane.subspan(begin, std::min(Canvas::kPieceValues, plane.size() - begin)));
    found.lowest = std::min(found.lowest, piece.lowest);
    found.highest = std::max(found.highest, piece.highest);
  }
  const auto byte = [](float value) { return std::nearbyint(std::clamp(value, 0.0f, 255.0f)); };
  return {byte(found.lowest), byte(found.highest)};
}

HWY_ATTR void auto_contrast(const Canvas& canvas) {
  const D d;
  for (std::uint32_t c = 0; c < canvas.channels; ++c) {
    const std::span<float> plane = canvas.plane(c);
    const Extremes found = whole_extremes_of(canvas, plane);
    const bool is_flat = found.lowest == found.highest;
    // torch divides a number by a tensor in two steps, and both are rounded.
    const float scale = is_flat ? 1.0f : 1.0f / (found.highest - found.lowest) * 255.0f;
    const V factor = hn::Set(d, scale);
    const V lowest = hn::Set(d, is_flat ? 0.0f : found.lowest);
    map_values(canvas, plane, [&](V value) HWY_ATTR {
      return cut_to_byte(hn::Mul(hn::Sub(whole(value), lowest), factor));
    });
  }
}

constexpr std::size_t kBlockPx = 256;  // small enough to stay in the first cache
using Bytes = std::array<std::uint8_t, kBlockPx>;

HWY_ATTR inline void to_bytes(std::span<const float> block, Bytes& bytes) {
  const D d;
  const hn::Rebind<std::uint8_t, D> d_byte;
  const std::size_t lanes = hn::Lanes(d);
  const auto convert = [&](const float* from, std::uint8_t* to) HWY_ATTR {
    hn::StoreU(hn::DemoteTo(d_byte, hn::NearestInt(clamped(hn::LoadU(d, from)))), d_byte, to);
  };
  std::size_t i = 0;
  for (; i + lanes <= block.size(); i += lanes) convert(block.data() + i, bytes.data() + i);
  if (i == block.size()) return;
  HWY_ALIGN float rest[kMaxLanes] = {};
  std::memcpy(rest, block.data() + i, (block.size() - i) * sizeof(float));
  convert(rest, bytes.data() + i);  // a block is whole vectors, so there is room
}

/// Calls visit(bytes, block) for all of a plane.
template <class Visit>
HWY_ATTR inline void for_blocks(const Canvas& canvas, std::span<float> plane, const Visit& visit) {
  Bytes bytes;
  for (std::size_t begin = 0; begin < plane.size(); begin += kBlockPx) {
    if (begin % Canvas::kPieceValues == 0 && canvas.is_abandoned()) return;
    const std::span<float> block = plane.subspan(begin, std::min(kBlockPx, plane.size() - begin));
    to_bytes(block, bytes);
    visit(bytes, block);
  }
}

using Histogram = std::array<std::uint32_t, 256>;

/// Eight tables, because equal neighbours would wait for each other's count.
HWY_ATTR inline Histogram count_bytes(const Canvas& canvas, std::span<float> plane) {
  std::array<Histogram, 8> tables{};
  for_blocks(canvas, plane, [&](const Bytes& bytes, std::span<float> block) HWY_ATTR {
    std::size_t i = 0;
    for (; i + 8 <= block.size(); i += 8) {
      for (std::size_t j = 0; j < 8; ++j) ++tables[j][bytes[i + j]];
    }
    for (; i < block.size(); ++i) ++tables[0][bytes[i]];
  });
  Histogram sum{};
  for (std::size_t value = 0; value < sum.size(); ++value) {
    for (const Histogram& table : tables) sum[value] += table[value];
  }
  return sum;
}

/// What each byte becomes; the identity where the highest value has nearly all pixels.
inline std::array<float, 256> even_table(const Histogram& histogram) {
  std::array<float, 256> table{};
  std::uint64_t num_px = 0;
  std::uint64_t num_highest = 0;
  for (const std::uint32_t count : histogram) {
    num_px += count;
    if (count > 0) num_highest = count;
  }
  const std::uint64_t step = (num_px - num_highest) / 255;
  std::uint64_t num_below = 0;
  for (std::size_t value = 0; value < table.size(); ++value) {
    const std::uint64_t even =
        step == 0 ? value : std::min<std::uint64_t>((num_below + step / 2) / step, 255);
    table[value] = static_cast<float>(even);
    num_below += histogram[value];
  }
  return table;
}

HWY_ATTR void equalize(const Canvas& canvas) {
  for (std::uint32_t c = 0; c < canvas.channels; ++c) {
    const std::span<float> plane = canvas.plane(c);
    const std::array<float, 256> table = even_table(count_bytes(canvas, plane));
    for_blocks(canvas, plane, [&](const Bytes& bytes, std::span<float> block) HWY_ATTR {
      for (std::size_t i = 0; i < block.size(); ++i) block[i] = table[bytes[i]];
    });
  }
}

/// Sharpens the planes of one canvas row by row. Rows are rounded into scratch two ahead, and their sums
/// are made one ahead: a load that needs parts of two fresh stores would wait for both.
class Sharpener {
 public:
  HWY_ATTR Sharpener(const Canvas& canvas, float factor, float* scratch)
      : canvas_(canvas),
        width_(canvas.width_px),
        height_(canvas.height_px),
        stride_(sharpness_stride(canvas.width_px)),
        factor_(factor),
        other_factor_(static_cast<float>(1.0 - static_cast<double>(factor))),
        rows_(scratch),
        sums_(scratch + 3 * stride_) {}

  /// Of at least three rows and columns. The outermost pixels count as smooth as they are.
  HWY_ATTR void sharpen(float* plane) const {
    if (canvas_.is_abandoned()) return;
    for (std::size_t y = 0; y < 3; ++y) round_row(plane, y);
    add_rows(1);
    blend_as_it_is(rounded(0), plane, width_);
    for (std::size_t y = 1; y + 1 < height_; ++y) {
      if (canvas_.is_abandoned()) return;
      if (y + 2 < height_) {
        round_row(plane, y + 2);
        add_rows(y + 1);
      }
      blend_row(y, plane + y * width_);
    }
    blend_as_it_is(rounded(height_ - 1), plane + (height_ - 1) * width_, width_);
  }

 private:
  float* rounded(std::size_t y) const { return rows_ + y % 3 * stride_; }
  float* sums(std::size_t y) const { return sums_ + y % 2 * stride_; }

  HWY_ATTR void round_row(const float* plane, std::size_t y) const {
    map_floats(plane + y * width_, rounded(y), width_,
               [](V value) HWY_ATTR { return whole(value); });
  }

  HWY_ATTR void blend_as_it_is(const float* from, float* to, std::size_t count) const {
    const Factors f = factors();
    map_floats(from, to, count, [f](V value) HWY_ATTR { return blended(value, value, f); });
  }

  // Copies: a store of a vector may change any member, for all that g++ knows.
  struct Factors {
    V factor;
    V other;
  };
  HWY_ATTR Factors factors() const { return {hn::Set(D(), factor_), hn::Set(D(), other_factor_)}; }

  static HWY_INLINE HWY_ATTR V blended(V value, V smooth, const Factors& factors) {
    return cut_to_byte(hn::Add(hn::Mul(factors.factor, value), hn::Mul(factors.other, smooth)));
  }

  /// Of each column's three pixels about row y. Rows in scratch are whole vectors.
  HWY_ATTR void add_rows(std::size_t y) const {
    const D d;
    const float* const above = rounded(y - 1);
    const float* const here = rounded(y);
    const float* const below = rounded(y + 1);
    float* const to = sums(y);
    const std::size_t width = width_;
    for (std::size_t i = 0; i < width; i += hn::Lanes(d)) {
      const V outer = hn::Add(hn::LoadU(d, above + i), hn::LoadU(d, below + i));
      hn::StoreU(hn::Add(outer, hn::LoadU(d, here + i)), d, to + i);
    }
  }

  /// Three by three pixels, the middle one five times, of 13. Sums of whole numbers are exact, and no
  /// thirteenth lies near a half, so rounding the product is rounding the quotient.
  static HWY_INLINE HWY_ATTR V smoothed(const float* sums, V value) {
    const D d;
    const V around =
        hn::Add(hn::Add(hn::LoadU(d, sums - 1), hn::LoadU(d, sums)), hn::LoadU(d, sums + 1));
    const V sum = hn::Add(around, hn::Mul(hn::Set(d, 4.0f), value));
    return hn::Round(hn::Mul(sum, hn::Set(d, 1.0f / 13)));
  }

  HWY_ATTR void blend_row(std::size_t y, float* to) const {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t width = width_;
    const float* const here = rounded(y);
    const float* const around = sums(y);
    const Factors f = factors();
    const auto blended_at = [=](std::size_t i) HWY_ATTR {
      const V value = hn::LoadU(D(), here + i);
      return blended(value, smoothed(around + i, value), f);
    };
    // From the first pixel on, so that stores keep their alignment; scratch goes on at both ends.
    std::size_t i = 0;
    for (; i + lanes <= width; i += lanes) hn::StoreU(blended_at(i), d, to + i);
    if (i < width) {
      HWY_ALIGN float rest[kMaxLanes];
      hn::Store(blended_at(i), d, rest);
      std::memcpy(to + i, rest, (width - i) * sizeof(float));
    }
    for (const std::size_t edge : {std::size_t{0}, width - 1}) {
      const V value = hn::Set(d, here[edge]);
      to[edge] = hn::GetLane(blended(value, value, f));
    }
  }

  const Canvas& canvas_;
  std::size_t width_;
  std::size_t height_;
  std::size_t stride_;
  float factor_;
  float other_factor_;
  float* rows_;  // three, rounded
  float* sums_;  // two
};

HWY_ATTR void sharpen(const Canvas& canvas, float factor, float* scratch) {
  if (canvas.width_px <= 2 || canvas.height_px <= 2) {  // torchvision leaves them as they are
    return map_canvas(canvas, [](V value) HWY_ATTR { return whole(value); });
  }
  const Sharpener sharpener(canvas, factor, scratch);
  for (std::uint32_t c = 0; c < canvas.channels; ++c) sharpener.sharpen(canvas.plane(c).data());
}

HWY_ATTR void apply_step(const ColourStep& step, const Canvas& canvas, float* scratch) {
  switch (step.kind) {
    case ColourStepKind::kPosterize:
      return posterize(canvas, step.amount);
    case ColourStepKind::kSolarize:
      return solarize(canvas, step.amount);
    case ColourStepKind::kAutoContrast:
      return auto_contrast(canvas);
    case ColourStepKind::kEqualize:
      return equalize(canvas);
    case ColourStepKind::kSharpness:
      return sharpen(canvas, step.amount, scratch);
    case ColourStepKind::kChannelShift:
    case ColourStepKind::kBrightness:
    case ColourStepKind::kContrast:
    case ColourStepKind::kSaturation:
    case ColourStepKind::kHue:
      return;  // not of these
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::augment {

HWY_EXPORT(apply_step);

bool is_tone_step(ColourStepKind kind) noexcept {
  return kind >= ColourStepKind::kPosterize;
}

std::size_t tone_scratch_bytes(std::uint32_t width_px) noexcept {
  return 5 * sizeof(float) * sharpness_stride(width_px);  // sharpness: three rows, two of sums
}

void apply_tone_step(const ColourStep& step, const Canvas& canvas,
                     std::span<std::byte> scratch) noexcept {
  if (canvas.plane_px() == 0) return;
  HWY_DYNAMIC_DISPATCH(apply_step)(step, canvas, reinterpret_cast<float*>(scratch.data()));
}

}  // namespace penstock::augment
#endif
