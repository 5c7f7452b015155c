// The vector operations of warp_general.cpp, which includes this behind <hwy/highway.h>, once for each
// of Highway's targets.
#if defined(PENSTOCK_AUGMENT_GENERAL_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_GENERAL_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_GENERAL_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_GENERAL_VECTORS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "augment/general_axis.h"
#include "augment/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

using D64 = hn::ScalableTag<double>;
using DBits = hn::ScalableTag<std::uint64_t>;
using DWord = hn::Rebind<std::uint32_t, D>;
using DHalf = hn::Half<D>;
using V64 = hn::Vec<D64>;
using VBits = hn::Vec<DBits>;
using VWord = hn::Vec<DWord>;

/// As many doubles as a vector has floats.
struct Doubles {
  V64 low;
  V64 high;
};

HWY_INLINE HWY_ATTR V to_floats(const Doubles& doubles) {
  const DHalf d;
  return hn::Combine(D(), hn::DemoteTo(d, doubles.high), hn::DemoteTo(d, doubles.low));
}

/// The operations of RowPositions::at() for a vector of pixels.
HWY_INLINE HWY_ATTR Doubles positions_of(const RowPositions& along, std::uint32_t first_px) {
  const D64 d;
  const V64 factor = hn::Set(d, along.factor);
  const V64 row_term = hn::Set(d, along.row_term);
  const V64 offset = hn::Set(d, along.offset);
  const V64 low = hn::Iota(d, static_cast<double>(first_px));
  const V64 high = hn::Add(low, hn::Set(d, static_cast<double>(hn::Lanes(d))));
  return {hn::Add(hn::Add(hn::Mul(factor, low), row_term), offset),
          hn::Add(hn::Add(hn::Mul(factor, high), row_term), offset)};
}

/// remainder_of()
HWY_INLINE HWY_ATTR V64 remainder_of(V64 x, V64 period) {
  return hn::Sub(x, hn::Mul(period, hn::Floor(hn::Div(x, period))));
}

/// folded(), for inner positions without a division.
template <bool kIsInner>
HWY_INLINE HWY_ATTR V64 folded(V64 position, const GeneralAxis& axis) {
  if (!axis.folds()) return position;
  const D64 d;
  const V64 half = hn::Set(d, 0.5);
  const V64 from_edge = hn::Add(position, half);
  if constexpr (kIsInner) return hn::Sub(from_edge, half);
  const V64 extent = hn::Set(d, axis.extent);
  if (axis.fill_mode == FillMode::kWrap) return hn::Sub(remainder_of(from_edge, extent), half);
  const V64 period = hn::Set(d, 2 * axis.extent);
  const V64 t = remainder_of(from_edge, period);
  return hn::Sub(hn::IfThenElse(hn::Gt(t, extent), hn::Sub(period, t), t), half);
}

template <bool kIsInner>
HWY_INLINE HWY_ATTR Doubles folded(const Doubles& positions, const GeneralAxis& axis) {
  return {folded<kIsInner>(positions.low, axis), folded<kIsInner>(positions.high, axis)};
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

/// 1 where the picture is, 0 beside it.
HWY_INLINE HWY_ATTR V64 inside(V64 position, const GeneralAxis& axis) {
  const D64 d;
  const auto is_inside =
      hn::And(hn::Ge(position, hn::Set(d, -0.5)), hn::Le(position, hn::Set(d, axis.extent - 0.5)));
  return hn::IfThenElseZero(is_inside, hn::Set(d, 1.0));
}

HWY_INLINE HWY_ATTR hn::Mask<D> is_inside(const Doubles& positions, const GeneralAxis& axis) {
  const V ones = to_floats({inside(positions.low, axis), inside(positions.high, axis)});
  return hn::Gt(ones, hn::Zero(D()));
}

HWY_INLINE HWY_ATTR V64 snapped(V64 position, const GeneralAxis& axis) {
  if (!axis.snaps) return position;
  return hn::Floor(hn::Add(position, hn::Set(D64(), 0.5)));
}

/// Written so that NaN counts as the first pixel.
template <bool kIsInner>
HWY_INLINE HWY_ATTR V64 clamped(V64 position, const GeneralAxis& axis) {
  if constexpr (kIsInner) return snapped(position, axis);
  const D64 d;
  const V64 begin = hn::Set(d, axis.begin);
  const V64 end = hn::Set(d, axis.end);
  const V64 low = hn::IfThenElse(hn::Lt(position, end), position, end);
  return snapped(hn::IfThenElse(hn::Gt(position, begin), low, begin), axis);
}

/// Where an image's pixels are in memory. Offsets are whole doubles of less than 2^52, which are
/// exact: their bits count up from those of 2^52.
struct PixelPlaces {
  static constexpr double kWholeBits = 4503599627370496.0;  // 2^52

  PixelPlaces(const ImageView& image, const GeneralAxis& x, const GeneralAxis& y)
      : top(image.pixels_hwc),
        bottom(image.pixels_hwc + (image.height_px > 1 ? image.row_stride_bytes : 0)),
        row_bytes(static_cast<double>(image.row_stride_bytes)),
        pixel_bytes(image.channels),
        last_row(std::max(y.end - 1, y.begin)),
        origin(kWholeBits - y.begin * row_bytes - x.begin * pixel_bytes),
        last_load(origin + (x.begin + image.width_px) * pixel_bytes -
                  static_cast<double>(kPairBytes)) {}

  const std::uint8_t* top;
  const std::uint8_t* bottom;
  double row_bytes;
  double pixel_bytes;
  double last_row;  // from which there is one below, if the image has two
  double origin;
  double last_load;  // the last place in a row from which 8 bytes can be read, with the origin
};

/// Where eight bytes with a pixel and the one to its right begin, by how many bits they have to be
/// shifted down, and the weights of the lower row and the right column.
struct Spots {
  VBits offset;
  VBits shift;
  V64 row_weight;
  V64 column_weight;
};

HWY_INLINE HWY_ATTR VBits whole_bits(V64 number) {
  return hn::And(hn::BitCast(DBits(), number), hn::Set(DBits(), (std::uint64_t{1} << 52) - 1));
}

template <bool kIsInner>
HWY_INLINE HWY_ATTR Spots spots_of(V64 column, V64 row, const PixelPlaces& places) {
  const D64 d;
  const V64 column_px = hn::Trunc(column);
  V64 row_px = hn::Trunc(row);
  V64 place = hn::MulAdd(column_px, hn::Set(d, places.pixel_bytes), hn::Set(d, places.origin));
  VBits shift = hn::Zero(DBits());
  if constexpr (!kIsInner) {
    // On the last row: the one above, and all of the weight on the lower. Blends of bytes are exact.
    row_px = hn::Min(row_px, hn::Set(d, places.last_row));
    const V64 load = hn::Min(place, hn::Set(d, places.last_load));
    shift = whole_bits(hn::Add(hn::Mul(hn::Sub(place, load), hn::Set(d, 8.0)),
                               hn::Set(d, PixelPlaces::kWholeBits)));
    place = load;
  }
  const V64 offset = hn::MulAdd(row_px, hn::Set(d, places.row_bytes), place);
  return {whole_bits(offset), shift, hn::Sub(row, row_px), hn::Sub(column, column_px)};
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
