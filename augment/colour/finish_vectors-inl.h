// Lines of pixels through a tail and a normalisation into a sink, in vectors: what pixel_colours.h does to
// each. Included behind <hwy/highway.h>, once for each of Highway's targets.
#if defined(PENSTOCK_AUGMENT_FINISH_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_FINISH_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_FINISH_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_FINISH_VECTORS_INL_H_
#endif

#include <array>
#include <cstddef>

#include "augment/colour/colour_vectors-inl.h"
#include "augment/colour/fixed_finish-inl.h"
#include "augment/colour/pixel_colours.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

/// What PixelColours ask for: loops are made for each. Diagonal mixes give the same bytes either way.
enum class ColourForm { kScale, kDiagonal, kMix, kFixed };

HWY_INLINE ColourForm form_of(const PixelColours& colours) {
  if (colours.fixed) return ColourForm::kFixed;
  if (!colours.has_mix) return ColourForm::kScale;
  return colours.is_diagonal ? ColourForm::kDiagonal : ColourForm::kMix;
}

/// finished_pixel() of some pixels.
template <ColourForm kForm>
HWY_INLINE HWY_ATTR RgbVectors finished_pixels(const RgbVectors& rgb, const ChannelMixes& mixes,
                                               const std::array<ChannelScale, 3>& scales) {
  if constexpr (kForm == ColourForm::kDiagonal) {
    return {mix_one_of(rgb.red, mixes[0].gains[0], mixes[0]),
            mix_one_of(rgb.green, mixes[1].gains[1], mixes[1]),
            mix_one_of(rgb.blue, mixes[2].gains[2], mixes[2])};
  }
  if constexpr (kForm == ColourForm::kMix) {
    return {mix_three_of(rgb, mixes[0]), mix_three_of(rgb, mixes[1]), mix_three_of(rgb, mixes[2])};
  }
  return {normalise_of(rgb.red, vectors_of(scales[0])),
          normalise_of(rgb.green, vectors_of(scales[1])),
          normalise_of(rgb.blue, vectors_of(scales[2]))};
}

/// Finishes pixels into a sink that takes vectors of them, put(), and single ones, put_one(). The sink
/// may lie where they come from.
template <ColourForm kForm, class Sink>
HWY_NOINLINE HWY_ATTR void finish_into(const RgbPlanes& in, std::size_t num_px,
                                       const PixelColours& given, const Sink& sink) {
  const D d;
  // Copies: a store of a vector may change anything in memory, for all that g++ knows.
  const ChannelMixes mixes = given.mixes;
  const std::array<ChannelScale, 3> scales = given.scales;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= num_px; i += hn::Lanes(d)) {
    const RgbVectors rgb = {hn::LoadU(d, in.red + i), hn::LoadU(d, in.green + i),
                            hn::LoadU(d, in.blue + i)};
    sink.put(i, finished_pixels<kForm>(rgb, mixes, scales));
  }
  for (; i < num_px; ++i) {
    sink.put_one(i, finished_pixel({in.red[i], in.green[i], in.blue[i]}, given));
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
    case ColourForm::kFixed:
      return finish_fixed_into(in, num_px, colours, sink);
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
