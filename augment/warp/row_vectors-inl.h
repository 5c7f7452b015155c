// The vector operations of warp_rows.cpp, which includes this behind <hwy/highway.h>, once for each of
// Highway's targets; those of values serve warp_general.cpp too.
#if defined(PENSTOCK_AUGMENT_ROW_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_ROW_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_ROW_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_ROW_VECTORS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using DInt = hn::Rebind<std::int32_t, D>;
using DByte = hn::Rebind<std::uint8_t, D>;
using V = hn::Vec<D>;
using VInt = hn::Vec<DInt>;

/// The operations of warp_frame.h. Not MulAdd: one rounding less would be other bytes.
HWY_ATTR inline V blend_of(V a, V b, V weight) {
  return hn::Add(a, hn::Mul(weight, hn::Sub(b, a)));
}

struct ScaleVectors {
  V gain;
  V bias;
};

HWY_ATTR inline ScaleVectors vectors_of(const ChannelScale& scale) {
  return {hn::Set(D(), scale.gain), hn::Set(D(), scale.bias)};
}

HWY_ATTR inline V normalise_of(V value, const ScaleVectors& scale) {
  return hn::Add(hn::Mul(value, scale.gain), scale.bias);
}

HWY_ATTR inline V to_float(hn::Vec<DByte> bytes) {
  return hn::ConvertTo(D(), hn::PromoteTo(DInt(), bytes));
}

/// blend_of() of bytes. Their difference is exact in whole numbers as in floats, and cheaper there.
HWY_ATTR inline V blend_of(VInt a, VInt b, V weight) {
  return hn::Add(hn::ConvertTo(D(), a), hn::Mul(weight, hn::ConvertTo(D(), hn::Sub(b, a))));
}

HWY_ATTR inline V blend_of(hn::Vec<DByte> a, hn::Vec<DByte> b, V weight) {
  return blend_of(hn::PromoteTo(DInt(), a), hn::PromoteTo(DInt(), b), weight);
}

/// values[idx] of two vectors side by side; `idx` counts from 0 and wraps at their end.
HWY_ATTR inline V look_up(V low, V high, VInt idx) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  return V{_mm512_permutex2var_ps(low.raw, idx.raw, high.raw)};
#else
  const D d;
  const DInt d_int;
  const auto lanes = static_cast<std::int32_t>(hn::Lanes(d));
  const auto places = hn::IndicesFromVec(d, hn::And(idx, hn::Set(d_int, lanes - 1)));
  const auto is_high = hn::Ne(hn::And(idx, hn::Set(d_int, lanes)), hn::Zero(d_int));
  return hn::IfThenElse(hn::RebindMask(d, is_high), hn::TableLookupLanes(high, places),
                        hn::TableLookupLanes(low, places));
#endif
}

/// `near`, and where `is_far` values[idx], counted from 0 and wrapping.
HWY_ATTR inline V look_up_far(V near, hn::Mask<D> is_far, V values, VInt idx) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  return V{_mm512_mask_permutexvar_ps(near.raw, is_far.raw, idx.raw, values.raw)};
#else
  const D d;
  const DInt d_int;
  const auto lanes = static_cast<std::int32_t>(hn::Lanes(d));
  const auto places = hn::IndicesFromVec(d, hn::And(idx, hn::Set(d_int, lanes - 1)));
  return hn::IfThenElse(is_far, hn::TableLookupLanes(values, places), near);
#endif
}

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
/// Three channels of sixteen pixels, channel beside channel: from the first two channels, then the third
/// into its places.
struct MixedChannels {
  V v0, v1, v2;
};
HWY_INLINE HWY_ATTR MixedChannels mix_channels(V r, V g, V b) {
  struct Places {
    constexpr Places() {
      for (std::int32_t i = 0; i < 48; ++i) {
        const std::int32_t channel = i % 3;
        two[i] = channel == 1 ? 16 + i / 3 : i / 3;
        third[i] = channel == 2 ? 16 + i / 3 : i % 16;
      }
    }
    alignas(64) std::int32_t two[48] = {};
    alignas(64) std::int32_t third[48] = {};
  };
  static constexpr Places kPlaces;
  const auto mixed = [&](std::size_t first) HWY_ATTR {
    const DInt d;
    const V two = look_up(r, g, hn::Load(d, kPlaces.two + first));
    return look_up(two, b, hn::Load(d, kPlaces.third + first));
  };
  return {mixed(0), mixed(16), mixed(32)};
}
#endif

