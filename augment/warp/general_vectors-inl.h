// The vector operations of warp_general.cpp, which includes this behind <hwy/highway.h>, once for each
// of Highway's targets.
#if defined(PENSTOCK_AUGMENT_GENERAL_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_GENERAL_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_GENERAL_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_GENERAL_VECTORS_INL_H_
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "augment/warp/general_axis.h"
#include "augment/warp/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

using D64 = hn::ScalableTag<double>;
using DBits = hn::ScalableTag<std::uint64_t>;
using DWord = hn::Rebind<std::uint32_t, D>;
using V64 = hn::Vec<D64>;
using VBits = hn::Vec<DBits>;
using VWord = hn::Vec<DWord>;

/// As many doubles as a vector has floats.
struct Doubles {
  V64 low;
  V64 high;
};

HWY_INLINE HWY_ATTR V to_floats(const Doubles& doubles) {
  const hn::Half<D> d;
  return hn::Combine(D(), hn::DemoteTo(d, doubles.high), hn::DemoteTo(d, doubles.low));
}

using DWhole = hn::ScalableTag<std::int64_t>;
using VWhole = hn::Vec<DWhole>;

/// Steps of RowPositions from the first position of a vector to each: the same for a whole picture,
/// and made long before they are loaded, since a load of what was just stored in parts waits.
struct PositionSteps {
  explicit PositionSteps(std::int64_t one_step) {
    for (std::size_t i = 0; i < kNum; ++i) steps[i] = one_step * static_cast<std::int64_t>(i);
  }
  static constexpr std::size_t kNum = hn::MaxLanes(D());

  alignas(64) std::int64_t steps[kNum];
};

/// As many positions of RowPositions as a vector has floats, then the next ones, in 2^-32 pixel.
class RunningPositions {
 public:
  HWY_INLINE HWY_ATTR RunningPositions(const RowPositions& along, const PositionSteps& steps,
                                       std::uint32_t first_px) {
    const DWhole d;
    const VWhole first = hn::Set(d, along.start + along.step * std::int64_t{first_px});
    low_ = hn::Add(first, hn::Load(d, steps.steps));
    high_ = hn::Add(first, hn::Load(d, steps.steps + hn::Lanes(d)));
    next_ = hn::Set(d, along.step * static_cast<std::int64_t>(2 * hn::Lanes(d)));
  }

  HWY_INLINE HWY_ATTR void advance() {
    low_ = hn::Add(low_, next_);
    high_ = hn::Add(high_, next_);
  }

  /// The whole pixels at or before them.
  HWY_INLINE HWY_ATTR VInt pixels() const {
    const DInt d;
    return hn::ConcatOdd(d, hn::BitCast(d, high_), hn::BitCast(d, low_));
  }

  /// How far they lie beyond these, in 2^-24 pixel.
  HWY_INLINE HWY_ATTR VInt rests() const {
    const DWord d;
    const VWord below = hn::ConcatEven(d, hn::BitCast(d, high_), hn::BitCast(d, low_));
    return hn::BitCast(DInt(), hn::ShiftRight<kGuardBits>(below));
  }

  /// RowPositions::at()
  HWY_INLINE HWY_ATTR Doubles in_pixels() const { return {in_pixels(low_), in_pixels(high_)}; }

 private:
  // Whole numbers of less than 2^51 beside 1.5 * 2^52, whose bits count up and down.
  static HWY_INLINE HWY_ATTR V64 in_pixels(VWhole position) {
    constexpr double kMiddle = 6755399441055744.0;
    const D64 d;
    const DWhole d_whole;
    const VWhole units = hn::ShiftRight<kGuardBits>(position);
    const VWhole bits = hn::Add(units, hn::BitCast(d_whole, hn::Set(d, kMiddle)));
    return hn::Mul(hn::Sub(hn::BitCast(d, bits), hn::Set(d, kMiddle)),
                   hn::Set(d, 1.0 / (1 << kPositionBits)));
  }

  VWhole low_;
  VWhole high_;
  VWhole next_;
};

/// Exact.
HWY_INLINE HWY_ATTR V weight_of(VInt rest) {
  return hn::Mul(hn::ConvertTo(D(), rest), hn::Set(D(), 1.0f / (1 << kPositionBits)));
}

/// Positions on an axis, clamped to the part at hand.
struct ClampedPositions {
  VInt pixel;
  V weight;
};

