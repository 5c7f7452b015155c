// The vector operations of filter_rows.cpp, which includes this behind <hwy/highway.h>, once for each of
// Highway's targets.
#if defined(PENSTOCK_AUGMENT_FILTER_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_FILTER_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_FILTER_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_FILTER_VECTORS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "augment/warp/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

constexpr auto kLanes = static_cast<std::uint32_t>(hn::MaxLanes(D()));
constexpr std::uint32_t kBlockLanes = 4;  // of 128 bits
/// Bytes of a row that are summed at once: a vector of them as 16 bits each.
constexpr std::size_t kGroupBytes = 2 * kLanes;

using D16 = hn::Repartition<std::int16_t, D>;
using DGroup = hn::Rebind<std::uint8_t, D16>;
using DPair = hn::Repartition<std::uint64_t, D>;

/// A piece of a block of lines.
struct StripPlace {
  std::uint32_t first_line = 0;
  std::uint32_t num_lines = 0;
  std::uint32_t first_px = 0;
  std::uint32_t num_px = 0;
};

HWY_INLINE HWY_ATTR void store_floats(V floats, std::uint32_t count, float* to) {
  const D d;
  if (count == kLanes) return hn::StoreU(floats, d, to);
  alignas(64) float all[kLanes];
  hn::Store(floats, d, all);
  std::copy_n(all, count, to);
}

/// Four floats of each of the rows `first`, first + 4 and so on, side by side.
template <std::uint32_t kNumLanes>
HWY_INLINE HWY_ATTR hn::Vec<hn::FixedTag<float, kNumLanes>> load_blocks(const float* from,
                                                                        std::size_t stride) {
  const hn::FixedTag<float, kNumLanes> d;
  if constexpr (kNumLanes == kBlockLanes) {
    return hn::Load(d, from);
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  } else if constexpr (kNumLanes == 16) {
    // Loads that leave the other blocks as they are take no part of the unit that shuffles.
    __m512 blocks = _mm512_castps128_ps512(_mm_load_ps(from));
    blocks = _mm512_mask_broadcast_f32x4(blocks, 0x00F0, _mm_load_ps(from + 4 * stride));
    blocks = _mm512_mask_broadcast_f32x4(blocks, 0x0F00, _mm_load_ps(from + 8 * stride));
    blocks = _mm512_mask_broadcast_f32x4(blocks, 0xF000, _mm_load_ps(from + 12 * stride));
    return hn::Vec<hn::FixedTag<float, kNumLanes>>{blocks};
#endif
  } else {
    constexpr std::uint32_t kHalf = kNumLanes / 2;
    return hn::Combine(d, load_blocks<kHalf>(from + kHalf * stride, stride),
                       load_blocks<kHalf>(from, stride));
  }
}

/// Four columns of kLanes rows, each a vector.
struct FourColumns {
  HWY_INLINE HWY_ATTR FourColumns(const float* rows, std::size_t stride) {
    const D d;
    const DPair d_pair;
    const V r0 = load_blocks<kLanes>(rows, stride);
    const V r1 = load_blocks<kLanes>(rows + stride, stride);
    const V r2 = load_blocks<kLanes>(rows + 2 * stride, stride);
    const V r3 = load_blocks<kLanes>(rows + 3 * stride, stride);
    const auto lower01 = hn::BitCast(d_pair, hn::InterleaveLower(d, r0, r1));
    const auto lower23 = hn::BitCast(d_pair, hn::InterleaveLower(d, r2, r3));
    const auto upper01 = hn::BitCast(d_pair, hn::InterleaveUpper(d, r0, r1));
    const auto upper23 = hn::BitCast(d_pair, hn::InterleaveUpper(d, r2, r3));
    c0 = hn::BitCast(d, hn::InterleaveLower(d_pair, lower01, lower23));
    c1 = hn::BitCast(d, hn::InterleaveUpper(d_pair, lower01, lower23));
    c2 = hn::BitCast(d, hn::InterleaveLower(d_pair, upper01, upper23));
    c3 = hn::BitCast(d, hn::InterleaveUpper(d_pair, upper01, upper23));
  }

