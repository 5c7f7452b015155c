// The vector operations of colours, included behind <hwy/highway.h>, once for each of Highway's
// targets. They do what colour_pixel.h does, in the same order.
#if defined(PENSTOCK_AUGMENT_COLOUR_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_COLOUR_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_COLOUR_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_COLOUR_VECTORS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "augment/colour_pixel.h"
#include "augment/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

/// Three planes of some pixels.
template <class Float>
struct PlanesOf {
  Float* plane[3];

  HWY_INLINE PlanesOf from(std::size_t pixel) const {
    return {{plane[0] + pixel, plane[1] + pixel, plane[2] + pixel}};
  }
};
using PlanesIn = PlanesOf<const float>;
using PlanesOut = PlanesOf<float>;

/// How values are written: whole vectors past the caches want addresses of whole vectors.
enum class Store { kThroughCaches, kPastCaches };

template <Store kStore>
HWY_INLINE HWY_ATTR void store(V value, float* to) {
  if constexpr (kStore == Store::kPastCaches) {
    hn::Stream(value, D(), to);
  } else {
    hn::StoreU(value, D(), to);
  }
}

HWY_INLINE HWY_ATTR V held_within(V value, const ChannelMix& mix) {
  return hn::Min(hn::Max(value, hn::Set(D(), mix.lowest)), hn::Set(D(), mix.highest));
}

/// mix_one() of a plane; `in` and `out` may be the same.
template <Store kStore>
HWY_ATTR inline void mix_plane(const float* in, float* out, std::size_t num_px, float gain,
                               const ChannelMix& mix) {
  const D d;
  const V gains = hn::Set(d, gain);
  const V offset = hn::Set(d, mix.offset);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= num_px; i += hn::Lanes(d)) {
    const V value = hn::Add(hn::Mul(hn::LoadU(d, in + i), gains), offset);
    store<kStore>(held_within(value, mix), out + i);
  }
  for (; i < num_px; ++i) out[i] = mix_one(in[i], gain, mix);
}

HWY_INLINE HWY_ATTR V mix_of(V red, V green, V blue, const ChannelMix& mix) {
  const D d;
  const V red_green = hn::Add(hn::Mul(red, hn::Set(d, mix.gains[0])),  //
                              hn::Mul(green, hn::Set(d, mix.gains[1])));
  const V sum =
      hn::Add(hn::Add(red_green, hn::Mul(blue, hn::Set(d, mix.gains[2]))), hn::Set(d, mix.offset));
  return held_within(sum, mix);
}

/// mix_three() of three planes; `in` and `out` may be the same.
template <Store kStore>
HWY_ATTR inline void mix_planes(const PlanesIn& in, const PlanesOut& out, std::size_t num_px,
                                const ChannelMixes& mixes) {
  const D d;
  // A copy: a store of a vector may change anything in memory, for all that g++ knows.
  const ChannelMixes m = mixes;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= num_px; i += hn::Lanes(d)) {
    const V red = hn::LoadU(d, in.plane[0] + i);
    const V green = hn::LoadU(d, in.plane[1] + i);
    const V blue = hn::LoadU(d, in.plane[2] + i);
    store<kStore>(mix_of(red, green, blue, m[0]), out.plane[0] + i);
    store<kStore>(mix_of(red, green, blue, m[1]), out.plane[1] + i);
    store<kStore>(mix_of(red, green, blue, m[2]), out.plane[2] + i);
  }
  for (; i < num_px; ++i) {
    const std::array<float, 3> rgb = {in.plane[0][i], in.plane[1][i], in.plane[2][i]};
    for (std::size_t c = 0; c < 3; ++c) out.plane[c][i] = mix_three(rgb, m[c]);
  }
}

HWY_INLINE HWY_ATTR V channel_of_hue_vector(V largest, V spread, V hue, float place) {
  const D d;
  const V six = hn::Set(d, 6.0f);
  V at = hn::Add(hue, hn::Set(d, place));
  at = hn::IfThenElse(hn::Ge(at, six), hn::Sub(at, six), at);
  const V slope = hn::Min(at, hn::Sub(hn::Set(d, 4.0f), at));
  const V share = hn::Max(hn::Min(slope, hn::Set(d, 1.0f)), hn::Zero(d));
  return hn::Sub(largest, hn::Mul(spread, share));
}

/// turn_hue() of three planes; `in` and `out` may be the same.
HWY_ATTR inline void turn_hue_planes(const PlanesIn& in, const PlanesOut& out, std::size_t num_px,
                                     float sixths) {
  const D d;
  const V zero = hn::Zero(d);
  const V six = hn::Set(d, 6.0f);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= num_px; i += hn::Lanes(d)) {
    const V red = hn::LoadU(d, in.plane[0] + i);
    const V green = hn::LoadU(d, in.plane[1] + i);
    const V blue = hn::LoadU(d, in.plane[2] + i);
    const V largest = hn::Max(hn::Max(red, green), blue);
    const V spread = hn::Sub(largest, hn::Min(hn::Min(red, green), blue));
    const auto is_green = hn::Eq(largest, green);
    const auto is_red = hn::Eq(largest, red);
    V difference = hn::IfThenElse(is_green, hn::Sub(blue, red), hn::Sub(red, green));
    difference = hn::IfThenElse(is_red, hn::Sub(green, blue), difference);
    V start = hn::IfThenElse(is_green, hn::Set(d, 2.0f), hn::Set(d, 4.0f));
    start = hn::IfThenElse(is_red, zero, start);
    const V divisor = hn::IfThenElse(hn::Eq(spread, zero), hn::Set(d, 1.0f), spread);
    V hue = hn::Add(hn::Add(start, hn::Div(difference, divisor)), hn::Set(d, sixths));
    hue = hn::IfThenElse(hn::Ge(hue, six), hn::Sub(hue, six), hue);
    for (std::size_t c = 0; c < 3; ++c) {
      hn::StoreU(channel_of_hue_vector(largest, spread, hue, kHuePlaces[c]), d, out.plane[c] + i);
    }
  }
  for (; i < num_px; ++i) {
    const std::array<float, 3> turned =
        turn_hue({in.plane[0][i], in.plane[1][i], in.plane[2][i]}, sixths);
    for (std::size_t c = 0; c < 3; ++c) out.plane[c][i] = turned[c];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