/// For Interpolation::kNearest: the pixel that a position lies in.
HWY_INLINE HWY_ATTR ClampedPositions snapped(const ClampedPositions& position,
                                             const GeneralAxis& axis) {
  if (!axis.snaps) return position;
  const DInt d;
  const auto is_next = hn::RebindMask(d, hn::Ge(position.weight, hn::Set(D(), 0.5f)));
  return {hn::Add(position.pixel, hn::IfThenElseZero(is_next, hn::Set(d, 1))), hn::Zero(D())};
}

/// Positions that lie within the part at hand.
HWY_INLINE HWY_ATTR ClampedPositions inner(const RunningPositions& positions,
                                           const GeneralAxis& axis) {
  return snapped({positions.pixels(), weight_of(positions.rests())}, axis);
}

HWY_INLINE HWY_ATTR ClampedPositions clamped(const RunningPositions& positions,
                                             const GeneralAxis& axis) {
  const DInt d;
  const auto begin_px = static_cast<std::int32_t>(axis.begin);
  const VInt begin = hn::Set(d, begin_px);
  const VInt end = hn::Set(d, static_cast<std::int32_t>(axis.end));
  const VInt pixel = positions.pixels();
  const auto is_within = hn::And(hn::Gt(pixel, hn::Set(d, begin_px - 1)), hn::Lt(pixel, end));
  return snapped({hn::Min(hn::Max(pixel, begin), end),
                  weight_of(hn::IfThenElseZero(is_within, positions.rests()))},
                 axis);
}

/// Where FillMode::kConstant shows the picture: from -0.5 to extent - 0.5, of which there are whole
/// eighths.
HWY_INLINE HWY_ATTR hn::Mask<DInt> is_inside(const RunningPositions& positions,
                                             const GeneralAxis& axis) {
  const DInt d;
  const double last = axis.extent - 0.5;
  const VInt last_px = hn::Set(d, static_cast<std::int32_t>(std::floor(last)));
  const VInt rest_end =
      hn::Set(d, 1 + static_cast<std::int32_t>((last - std::floor(last)) * (1 << kPositionBits)));
  const VInt pixel = positions.pixels();
  const VInt rest = positions.rests();
  const VInt before = hn::Set(d, -1);
  const auto is_behind_begin = hn::Or(
      hn::Gt(pixel, before),
      hn::And(hn::Eq(pixel, before), hn::Gt(rest, hn::Set(d, (1 << (kPositionBits - 1)) - 1))));
  const auto is_before_end =
      hn::Or(hn::Lt(pixel, last_px), hn::And(hn::Eq(pixel, last_px), hn::Lt(rest, rest_end)));
  return hn::And(is_behind_begin, is_before_end);
}

/// remainder_of()
HWY_INLINE HWY_ATTR V64 remainder_of(V64 x, V64 period) {
  return hn::Sub(x, hn::Mul(period, hn::Floor(hn::Div(x, period))));
}

/// folded()
HWY_INLINE HWY_ATTR V64 folded(V64 position, const GeneralAxis& axis) {
  if (!axis.folds()) return position;
  const D64 d;
  const V64 half = hn::Set(d, 0.5);
  const V64 from_edge = hn::Add(position, half);
  const V64 extent = hn::Set(d, axis.extent);
  if (axis.fill_mode == FillMode::kWrap) return hn::Sub(remainder_of(from_edge, extent), half);
  const V64 period = hn::Set(d, 2 * axis.extent);
  const V64 t = remainder_of(from_edge, period);
  return hn::Sub(hn::IfThenElse(hn::Gt(t, extent), hn::Sub(period, t), t), half);
}

HWY_INLINE HWY_ATTR Doubles folded(const Doubles& positions, const GeneralAxis& axis) {
  return {folded(positions.low, axis), folded(positions.high, axis)};
}

HWY_INLINE HWY_ATTR bool is_beside(V64 position, const GeneralAxis& axis) {
  const D64 d;
  return !hn::AllFalse(
      d, hn::Or(hn::Lt(position, hn::Zero(d)), hn::Gt(position, hn::Set(d, axis.last))));
}

/// Whether FillMode::kWrap has one of the folded positions between the last pixel and the first.
HWY_INLINE HWY_ATTR bool is_at_seam(const Doubles& positions, const GeneralAxis& axis) {
  return axis.fill_mode == FillMode::kWrap && !axis.snaps &&
         (is_beside(positions.low, axis) || is_beside(positions.high, axis));
}

HWY_INLINE HWY_ATTR V64 clamped(V64 position, const GeneralAxis& axis) {
  const D64 d;
  return hn::Max(hn::Min(position, hn::Set(d, axis.end)), hn::Set(d, axis.begin));
}

