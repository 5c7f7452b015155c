// The vector operations of warp_cubic.cpp, which includes this behind <hwy/highway.h>, once for each of
// Highway's targets: taps and weights of filter_window.h, with the same operations.
#if defined(PENSTOCK_AUGMENT_CUBIC_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_CUBIC_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_CUBIC_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_CUBIC_VECTORS_INL_H_
#endif

#include <cstdint>

#include "augment/warp/filter_window.h"
#include "augment/warp/general_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

using DIntHalf = hn::Half<DInt>;

constexpr std::uint32_t kNumTaps = 4;

/// An axis of the part at hand, of kNumTaps pixels at least.
struct CubicAxis {
  explicit CubicAxis(const Axis& source)
      : inner({.last = source.last,
               .extent = source.extent,
               .begin = source.begin + 1,  // one tap lies before a position's own pixel, two behind
               .length = source.length - 1,
               .fill_mode = source.fill_mode},
              3),
        begin(source.begin),
        last_first(source.begin + (source.length - kNumTaps)),
        edge(source.extent - 0.5) {}

  GeneralAxis inner;  // positions with all taps in the part
  std::uint32_t begin;
  std::uint32_t last_first;  // from which there are kNumTaps pixels
  double edge;               // where the picture ends
};

/// Weights before they are divided by their sum, of half a vector of pixels.
struct RawWeights {
  V64 w0;
  V64 w1;
  V64 w2;
  V64 w3;
};

/// Where the taps of a vector of pixels begin, counted from the part's first pixel, and their weights.
struct CubicTaps {
  VInt first;
  RawWeights low;
  RawWeights high;
};

/// kernel_value() of distances below 1
HWY_INLINE HWY_ATTR V64 near_value(V64 x) {
  const D64 d;
  const V64 slope = hn::Sub(hn::Mul(hn::Set(d, 1.5), x), hn::Set(d, 2.5));
  return hn::Add(hn::Mul(hn::Mul(slope, x), x), hn::Set(d, 1.0));
}

/// kernel_value() of distances from 1 to 2
HWY_INLINE HWY_ATTR V64 far_value(V64 x) {
  const D64 d;
  const V64 slope = hn::Add(hn::Mul(hn::Set(d, -0.5), x), hn::Set(d, 2.5));
  return hn::Add(hn::Mul(hn::Sub(hn::Mul(slope, x), hn::Set(d, 4.0)), x), hn::Set(d, 2.0));
}

/// kernel_value()
HWY_INLINE HWY_ATTR V64 cubic_value(V64 distance) {
  const D64 d;
  const V64 x = hn::Abs(distance);
  const V64 far = hn::IfThenElseZero(hn::Lt(x, hn::Set(d, 2.0)), far_value(x));
  return hn::IfThenElse(hn::Lt(x, hn::Set(d, 1.0)), near_value(x), far);
}

HWY_INLINE HWY_ATTR V64 sum_of(const RawWeights& raw) {
  return hn::Add(hn::Add(hn::Add(raw.w0, raw.w1), raw.w2), raw.w3);
}

/// `rest`: how far positions lie beyond the second tap, in 2^-24 pixel.
HWY_INLINE HWY_ATTR RawWeights inner_weights(hn::Vec<DIntHalf> rest) {
  const D64 d;
  const V64 x = hn::Mul(hn::PromoteTo(d, rest), hn::Set(d, 1.0 / (1 << kPositionBits)));
  const V64 one = hn::Set(d, 1.0);
  return {far_value(hn::Add(one, x)), near_value(x), near_value(hn::Sub(one, x)),
          far_value(hn::Sub(hn::Set(d, 2.0), x))};
}

/// Positions with all taps in the part.
HWY_INLINE HWY_ATTR CubicTaps inner_taps(const RunningPositions& positions, const CubicAxis& axis) {
  const VInt rests = positions.rests();
  const VInt before = hn::Set(DInt(), static_cast<std::int32_t>(axis.begin) + 1);
  return {hn::Sub(positions.pixels(), before), inner_weights(hn::LowerHalf(DIntHalf(), rests)),
          inner_weights(hn::UpperHalf(DIntHalf(), rests))};
}

