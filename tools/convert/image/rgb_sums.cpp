#include "tools/convert/image/rgb_sums.h"

// As for the kernels of augment.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tools/convert/image/rgb_sums.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace penstock::convert {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR
RgbSums sum_rgb_vectors(const std::uint8_t* rgb, std::size_t num_px) {
  return sum_rgb_scalar(rgb, num_px);
}
#else

namespace hn = hwy::HWY_NAMESPACE;

using D8 = hn::ScalableTag<std::uint8_t>;
using D16 = hn::Repartition<std::uint16_t, D8>;
using DSigned16 = hn::Repartition<std::int16_t, D8>;
using D32 = hn::Repartition<std::int32_t, D8>;
using D64 = hn::Repartition<std::uint64_t, D8>;
using V8 = hn::Vec<D8>;
using V16 = hn::Vec<D16>;

// Sum of products of 16-bit numbers, none above 255 * 255. Which lane holds which does not matter to a sum.
struct ProductSum {
  HWY_ATTR ProductSum() : low(hn::Zero(D32())), high(hn::Zero(D32())) {}
  HWY_INLINE void add(V16 a, V16 b) {
    low = hn::ReorderWidenMulAccumulate(D32(), hn::BitCast(DSigned16(), a),
                                        hn::BitCast(DSigned16(), b), low, high);
  }
  HWY_ATTR std::uint64_t total() const {
    // Each lane is below 2^32, not below 2^31.
    HWY_ALIGN std::uint32_t lanes[2][HWY_MAX_BYTES / 4];
    const hn::Repartition<std::uint32_t, D8> d;
    hn::Store(hn::BitCast(d, low), d, lanes[0]);
    hn::Store(hn::BitCast(d, high), d, lanes[1]);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) sum += std::uint64_t{lanes[0][i]} + lanes[1][i];
    return sum;
  }

  hn::Vec<D32> low;
  hn::Vec<D32> high;
};

struct WideSum {
  HWY_ATTR WideSum() : sums(hn::Zero(D64())) {}
  HWY_INLINE void add(V8 values) { sums = hn::Add(sums, hn::SumsOf8(values)); }
  HWY_ATTR std::uint64_t total() const { return hn::GetLane(hn::SumOfLanes(D64(), sums)); }

  hn::Vec<D64> sums;
};

// Of one colour. Named variables of this, not an array: the accumulators then stay in registers.
struct ColourSum {
  HWY_INLINE void add(V8 values, V16 low, V16 high) {
    sum.add(values);
    squares.add(low, low);
    squares.add(high, high);
  }
  HWY_ATTR void add_to(std::uint64_t& all, std::uint64_t& all_squares) const {
    all += sum.total();
    all_squares += squares.total();
  }

  WideSum sum;
  ProductSum squares;
};

// (19595 r + 38470 g + 7471 b + 32768) >> 16. The factors add up to 65536, so this is g, and the upper half
// of 19595 (r - g) + 7471 (b - g) + 32768: upper halves of the products, and what their lower ones carry.
HWY_INLINE V16 luma(V16 r, V16 g, V16 b) {
  const D16 d;
  const DSigned16 ds;
  const auto of_r = hn::Set(ds, 19595);
  const auto of_b = hn::Set(ds, 7471);
  const auto r_g = hn::BitCast(ds, hn::Sub(r, g));
  const auto b_g = hn::BitCast(ds, hn::Sub(b, g));
  const V16 low_b = hn::BitCast(d, hn::Mul(b_g, of_b));
  const V16 low = hn::Add(hn::BitCast(d, hn::Mul(r_g, of_r)), low_b);
  const V16 minus_carry = hn::VecFromMask(d, hn::Lt(low, low_b));
  const V16 carry_of_half = hn::ShiftRight<15>(low);
  const V16 high = hn::BitCast(d, hn::Add(hn::MulHigh(r_g, of_r), hn::MulHigh(b_g, of_b)));
  return hn::Add(hn::Add(g, high), hn::Sub(carry_of_half, minus_carry));
}

HWY_ATTR RgbSums sum_rgb_vectors(const std::uint8_t* rgb, std::size_t num_px) {
  const D8 d8;
  const D16 d16;
  const std::size_t lanes = hn::Lanes(d8);
  const V8 zero = hn::Zero(d8);
  const V16 one = hn::Set(d16, 1);
  ColourSum red;
  ColourSum green;
  ColourSum blue;
  ProductSum gray;
  ProductSum gray_squares;
  std::size_t i = 0;
  for (; i + lanes <= num_px; i += lanes) {
    V8 r;
    V8 g;
    V8 b;
    hn::LoadInterleaved3(d8, rgb + 3 * i, r, g, b);
    const V16 low_r = hn::BitCast(d16, hn::InterleaveLower(d8, r, zero));
    const V16 low_g = hn::BitCast(d16, hn::InterleaveLower(d8, g, zero));
    const V16 low_b = hn::BitCast(d16, hn::InterleaveLower(d8, b, zero));
    const V16 high_r = hn::BitCast(d16, hn::InterleaveUpper(d8, r, zero));
    const V16 high_g = hn::BitCast(d16, hn::InterleaveUpper(d8, g, zero));
    const V16 high_b = hn::BitCast(d16, hn::InterleaveUpper(d8, b, zero));
    red.add(r, low_r, high_r);
    green.add(g, low_g, high_g);
    blue.add(b, low_b, high_b);
    const V16 low_y = luma(low_r, low_g, low_b);
    const V16 high_y = luma(high_r, high_g, high_b);
    gray.add(hn::Add(low_y, high_y), one);
    gray_squares.add(low_y, low_y);
    gray_squares.add(high_y, high_y);
  }
  RgbSums sums = sum_rgb_scalar(rgb + 3 * i, num_px - i);
  red.add_to(sums.sum[0], sums.sum_of_squares[0]);
  green.add_to(sums.sum[1], sums.sum_of_squares[1]);
  blue.add_to(sums.sum[2], sums.sum_of_squares[2]);
  sums.sum_of_gray += gray.total();
  sums.sum_of_gray_squares += gray_squares.total();
  return sums;
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace penstock::convert
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::convert {

HWY_EXPORT(sum_rgb_vectors);

RgbSums sum_rgb(const std::uint8_t* rgb, std::size_t num_px) noexcept {
  return HWY_DYNAMIC_DISPATCH(sum_rgb_vectors)(rgb, num_px);
}

RgbSums sum_rgb_scalar(const std::uint8_t* rgb, std::size_t num_px) noexcept {
  RgbSums sums;
  for (std::size_t i = 0; i < num_px; ++i, rgb += 3) {
    for (int c = 0; c < 3; ++c) {
      const std::uint32_t value = rgb[c];
      sums.sum[c] += value;
      sums.sum_of_squares[c] += value * value;
    }
    const std::uint32_t gray = (19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16;
    sums.sum_of_gray += gray;
    sums.sum_of_gray_squares += gray * gray;
  }
  return sums;
}

}  // namespace penstock::convert
#endif
