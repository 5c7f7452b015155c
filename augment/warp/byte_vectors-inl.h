// The vector operations of byte_rows.cpp, which includes this behind <hwy/highway.h>, once for each of
// Highway's targets. They do what fixed_point.h does.
#if defined(PENSTOCK_AUGMENT_BYTE_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_BYTE_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_BYTE_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_BYTE_VECTORS_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "augment/warp/byte_table.h"
#include "augment/warp/fixed_point.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Blends along a row go by blocks of 128 bits, each of which is loaded from a place of its own.
using DValue = hn::CappedTag<std::int16_t, 8 * ByteTable::kMaxBlocks>;
using DSum = hn::Repartition<std::int32_t, DValue>;
using DQuad = hn::Repartition<std::uint64_t, DValue>;
using DBytes = hn::Repartition<std::uint8_t, DValue>;
using DBlock = hn::FixedTag<std::uint8_t, 16>;
using VValue = hn::Vec<DValue>;
using VSum = hn::Vec<DSum>;
using VBytes = hn::Vec<DBytes>;
using VBlock = hn::Vec<DBlock>;

constexpr auto kNumBlocks = static_cast<std::uint32_t>(hn::MaxLanes(DValue()) / 8);
constexpr std::uint32_t kUnitPx = kNumBlocks * ByteTable::kBlockPx;

/// Writes what ByteTable::kNumBehind says behind the pixels of a row, `step` values each.
inline void repeat_behind(std::int16_t* values, std::size_t num_px, std::size_t step) {
  values[num_px * step] = values[(num_px - 1) * step];
  values[(num_px + 1) * step] = values[(num_px + 2) * step] = values[0];
}

/// blend_bytes() of a row's bytes.
HWY_ATTR inline void blend_rows_of(const std::uint8_t* top, const std::uint8_t* bottom,
                                   std::size_t count, std::int16_t row_weight, std::int16_t* to) {
  const hn::ScalableTag<std::int16_t> d;
  const hn::Rebind<std::uint8_t, decltype(d)> d_byte;
  const std::size_t lanes = hn::Lanes(d);
  if (count < lanes) {
    for (std::size_t i = 0; i < count; ++i) to[i] = blend_bytes(top[i], bottom[i], row_weight);
    return;
  }
  const auto weight = hn::Set(d, row_weight);
  const auto blend_at = [&](std::size_t i) HWY_ATTR {
    const auto a = hn::PromoteTo(d, hn::LoadU(d_byte, top + i));
    const auto b = hn::PromoteTo(d, hn::LoadU(d_byte, bottom + i));
    const auto apart = hn::ShiftLeft<kValueBits>(hn::Sub(b, a));
    hn::StoreU(hn::Add(hn::ShiftLeft<kValueBits>(a), hn::MulFixedPoint15(apart, weight)), d,
               to + i);
  };
  for (std::size_t i = 0; i + lanes <= count; i += lanes) blend_at(i);
  if (count % lanes != 0) blend_at(count - lanes);  // the last vector ends with the row
}

/// Eight values from each of the places `from` + places[i].
template <class DV>
HWY_INLINE HWY_ATTR hn::Vec<DV> load_blocks(DV d, const std::int16_t* from,
                                            const std::uint32_t* places) {
  constexpr std::size_t kBlocks = hn::MaxLanes(DV()) / 8;
  if constexpr (kBlocks == 1) {
    return hn::LoadU(d, from + places[0]);
  } else {
    const hn::Half<DV> half;
    return hn::Combine(d, load_blocks(half, from, places + kBlocks / 2),
                       load_blocks(half, from, places));
  }
}

/// Pairs of neighbours, left beside right, blended: multiples of 2^-7.
HWY_INLINE HWY_ATTR VSum blend_pairs(VValue pairs, const std::int32_t* weights) {
  const DSum d;
  VSum rest = hn::Zero(d);  // of units that keep two sums
  const VSum sum = hn::ReorderWidenMulAccumulate(
      d, pairs, hn::BitCast(DValue(), hn::Load(d, weights)), hn::Zero(d), rest);
  const VSum half = hn::Set(d, 1 << (kColumnWeightBits - 1));
  return hn::ShiftRight<kColumnWeightBits>(hn::Add(hn::RearrangeToOddPlusEven(sum, rest), half));
}