/// Any positions. Taps are moved into the part: a window's pixels are among them, and where the others
/// are, the kernel is 0. All numbers are exact: positions are whole multiples of 2^-24, folded too.
HWY_INLINE HWY_ATTR RawWeights outer_weights(V64 position, const CubicAxis& axis, V64& first) {
  const D64 d;
  const V64 begin = hn::Set(d, axis.begin);
  const V64 one = hn::Set(d, 1.0);
  const V64 p =
      hn::Max(hn::Min(folded(position, axis.inner), hn::Set(d, axis.edge)), hn::Set(d, -0.5));
  const V64 own_first = hn::Sub(hn::Floor(p), one);
  const V64 moved = hn::Max(hn::Min(own_first, hn::Set(d, axis.last_first)), begin);
  const V64 offset = hn::Sub(moved, p);
  RawWeights raw{cubic_value(offset), cubic_value(hn::Add(offset, one)),
                 cubic_value(hn::Add(offset, hn::Set(d, 2.0))),
                 cubic_value(hn::Add(offset, hn::Set(d, 3.0)))};
  // With little of a kernel in the part all weight is on the window's first pixel.
  const auto is_thin = hn::Not(hn::Gt(sum_of(raw), hn::Set(d, 0.25)));
  if (!hn::AllFalse(d, is_thin)) {
    const V64 tap = hn::Max(hn::Min(hn::Sub(own_first, moved), hn::Set(d, 3.0)), hn::Zero(d));
    const auto weight = [&](V64 w, double idx) HWY_ATTR {
      const V64 all = hn::IfThenElseZero(hn::Eq(tap, hn::Set(d, idx)), one);
      return hn::IfThenElse(is_thin, all, w);
    };
    raw = {weight(raw.w0, 0), weight(raw.w1, 1), weight(raw.w2, 2), weight(raw.w3, 3)};
  }
  first = hn::Sub(moved, begin);
  return raw;
}

HWY_INLINE HWY_ATTR VInt to_units(V64 low, V64 high) {
  const DIntHalf d;
  return hn::Combine(DInt(), hn::DemoteTo(d, high), hn::DemoteTo(d, low));
}

HWY_INLINE HWY_ATTR CubicTaps outer_taps(const RunningPositions& positions, const CubicAxis& axis) {
  const Doubles at = positions.in_pixels();
  V64 first_low;
  V64 first_high;
  const RawWeights low = outer_weights(at.low, axis, first_low);
  const RawWeights high = outer_weights(at.high, axis, first_high);
  return {to_units(first_low, first_high), low, high};
}

/// FilterWindow::column_weight() of a tap, from its raw weights and one by the sum.
HWY_INLINE HWY_ATTR V column_weight(V64 low, V64 high, const Doubles& inverse_sum) {
  const Doubles shares{hn::Mul(low, inverse_sum.low), hn::Mul(high, inverse_sum.high)};
  return hn::Mul(to_floats(shares), hn::Set(D(), 1.0f / FilterWindow::kOne));
}

/// Stores FilterWindow::column_weight() of every tap, `stride` floats from one tap to the next.
HWY_INLINE HWY_ATTR void store_column_weights(const CubicTaps& taps, std::size_t stride,
                                              float* to) {
  const D d;
  const V64 one = hn::Set(D64(), 1.0);
  const Doubles inverse_sum{hn::Div(one, sum_of(taps.low)), hn::Div(one, sum_of(taps.high))};
  hn::Store(column_weight(taps.low.w0, taps.high.w0, inverse_sum), d, to);
  hn::Store(column_weight(taps.low.w1, taps.high.w1, inverse_sum), d, to + stride);
  hn::Store(column_weight(taps.low.w2, taps.high.w2, inverse_sum), d, to + 2 * stride);
  hn::Store(column_weight(taps.low.w3, taps.high.w3, inverse_sum), d, to + 3 * stride);
}

/// Rounded as RowWeights rounds, which moves up before it cuts off; left where it was moved to.
HWY_INLINE HWY_ATTR V64 moved_up(V64 partial_sum, V64 inverse_sum) {
  const D64 d;
  constexpr double kOne = FilterWindow::kOne;
  return hn::Add(hn::Mul(hn::Mul(partial_sum, inverse_sum), hn::Set(d, kOne)),
                 hn::Set(d, kOne + 0.5));
}

/// RowWeights, two of 16 bits each in a word.
struct RowPairs {
  VInt first;
  VInt second;
};

HWY_INLINE HWY_ATTR VInt pair_of(VInt lower, VInt upper) {
  const DInt d;
  return hn::Or(hn::And(lower, hn::Set(d, 0xFFFF)), hn::ShiftLeft<16>(upper));
}