/// Where an image's pixels are in memory: places in a row and offsets of rows in bytes, of at most 32
/// bits, whatever wraps on the way.
struct PixelPlaces {
  PixelPlaces(const ImageView& image, const GeneralAxis& x, const GeneralAxis& y)
      : top(image.pixels_hwc),
        bottom(image.pixels_hwc + (image.height_px > 1 ? image.row_stride_bytes : 0)),
        row_step(static_cast<std::uint32_t>(image.row_stride_bytes)),
        pixel_step(image.channels),
        first_px(static_cast<std::uint32_t>(x.begin)),
        origin(0 - static_cast<std::uint32_t>(y.begin) * row_step - first_px * pixel_step),
        last_row(static_cast<std::int32_t>(std::max(y.end - 1, y.begin))),
        last_load(first_px * pixel_step + image.width_px * pixel_step -
                  static_cast<std::uint32_t>(kPairBytes)) {}

  const std::uint8_t* top;
  const std::uint8_t* bottom;
  std::uint32_t row_step;
  std::uint32_t pixel_step;
  std::uint32_t first_px;
  std::uint32_t origin;
  std::int32_t last_row;    // from which there is one below, if the image has two
  std::uint32_t last_load;  // the last place in a row from which 8 bytes can be read
};

/// Where eight bytes with a pixel and the one to its right begin.
HWY_INLINE HWY_ATTR VWord offsets_of(VWord place, VInt row_px, const PixelPlaces& places) {
  const DWord d;
  const VWord row = hn::Mul(hn::BitCast(d, row_px), hn::Set(d, places.row_step));
  return hn::Add(hn::Add(row, place), hn::Set(d, places.origin));
}

HWY_INLINE HWY_ATTR VWord place_of(VInt column_px, const PixelPlaces& places) {
  const DWord d;
  return hn::Mul(hn::BitCast(d, column_px), hn::Set(d, places.pixel_step));
}

/// For pixels at an edge: by how many bits the eight bytes have to be shifted down, and the weight of
/// the lower row, where both may be moved to stay within the picture.
struct Spots {
  VWord offset;
  VWord shift;
  V row_weight;
};

HWY_INLINE HWY_ATTR Spots spots_of(VInt column_px, const ClampedPositions& row,
                                   const PixelPlaces& places) {
  const DWord d;
  const VWord place = place_of(column_px, places);
  const VWord load = hn::Min(place, hn::Set(d, places.last_load));
  // On the last row: the one above, and all of the weight on the lower. Blends of bytes are exact.
  const VInt last_row = hn::Set(DInt(), places.last_row);
  const auto is_below = hn::RebindMask(D(), hn::Gt(row.pixel, last_row));
  return {offsets_of(load, hn::Min(row.pixel, last_row), places),
          hn::ShiftLeft<3>(hn::Sub(place, load)),
          hn::IfThenElse(is_below, hn::Set(D(), 1.0f), row.weight)};
}

/// clamped() of doubles.
HWY_INLINE HWY_ATTR ClampedPositions clamped(const Doubles& positions, const GeneralAxis& axis) {
  const Doubles within{clamped(positions.low, axis), clamped(positions.high, axis)};
  const Doubles whole{hn::Trunc(within.low), hn::Trunc(within.high)};
  return snapped({hn::ConvertTo(DInt(), to_floats(whole)),  // exact: less than 2^24
                  to_floats({hn::Sub(within.low, whole.low), hn::Sub(within.high, whole.high)})},
                 axis);
}

/// A pixel and the one to its right, 8 bytes, cut in two.
struct PixelPairs {
  VWord first;
  VWord second;
};

/// Pixels with their neighbours.
struct Corners {
  PixelPairs top;
  PixelPairs bottom;
  V column_weight;
  V row_weight;
};

/// The byte `kByte` of each pair.
template <std::uint32_t kByte>
HWY_INLINE HWY_ATTR VInt byte_of(const PixelPairs& pairs) {
  // Byte kByte % 4 of each 32 bits to the lowest place, zeros above.
  constexpr std::uint32_t kFirst = 0x80808000u + kByte % 4;
  alignas(16) static constexpr std::uint32_t kPlaces[4] = {kFirst, kFirst + 4, kFirst + 8,
                                                           kFirst + 12};
  const VWord places = hn::LoadDup128(DWord(), kPlaces);
  return hn::BitCast(DInt(),
                     hn::TableLookupBytesOr0(kByte < 4 ? pairs.first : pairs.second, places));
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