  V c0, c1, c2, c3;
};

/// Calls take(i, column i) for the kLanes columns of kLanes rows.
template <class Take>
HWY_INLINE HWY_ATTR void transpose(const float* rows, std::size_t stride, const Take& take) {
  for (std::uint32_t i = 0; i < kLanes; i += kBlockLanes) {
    const FourColumns columns(rows + i, stride);
    take(i, columns.c0);
    take(i + 1, columns.c1);
    take(i + 2, columns.c2);
    take(i + 3, columns.c3);
  }
}

/// Whole weighed sums of bytes of rows. Two rows are taken at once, their bytes side by side within
/// blocks of 128 bits, so the lower sums are those of the first, third, ... eight bytes.
class RowSums {
 public:
  HWY_INLINE HWY_ATTR RowSums()
      : lower_(hn::Zero(DInt())), upper_(lower_), lower_rest_(lower_), upper_rest_(lower_) {}

  /// `weights`: the first row's in the lower 16 bits, the second's in the upper.
  HWY_INLINE HWY_ATTR void add(const std::uint8_t* first, const std::uint8_t* second,
                               std::int32_t weights) {
    const D16 d;
    const DGroup d_group;
    const DInt d_sum;
    const auto a = hn::LoadU(d_group, first);
    const auto b = hn::LoadU(d_group, second);
    const auto lower = hn::PromoteTo(d, hn::InterleaveLower(d_group, a, b));
    const auto upper = hn::PromoteTo(d, hn::InterleaveUpper(d_group, a, b));
    const auto weight = hn::BitCast(d, hn::Set(d_sum, weights));
    lower_ = hn::ReorderWidenMulAccumulate(d_sum, lower, weight, lower_, lower_rest_);
    upper_ = hn::ReorderWidenMulAccumulate(d_sum, upper, weight, upper_, upper_rest_);
  }

  /// As floats: the lower sums, then the upper ones.
  HWY_INLINE HWY_ATTR void store(float* to) const {
    const D d;
    hn::Store(lower(), d, to);
    hn::Store(upper(), d, to + kLanes);
  }
  HWY_INLINE HWY_ATTR void store_scaled(float* to, V scale) const {
    const D d;
    hn::Store(hn::Mul(lower(), scale), d, to);
    hn::Store(hn::Mul(upper(), scale), d, to + kLanes);
  }

 private:
  HWY_INLINE HWY_ATTR V lower() const {
    return hn::ConvertTo(D(), hn::RearrangeToOddPlusEven(lower_, lower_rest_));
  }
  HWY_INLINE HWY_ATTR V upper() const {
    return hn::ConvertTo(D(), hn::RearrangeToOddPlusEven(upper_, upper_rest_));
  }

  VInt lower_;
  VInt upper_;
  VInt lower_rest_;  // of units that keep two
  VInt upper_rest_;
};

/// The sums of a group for kLanes rows, as RowSums stores them, in columns: `to` has one vector for
/// each byte in its order.
HWY_INLINE HWY_ATTR void transpose_group(const float* sums, std::size_t stride, float* to) {
  const D d;
  constexpr std::uint32_t kHalf = std::min(8u, kLanes);
  for (std::uint32_t at = 0; at < kGroupBytes; at += kBlockLanes) {
    const FourColumns columns(sums + at, stride);
    const std::uint32_t lane = at % kLanes;
    const std::uint32_t first_byte =
        lane / kHalf * 2 * kHalf + lane % kHalf + (at >= kLanes ? kHalf : 0);
    float* const out = to + std::size_t{first_byte} * kLanes;
    hn::Store(columns.c0, d, out);
    hn::Store(columns.c1, d, out + kLanes);
    hn::Store(columns.c2, d, out + 2 * kLanes);
    hn::Store(columns.c3, d, out + 3 * kLanes);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