/// Two vectors of these, rounded: block by block, the first's and then the second's, 16 bits each.
HWY_INLINE HWY_ATTR VValue rounded(VSum first, VSum second) {
  const DValue d;
  const VValue value = hn::ReorderDemote2To(d, first, second);
  const VValue is_odd = hn::And(hn::ShiftRight<kValueBits>(value), hn::Set(d, 1));
  const VValue below_half = hn::Set(d, (1 << (kValueBits - 1)) - 1);
  return hn::ShiftRight<kValueBits>(hn::Add(value, hn::Add(below_half, is_odd)));
}

/// Bytes of both, those of the second behind those of the first, one after the other.
HWY_INLINE HWY_ATTR VBytes side_by_side(VValue first, VValue second) {
  return hn::BitCast(DBytes(), hn::Or(first, hn::ShiftLeft<8>(second)));
}

/// Three channels of kUnitPx pixels. Members, because g++ keeps arrays of vectors in memory.
struct UnitBytes {
  VBytes red;
  VBytes green;
  VBytes blue;
};

/// Four times a pixel for each block: four reds, greens and blues, and four bytes of no use.
HWY_INLINE HWY_ATTR VBytes four_pixels(const std::int16_t* row, const std::uint32_t* places,
                                       const std::int32_t* weights) {
  // Of the six values of a pixel and the next one, channel beside channel.
  alignas(16) static constexpr std::uint8_t kPairs[16] = {0, 1, 6,  7,  2, 3, 8,  9,
                                                          4, 5, 10, 11, 4, 5, 10, 11};
  // Pixels 0, 2 and 1, 3: their channels, two and two.
  alignas(16) static constexpr std::uint8_t kFours[16] = {0, 8,  1, 9,  2, 10, 3, 11,
                                                          4, 12, 5, 13, 6, 14, 7, 15};
  const DValue d;
  const DBytes d_bytes;
  constexpr std::uint32_t kLanes = 4 * kNumBlocks;
  const auto order = hn::LoadDup128(d_bytes, kPairs);
  const auto pixel = [&](std::uint32_t k) HWY_ATTR {
    const VValue values = load_blocks(d, row, places + k * kNumBlocks);
    const VBytes pairs = hn::TableLookupBytes(hn::BitCast(d_bytes, values), order);
    return blend_pairs(hn::BitCast(d, pairs), weights + k * kLanes);
  };
  const VValue first = rounded(pixel(0), pixel(1));
  const VValue second = rounded(pixel(2), pixel(3));
  return hn::TableLookupBytes(side_by_side(first, second), hn::LoadDup128(d_bytes, kFours));
}

/// A unit of an output row, of interleaved values of three channels.
HWY_INLINE HWY_ATTR UnitBytes colour_unit(const std::int16_t* row, const std::uint32_t* places,
                                          const std::int32_t* weights) {
  constexpr std::uint32_t kFourPx = 4 * kNumBlocks;
  constexpr std::uint32_t kFourWeights = 4 * kFourPx;
  const DSum d;
  const DQuad d_quad;
  const VSum v0 = hn::BitCast(d, four_pixels(row, places, weights));
  const VSum v1 = hn::BitCast(d, four_pixels(row, places + kFourPx, weights + kFourWeights));
  const auto red_green01 = hn::BitCast(d_quad, hn::InterleaveLower(d, v0, v1));
  const auto blue01 = hn::BitCast(d_quad, hn::InterleaveUpper(d, v0, v1));
  const VSum v2 =
      hn::BitCast(d, four_pixels(row, places + 2 * kFourPx, weights + 2 * kFourWeights));
  const VSum v3 =
      hn::BitCast(d, four_pixels(row, places + 3 * kFourPx, weights + 3 * kFourWeights));
  const auto red_green23 = hn::BitCast(d_quad, hn::InterleaveLower(d, v2, v3));
  const auto blue23 = hn::BitCast(d_quad, hn::InterleaveUpper(d, v2, v3));
  const DBytes d_bytes;
  return {hn::BitCast(d_bytes, hn::InterleaveLower(d_quad, red_green01, red_green23)),
          hn::BitCast(d_bytes, hn::InterleaveUpper(d_quad, red_green01, red_green23)),
          hn::BitCast(d_bytes, hn::InterleaveLower(d_quad, blue01, blue23))};
}

