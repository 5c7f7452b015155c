// The vector operations of colours, included behind <hwy/highway.h>, once for each of Highway's
// targets. They do what pixel_colours.h and hue_turn.h do, in the same order.
#if defined(PENSTOCK_AUGMENT_COLOUR_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_COLOUR_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_COLOUR_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_COLOUR_VECTORS_INL_H_
#endif

#include <array>
#include <cstddef>
#include <cstdint>

#include "augment/colour/pixel_colours.h"
#include "augment/warp/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

/// Three channels of some pixels. Members, because g++ keeps arrays of vectors in memory.
struct RgbVectors {
  V red, green, blue;
};

/// Where three channels of some pixels lie.
struct RgbPlanes {
  const float* red;
  const float* green;
  const float* blue;
};

HWY_INLINE HWY_ATTR V held_within(V value, const ChannelMix& mix) {
  return hn::Min(hn::Max(value, hn::Set(D(), mix.lowest)), hn::Set(D(), mix.highest));
}

HWY_INLINE HWY_ATTR V mix_one_of(V value, float gain, const ChannelMix& mix) {
  const D d;
  return held_within(hn::Add(hn::Mul(value, hn::Set(d, gain)), hn::Set(d, mix.offset)), mix);
}

HWY_INLINE HWY_ATTR V mix_three_of(const RgbVectors& rgb, const ChannelMix& mix) {
  const D d;
  const V red_green = hn::Add(hn::Mul(rgb.red, hn::Set(d, mix.gains[0])),
                              hn::Mul(rgb.green, hn::Set(d, mix.gains[1])));
  const V sum = hn::Add(hn::Add(red_green, hn::Mul(rgb.blue, hn::Set(d, mix.gains[2]))),
                        hn::Set(d, mix.offset));
  return held_within(sum, mix);
}

/// turn_hue()
HWY_INLINE HWY_ATTR RgbVectors turn_hue_of(const RgbVectors& rgb, float share) {
  const auto& [red, green, blue] = rgb;
  const V largest = hn::Max(hn::Max(red, green), blue);
  const V smallest = hn::Min(hn::Min(red, green), blue);
  const V part = hn::Mul(hn::Sub(largest, smallest), hn::Set(D(), share));
  const V above = hn::Add(smallest, part);
  const V below = hn::Sub(largest, part);
  const auto channel = [&](V value, V next, V last) HWY_ATTR {
    const V from = hn::IfThenElse(hn::Gt(last, next), above, below);
    return hn::Min(hn::Max(hn::Add(hn::Sub(value, next), from), smallest), largest);
  };
  return {channel(red, green, blue), channel(green, blue, red), channel(blue, red, green)};
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