HWY_INLINE HWY_ATTR RowPairs row_pairs(const CubicTaps& taps) {
  const D64 d;
  const auto [l0, l1, l2, l3] = taps.low;
  const auto [h0, h1, h2, h3] = taps.high;
  const V64 low01 = hn::Add(l0, l1);
  const V64 high01 = hn::Add(h0, h1);
  const V64 low012 = hn::Add(low01, l2);
  const V64 high012 = hn::Add(high01, h2);
  const V64 one = hn::Set(d, 1.0);
  const V64 low_inverse = hn::Div(one, hn::Add(low012, l3));
  const V64 high_inverse = hn::Div(one, hn::Add(high012, h3));
  // Differences of partial sums that all lie kOne higher than they are.
  const VInt k = hn::Set(DInt(), FilterWindow::kOne);
  const VInt s0 = to_units(moved_up(l0, low_inverse), moved_up(h0, high_inverse));
  const VInt s1 = to_units(moved_up(low01, low_inverse), moved_up(high01, high_inverse));
  const VInt s2 = to_units(moved_up(low012, low_inverse), moved_up(high012, high_inverse));
  return {pair_of(hn::Sub(s0, k), hn::Sub(s1, s0)),
          pair_of(hn::Sub(s2, s1), hn::Sub(hn::Add(k, k), s2))};
}

using DBytes = hn::Repartition<std::uint8_t, D>;
using VBytes = hn::Vec<DBytes>;
using DShort = hn::Repartition<std::int16_t, D>;

/// The sum of a tap's four bytes in a column, for as many values as a vector has floats: bytes of two
/// rows side by side, 16 bits each, and the rows' weights likewise.
HWY_INLINE HWY_ATTR V column_sum(VBytes first, VBytes second, const RowPairs& weights) {
  const DInt d;
  const DShort d_short;
  VInt rest = hn::Zero(d);  // of units that keep two sums
  VInt sum = hn::ReorderWidenMulAccumulate(d, hn::BitCast(d_short, first),
                                           hn::BitCast(d_short, weights.first), hn::Zero(d), rest);
  sum = hn::ReorderWidenMulAccumulate(d, hn::BitCast(d_short, second),
                                      hn::BitCast(d_short, weights.second), sum, rest);
  return hn::ConvertTo(D(), hn::RearrangeToOddPlusEven(sum, rest));
}

/// Where column_sum() finds the bytes of two rows.
struct TapPlaces {
  /// Of three channels: from pairs of bytes, those of a pixel and of the next one.
  HWY_ALIGN static constexpr std::uint8_t kPixel[2][16] = {
      {0, 128, 1, 128, 2, 128, 3, 128, 4, 128, 5, 128, 128, 128, 128, 128},
      {6, 128, 7, 128, 8, 128, 9, 128, 10, 128, 11, 128, 128, 128, 128, 128}};
};

/// Two rows of four pixels of three channels in each block of 16 bytes, as pairs: the first two pixels
/// with two more bytes, and the last two.
struct RowPairBytes {
  HWY_INLINE HWY_ATTR RowPairBytes(VBytes a, VBytes b) {
    const DBytes d;
    first = hn::InterleaveLower(d, a, b);
    last = hn::CombineShiftRightBytes<12>(d, hn::InterleaveUpper(d, a, b), first);
  }

  template <std::uint32_t kTap>
  HWY_INLINE HWY_ATTR VBytes tap() const {
    const VBytes places = hn::LoadDup128(DBytes(), TapPlaces::kPixel[kTap % 2]);
    return hn::TableLookupBytesOr0(kTap < 2 ? first : last, places);
  }

  VBytes first;
  VBytes last;
};

/// The same of tap `kTap` of one channel, of which a block of 16 bytes has four times four pixels.
template <std::uint32_t kTap>
HWY_INLINE HWY_ATTR VBytes gray_tap(VBytes a, VBytes b) {
  constexpr std::uint32_t kLower = 0x80808000u + kTap;
  constexpr std::uint32_t kUpper = 0x80008080u + (kTap << 16);
  alignas(16) static constexpr std::uint32_t kFromA[4] = {kLower, kLower + 4, kLower + 8,
                                                          kLower + 12};
  alignas(16) static constexpr std::uint32_t kFromB[4] = {kUpper, kUpper + (4 << 16),
                                                          kUpper + (8 << 16), kUpper + (12 << 16)};
  const DBytes d;
  const VBytes from_a = hn::BitCast(d, hn::LoadDup128(DWord(), kFromA));
  const VBytes from_b = hn::BitCast(d, hn::LoadDup128(DWord(), kFromB));
  return hn::Or(hn::TableLookupBytesOr0(a, from_a), hn::TableLookupBytesOr0(b, from_b));
}

/// What overshoots is clamped, as filtered_value() does.
HWY_INLINE HWY_ATTR V clamped_value(V value) {
  const D d;
  return hn::IfThenElseZero(hn::Gt(value, hn::Zero(d)), hn::Min(value, hn::Set(d, 255.0f)));
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