/// A unit of one channel, of pairs of neighbours as ByteTable orders them.
HWY_INLINE HWY_ATTR VBytes gray_unit(const std::uint32_t* pairs, const std::int32_t* weights) {
  // Pixels 0 to 7 of a block, each with the one eight behind it.
  alignas(16) static constexpr std::uint8_t kBoth[16] = {0, 2, 4, 6, 8, 10, 12, 14,
                                                         1, 3, 5, 7, 9, 11, 13, 15};
  const DValue d;
  const hn::Repartition<std::uint32_t, DValue> d_pair;
  const auto four = [&](std::uint32_t j) HWY_ATTR {
    const std::uint32_t at = j * 4 * kNumBlocks;
    return blend_pairs(hn::BitCast(d, hn::Load(d_pair, pairs + at)), weights + at);
  };
  const VValue first = rounded(four(0), four(1));
  const VValue second = rounded(four(2), four(3));
  return hn::TableLookupBytes(side_by_side(first, second), hn::LoadDup128(DBytes(), kBoth));
}

/// A job's rows as interleaved values, of which blocks are loaded from places of their own: any map.
template <std::uint32_t kPlanes>
class BlockUnits {
 public:
  explicit BlockUnits(const ColumnTable& columns) : num_px_(columns.num_px) {}

  /// False where there is no table.
  bool make(const ColumnTable& columns) {
    const ByteShape shape{.num_blocks = kNumBlocks, .channels = kPlanes};
    return make_byte_table(columns, shape, columns.pick_place, table_);
  }
  std::uint32_t num_units() const { return table_.num_units; }

  /// Two rows of the source.
  HWY_ATTR void blend_rows(const std::uint8_t* top, const std::uint8_t* bottom,
                           std::int16_t row_weight, std::int16_t* to) const {
    const std::size_t count = std::size_t{num_px_} * kPlanes;
    blend_rows_of(top, bottom, count, row_weight, to);
    for (std::uint32_t c = 0; c < kPlanes; ++c) repeat_behind(to + c, num_px_, kPlanes);
  }

  HWY_INLINE HWY_ATTR UnitBytes unit(const std::int16_t* values, std::uint32_t idx) const {
    const std::size_t at = std::size_t{idx} * kUnitPx;
    const std::uint32_t* const places = table_.places + at;
    if constexpr (kPlanes == 3) {
      return colour_unit(values, places, table_.weights + 4 * at);
    } else {
      alignas(64) std::uint32_t pairs[kUnitPx];
      for (std::uint32_t i = 0; i < kUnitPx; ++i) std::memcpy(pairs + i, values + places[i], 4);
      const VBytes gray = gray_unit(pairs, table_.weights + at);
      return {gray, gray, gray};
    }
  }

 private:
  ByteTable table_;
  std::uint32_t num_px_;
};

/// Sixteen pixels of a picture, whose channels may be one and the same.
struct BlockPixels {
  VBlock red;
  VBlock green;
  VBlock blue;
};

template <std::uint32_t kPlanes, bool kIsReversed>
HWY_INLINE HWY_ATTR BlockPixels load_block(const std::uint8_t* bytes) {
  alignas(16) static constexpr std::uint8_t kBackwards[16] = {15, 14, 13, 12, 11, 10, 9, 8,
                                                              7,  6,  5,  4,  3,  2,  1, 0};
  const DBlock d;
  BlockPixels pixels;
  if constexpr (kPlanes == 1) {
    pixels.red = hn::LoadU(d, bytes);
  } else {
    hn::LoadInterleaved3(d, bytes, pixels.red, pixels.green, pixels.blue);
  }
  if constexpr (kIsReversed) {
    const VBlock order = hn::Load(d, kBackwards);
    pixels.red = hn::TableLookupBytes(pixels.red, order);
    if constexpr (kPlanes == 3) {
      pixels.green = hn::TableLookupBytes(pixels.green, order);
      pixels.blue = hn::TableLookupBytes(pixels.blue, order);
    }
  }
  if constexpr (kPlanes == 1) pixels.green = pixels.blue = pixels.red;
  return pixels;
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
