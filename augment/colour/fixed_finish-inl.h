// Lines of pixels through a fixed tail, from floats or fixed values into a sink, in vectors. Included behind
// <hwy/highway.h>, once for each of Highway's targets.
#if defined(PENSTOCK_AUGMENT_FIXED_FINISH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_FIXED_FINISH_INL_H_
#undef PENSTOCK_AUGMENT_FIXED_FINISH_INL_H_
#else
#define PENSTOCK_AUGMENT_FIXED_FINISH_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "augment/colour/colour_vectors-inl.h"
#include "augment/colour/fixed_vectors-inl.h"
#include "augment/colour/pixel_colours.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

/// Rounds pixels into fixed lines, with the mixes before it where the fixed tail has none.
template <bool kMixes>
HWY_ATTR inline void fix_lines(const RgbPlanes& in, std::size_t num_px, const PixelColours& colours,
                               const FixedLines& to) {
  const D d;
  const ChannelMixes mixes = colours.mixes;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= num_px; i += hn::Lanes(d)) {
    RgbVectors rgb = {hn::LoadU(d, in.red + i), hn::LoadU(d, in.green + i),
                      hn::LoadU(d, in.blue + i)};
    if constexpr (kMixes) {
      rgb = {mix_three_of(rgb, mixes[0]), mix_three_of(rgb, mixes[1]), mix_three_of(rgb, mixes[2])};
    }
    store_fixed(rgb.red, to.line[0] + i);
    store_fixed(rgb.green, to.line[1] + i);
    store_fixed(rgb.blue, to.line[2] + i);
  }
  for (; i < num_px; ++i) {
    const std::array<float, 3> rgb = {in.red[i], in.green[i], in.blue[i]};
    for (std::size_t c = 0; c < 3; ++c) {
      to.line[c][i] = fixed_of(kMixes ? mix_three(rgb, mixes[c]) : rgb[c]);
    }
  }
}

/// Normalises fixed lines into a sink.
template <class Sink>
HWY_ATTR inline void scale_fixed_into(const FixedLines& in, std::size_t num_px,
                                      const PixelColours& colours, const Sink& sink) {
  const D d;
  const std::array<ChannelScale, 3> scales = colours.scales;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= num_px; i += hn::Lanes(d)) {
    sink.put(i, {normalise_of(load_fixed(in.line[0] + i), vectors_of(scales[0])),
                 normalise_of(load_fixed(in.line[1] + i), vectors_of(scales[1])),
                 normalise_of(load_fixed(in.line[2] + i), vectors_of(scales[2]))});
  }
  for (; i < num_px; ++i) {
    std::array<float, 3> rgb{};
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[c] = static_cast<float>(in.line[c][i]) * scales[c].gain + scales[c].bias;
    }
    sink.put_one(i, rgb);
  }
}

/// Fixed lines of a block, which stay in the first cache.
struct FixedBlock {
  static constexpr std::size_t kPx = 512;
  HWY_ALIGN std::int16_t values[3][kPx];

  FixedLines lines() { return {{values[0], values[1], values[2]}}; }
  ConstFixedLines const_lines() const { return {{values[0], values[1], values[2]}}; }
  static std::size_t whole_vectors(std::size_t num_px) {
    const std::size_t lanes = hn::Lanes(DFixed());
    return (num_px + lanes - 1) / lanes * lanes;
  }
  /// Blackens what is behind the pixels up to a whole vector.
  void fill_behind(std::size_t num_px) {
    for (auto& line : values)
      std::fill(line + num_px, line + whole_vectors(num_px), std::int16_t{0});
  }
};

/// Of a tail with hue, block by block.
template <class Sink>
HWY_NOINLINE HWY_ATTR void finish_fixed_into(const RgbPlanes& in, std::size_t num_px,
                                             const PixelColours& colours, const Sink& sink) {
  FixedBlock block;
  for (std::size_t begin = 0; begin < num_px; begin += FixedBlock::kPx) {
    const std::size_t count = std::min(FixedBlock::kPx, num_px - begin);
    const RgbPlanes from = {in.red + begin, in.green + begin, in.blue + begin};
    if (colours.has_mix) {
      fix_lines<true>(from, count, colours, block.lines());
    } else {
      fix_lines<false>(from, count, colours, block.lines());
    }
    block.fill_behind(count);
    finish_fixed_lines(block.const_lines(), FixedBlock::whole_vectors(count), *colours.fixed,
                       block.lines());
    scale_fixed_into(block.lines(), count, colours, sink.from(begin));
  }
}

/// The same of values that are fixed already.
template <class Sink>
HWY_NOINLINE HWY_ATTR void finish_fixed_into(const ConstFixedLines& in, std::size_t num_px,
                                             const PixelColours& colours, const Sink& sink) {
  FixedBlock block;
  for (std::size_t begin = 0; begin < num_px; begin += FixedBlock::kPx) {
    const std::size_t count = std::min(FixedBlock::kPx, num_px - begin);
    ConstFixedLines from = {{in.line[0] + begin, in.line[1] + begin, in.line[2] + begin}};
    const std::size_t num_values = FixedBlock::whole_vectors(count);
    if (num_values != count) {
      for (std::size_t c = 0; c < 3; ++c) std::copy_n(from.line[c], count, block.values[c]);
      block.fill_behind(count);
      from = block.const_lines();
    }
    finish_fixed_lines(from, num_values, *colours.fixed, block.lines());
    scale_fixed_into(block.lines(), count, colours, sink.from(begin));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
