// The vector operations of filter_halves.cpp, which includes this behind <hwy/highway.h>, once for each
// of Highway's targets.
//
// A halved pixel is the sum of 4 x 4 bytes with the weights 1, 3, 3, 1 along both axes, a 64th of it: at
// most 64 * 255, so 16 bits hold it. Every product and sum of filter_pixel.h is exact for these weights,
// so this is the same value.
#if defined(PENSTOCK_AUGMENT_HALVES_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_HALVES_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_HALVES_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_HALVES_VECTORS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "augment/warp/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

using DU16 = hn::Repartition<std::uint16_t, D>;
using DHalfBytes = hn::Rebind<std::uint8_t, DU16>;

constexpr auto kLanes = static_cast<std::uint32_t>(hn::MaxLanes(D()));
constexpr std::uint32_t kLanes16 = 2 * kLanes;
constexpr std::uint32_t kHalvedTaps = 4;
constexpr std::uint32_t kPixelLanes = 4;  // that hold the three channels of one pixel
/// Whole weights of rows (FilterWindow::kOne) over the 1, 3, 3, 1 of these.
constexpr float kWholeOfHalved = 2048;

/// Four rows of `num_bytes`, at least a vector, weighed 1, 3, 3, 1.
HWY_INLINE HWY_ATTR void sum_halved_rows(const std::uint8_t* rows, std::size_t stride,
                                         std::size_t num_bytes, std::uint16_t* sums) {
  const DU16 d;
  const DHalfBytes d_bytes;
  for (std::size_t done = 0; done < num_bytes; done += kLanes16) {
    const std::size_t at = std::min<std::size_t>(done, num_bytes - kLanes16);
    const std::uint8_t* const from = rows + at;
    const auto outer = hn::Add(hn::PromoteTo(d, hn::LoadU(d_bytes, from)),
                               hn::PromoteTo(d, hn::LoadU(d_bytes, from + 3 * stride)));
    const auto inner = hn::Add(hn::PromoteTo(d, hn::LoadU(d_bytes, from + stride)),
                               hn::PromoteTo(d, hn::LoadU(d_bytes, from + 2 * stride)));
    hn::StoreU(hn::Add(hn::Add(outer, inner), hn::Add(inner, inner)), d, sums + at);
  }
}

/// Takes the channels of `num_px` pixels apart, and of some behind them.
HWY_INLINE HWY_ATTR void split_channels_of(const std::uint16_t* mixed, std::size_t num_px,
                                           std::uint16_t* planes, std::size_t plane_px) {
  const DU16 d;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  // Two look-ups a vector: from the first two vectors, then the third into its places.
  struct Places {
    constexpr Places() {
      for (std::uint32_t c = 0; c < 3; ++c) {
        for (std::uint32_t i = 0; i < 32; ++i) {
          const std::uint32_t from = 3 * i + c;
          two[c][i] = static_cast<std::uint16_t>(from < 64 ? from : 0);
          third[c][i] = static_cast<std::uint16_t>(from < 64 ? i : from - 32);
        }
      }
    }
    alignas(64) std::uint16_t two[3][32] = {};
    alignas(64) std::uint16_t third[3][32] = {};
  };
  static constexpr Places kPlaces;
  for (std::size_t px = 0; px < num_px; px += kLanes16) {
    const __m512i a = hn::LoadU(d, mixed + 3 * px).raw;
    const __m512i b = hn::LoadU(d, mixed + 3 * px + kLanes16).raw;
    const __m512i e = hn::LoadU(d, mixed + 3 * px + 2 * kLanes16).raw;
    for (std::uint32_t c = 0; c < 3; ++c) {
      const __m512i two = _mm512_permutex2var_epi16(a, hn::Load(d, kPlaces.two[c]).raw, b);
      hn::StoreU(
          hn::Vec<DU16>{_mm512_permutex2var_epi16(two, hn::Load(d, kPlaces.third[c]).raw, e)}, d,
          planes + c * plane_px + px);
    }
  }
#else
  for (std::size_t px = 0; px < num_px; px += kLanes16) {
    hn::Vec<DU16> r, g, b;
    hn::LoadInterleaved3(d, mixed + 3 * px, r, g, b);
    hn::StoreU(r, d, planes + px);
    hn::StoreU(g, d, planes + plane_px + px);
    hn::StoreU(b, d, planes + 2 * plane_px + px);
  }
#endif
}

/// The sums of four columns each from `sums` on, two columns from pixel to pixel, as values of pixels.
HWY_INLINE HWY_ATTR V halved_taps(const std::uint16_t* sums, bool is_mirrored) {
  const D d;
  const DInt d_int;
  const hn::Repartition<std::int16_t, D> d16;
  const auto left = hn::BitCast(d16, hn::LoadU(DU16(), sums));
  const auto right = hn::BitCast(d16, hn::LoadU(DU16(), sums + 2));
  const auto weights_1_3 = hn::BitCast(d16, hn::Set(d_int, 3 << 16 | 1));
  const auto weights_3_1 = hn::BitCast(d16, hn::Set(d_int, 1 << 16 | 3));
  VInt rest = hn::Zero(d_int);
  VInt sum = hn::ReorderWidenMulAccumulate(d_int, left, weights_1_3, hn::Zero(d_int), rest);
  sum = hn::ReorderWidenMulAccumulate(d_int, right, weights_3_1, sum, rest);
  const V value =
      hn::Mul(hn::ConvertTo(d, hn::RearrangeToOddPlusEven(sum, rest)), hn::Set(d, 1.0f / 64));
  return is_mirrored ? hn::Reverse(d, value) : value;
}

using DPixel = hn::FixedTag<float, kPixelLanes>;

HWY_INLINE HWY_ATTR hn::Vec<DPixel> lone_sum(const std::int32_t* sums) {
  return hn::ConvertTo(DPixel(), hn::LoadU(hn::Rebind<std::int32_t, DPixel>(), sums));
}

HWY_INLINE HWY_ATTR hn::Vec<DPixel> lone_sum(const std::uint16_t* sums) {
  const hn::Rebind<std::int32_t, DPixel> d_int;
  const auto whole = hn::PromoteTo(d_int, hn::LoadU(hn::Rebind<std::uint16_t, DPixel>(), sums));
  return hn::Mul(hn::ConvertTo(DPixel(), whole), hn::Set(DPixel(), kWholeOfHalved));
}

/// The taps of one pixel, three channels, from `sums` on.
template <class Sum>
HWY_INLINE HWY_ATTR void sum_lone_taps(const Sum* sums, const float* weights,
                                       std::uint32_t num_taps, float* values) {
  const DPixel d;
  auto value = hn::Mul(hn::Set(d, weights[0]), lone_sum(sums));
  for (std::uint32_t tap = 1; tap < num_taps; ++tap) {
    value = hn::Add(value, hn::Mul(hn::Set(d, weights[tap]), lone_sum(sums + 3 * tap)));
  }
  hn::StoreU(value, d, values);
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