/// Stores three channels, pixel after pixel.
HWY_INLINE HWY_ATTR void store_interleaved(V r, V g, V b, float* to) {
  const D d;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  const MixedChannels mixed = mix_channels(r, g, b);
  hn::StoreU(mixed.v0, d, to);
  hn::StoreU(mixed.v1, d, to + 16);
  hn::StoreU(mixed.v2, d, to + 32);
#else
  hn::StoreInterleaved3(r, g, b, d, to);
#endif
}

/// The `kNum` vectors from `values` on, 2 to 4. Members, because g++ keeps arrays of vectors in
/// memory.
template <std::uint32_t kNum>
struct Near {
  HWY_INLINE HWY_ATTR explicit Near(const float* values)
      : v0(hn::Load(D(), values)),
        v1(hn::Load(D(), values + hn::Lanes(D()))),
        v2(kNum > 2 ? hn::Load(D(), values + 2 * hn::Lanes(D())) : v0),
        v3(kNum > 3 ? hn::Load(D(), values + 3 * hn::Lanes(D())) : v0) {}

  /// values[idx]
  HWY_INLINE HWY_ATTR V at(VInt idx) const {
    const V near = look_up(v0, v1, idx);
    if constexpr (kNum == 2) return near;
    const D d;
    const auto lanes = static_cast<std::int32_t>(hn::Lanes(d));
    const auto is_far = hn::RebindMask(d, hn::Gt(idx, hn::Set(DInt(), 2 * lanes - 1)));
    if constexpr (kNum == 3) return look_up_far(near, is_far, v2, idx);
    return hn::IfThenElse(is_far, look_up(v2, v3, idx), near);
  }

  V v0, v1, v2, v3;
};

/// Source pixels, three channels or one, as floats.
template <std::uint32_t kPlanes>
struct Pixels {
  V plane[kPlanes];
};

template <std::uint32_t kPlanes>
HWY_ATTR inline Pixels<kPlanes> load_pixels(const std::uint8_t* bytes) {
  const DByte d;
  Pixels<kPlanes> pixels;
  if constexpr (kPlanes == 1) {
    pixels.plane[0] = to_float(hn::LoadU(d, bytes));
  } else {
    hn::Vec<DByte> r, g, b;
    hn::LoadInterleaved3(d, bytes, r, g, b);
    pixels.plane[0] = to_float(r);
    pixels.plane[1] = to_float(g);
    pixels.plane[2] = to_float(b);
  }
  return pixels;
}

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
/// Sixteen pixels of three channels, channel beside channel, as a plane each.
HWY_ATTR inline Pixels<3> split_channels(const V* mixed) {
  // Value 3 i + p of 48 is channel p of pixel i; the last eleven or ten lie in the third vector.
  alignas(64) static constexpr std::int32_t kFromTwo[3][16] = {
      {0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0},
      {1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0},
      {2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0}};
  alignas(64) static constexpr std::int32_t kFromThird[3][16] = {
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29},
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30},
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31}};
  const DInt d;
  Pixels<3> pixels;
  for (std::uint32_t p = 0; p < 3; ++p) {
    const V two = look_up(mixed[0], mixed[1], hn::Load(d, kFromTwo[p]));
    pixels.plane[p] = look_up(two, mixed[2], hn::Load(d, kFromThird[p]));
  }
  return pixels;
}
#endif

/// The pixels of two rows, blended.
template <std::uint32_t kPlanes>
HWY_ATTR inline Pixels<kPlanes> blend_pixels(const std::uint8_t* top, const std::uint8_t* bottom,
                                             V weight) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  // Taking the channels apart after the blend is half the shuffles, and wider ones.
  if constexpr (kPlanes == 3) {
    const DByte d;
    V mixed[3];
    for (std::uint32_t i = 0; i < 3; ++i) {
      mixed[i] = blend_of(hn::LoadU(d, top + 16 * i), hn::LoadU(d, bottom + 16 * i), weight);
    }
    return split_channels(mixed);
  }
#endif
  if constexpr (kPlanes == 1) {
    const DByte d;
    return {{blend_of(hn::LoadU(d, top), hn::LoadU(d, bottom), weight)}};
  }
  const Pixels<kPlanes> a = load_pixels<kPlanes>(top);
  const Pixels<kPlanes> b = load_pixels<kPlanes>(bottom);
  Pixels<kPlanes> result;
  for (std::uint32_t p = 0; p < kPlanes; ++p) {
    result.plane[p] = blend_of(a.plane[p], b.plane[p], weight);
  }
  return result;
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
