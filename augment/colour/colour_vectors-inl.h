// The vector operations of colours, included behind <hwy/highway.h>, once for each of Highway's
// targets. They do what pixel_colours.h does, in the same order.
#if defined(PENSTOCK_AUGMENT_COLOUR_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_COLOUR_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_COLOUR_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_COLOUR_VECTORS_INL_H_
#endif

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

HWY_INLINE HWY_ATTR RgbVectors turn_hue_of(const RgbVectors& rgb,
                                           const std::array<float, 3>& centres) {
  const auto& [red, green, blue] = rgb;
  const V largest = hn::Max(hn::Max(red, green), blue);
  const V smallest = hn::Min(hn::Min(red, green), blue);
  const V spread = hn::Sub(largest, smallest);
  const V two = hn::Add(spread, spread);
  const V three = hn::Add(two, spread);
  const V top = hn::Add(largest, spread);
  V at = hn::Add(hn::Sub(red, green), hn::Add(two, two));
  at = hn::IfThenElse(hn::Eq(largest, green), hn::Add(hn::Sub(blue, red), two), at);
  at = hn::IfThenElse(hn::Eq(largest, red), hn::Sub(green, blue), at);
  const auto channel = [&](float centre) HWY_ATTR {
    const V from_centre = hn::Abs(hn::Sub(at, hn::Mul(hn::Set(D(), centre), spread)));
    const V value = hn::Sub(top, hn::Abs(hn::Sub(three, from_centre)));
    return hn::Min(hn::Max(value, smallest), largest);
  };
  return {channel(centres[0]), channel(centres[1]), channel(centres[2])};
}

/// What PixelColours ask for: loops are made for each. Diagonal mixes give the same bytes either way.
enum class ColourForm { kScale, kDiagonal, kMix, kHue, kMixHue };

HWY_INLINE ColourForm form_of(const PixelColours& colours) {
  if (colours.has_hue) return colours.has_mix ? ColourForm::kMixHue : ColourForm::kHue;
  if (!colours.has_mix) return ColourForm::kScale;
  return colours.is_diagonal ? ColourForm::kDiagonal : ColourForm::kMix;
}

/// finished_pixel() of some pixels.
template <ColourForm kForm>
HWY_INLINE HWY_ATTR RgbVectors finished_pixels(RgbVectors rgb, const PixelColours& colours) {
  const ChannelMixes& mixes = colours.mixes;
  if constexpr (kForm == ColourForm::kDiagonal) {
    return {mix_one_of(rgb.red, mixes[0].gains[0], mixes[0]),
            mix_one_of(rgb.green, mixes[1].gains[1], mixes[1]),
            mix_one_of(rgb.blue, mixes[2].gains[2], mixes[2])};
  }
  if constexpr (kForm == ColourForm::kMix || kForm == ColourForm::kMixHue) {
    rgb = {mix_three_of(rgb, mixes[0]), mix_three_of(rgb, mixes[1]), mix_three_of(rgb, mixes[2])};
    if constexpr (kForm == ColourForm::kMix) return rgb;
  }
  if constexpr (kForm != ColourForm::kScale) rgb = turn_hue_of(rgb, colours.hue_centres);
  return {normalise_of(rgb.red, vectors_of(colours.scales[0])),
          normalise_of(rgb.green, vectors_of(colours.scales[1])),
          normalise_of(rgb.blue, vectors_of(colours.scales[2]))};
}

/// Finishes pixels into a sink that takes vectors of them, put(), and single ones, put_one(). The sink
/// may lie where they come from.
template <ColourForm kForm, class Sink>
HWY_ATTR inline void finish_into(const RgbPlanes& in, std::size_t num_px, const PixelColours& given,
                                 const Sink& sink) {
  const D d;
  // A copy: a store of a vector may change anything in memory, for all that g++ knows.
  const PixelColours colours = given;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= num_px; i += hn::Lanes(d)) {
    const RgbVectors rgb = {hn::LoadU(d, in.red + i), hn::LoadU(d, in.green + i),
                            hn::LoadU(d, in.blue + i)};
    sink.put(i, finished_pixels<kForm>(rgb, colours));
  }
  for (; i < num_px; ++i) {
    sink.put_one(i, finished_pixel({in.red[i], in.green[i], in.blue[i]}, colours));
  }
}

template <class Sink>
HWY_ATTR inline void finish_into(const RgbPlanes& in, std::size_t num_px,
                                 const PixelColours& colours, const Sink& sink) {
  switch (form_of(colours)) {
    case ColourForm::kScale:
      return finish_into<ColourForm::kScale>(in, num_px, colours, sink);
    case ColourForm::kDiagonal:
      return finish_into<ColourForm::kDiagonal>(in, num_px, colours, sink);
    case ColourForm::kMix:
      return finish_into<ColourForm::kMix>(in, num_px, colours, sink);
    case ColourForm::kHue:
      return finish_into<ColourForm::kHue>(in, num_px, colours, sink);
    case ColourForm::kMixHue:
      return finish_into<ColourForm::kMixHue>(in, num_px, colours, sink);
  }
}

/// finished_gray() into a sink of lines.
template <class Sink>
HWY_ATTR inline void finish_gray_into(const float* in, std::size_t num_px,
                                      const PixelColours& given, const Sink& sink) {
  const D d;
  const PixelColours colours = given;
  const ChannelMix& mix = colours.mixes[0];
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= num_px; i += hn::Lanes(d)) {
    const V value = hn::LoadU(d, in + i);
    sink.put_gray(i, colours.has_mix ? mix_one_of(value, mix.gains[0], mix)
                                     : normalise_of(value, vectors_of(colours.scales[0])));
  }
  for (; i < num_px; ++i) sink.put_one_gray(i, finished_gray(in[i], colours));
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
