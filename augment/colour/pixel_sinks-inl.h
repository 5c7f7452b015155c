// Where finished vectors of pixels go: lines of one channel or interleaved pixels, through the caches or
// past them. Included behind <hwy/highway.h>, once for each of Highway's targets.
#if defined(PENSTOCK_AUGMENT_PIXEL_SINKS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_PIXEL_SINKS_INL_H_
#undef PENSTOCK_AUGMENT_PIXEL_SINKS_INL_H_
#else
#define PENSTOCK_AUGMENT_PIXEL_SINKS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "augment/colour/colour_vectors-inl.h"
#include "augment/element_vectors-inl.h"
#include "augment/warp/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

/// Puts pixels into lines of one channel each.
template <class Element>
struct LineSink {
  using T = typename Element::T;
  T* line[3];

  HWY_INLINE HWY_ATTR void put(std::size_t i, const RgbVectors& rgb) const {
    Element::template store<false>(rgb.red, line[0] + i);
    Element::template store<false>(rgb.green, line[1] + i);
    Element::template store<false>(rgb.blue, line[2] + i);
  }
  HWY_INLINE void put_one(std::size_t i, const std::array<float, 3>& rgb) const {
    for (std::size_t c = 0; c < 3; ++c) line[c][i] = Element::of(rgb[c]);
  }
  HWY_INLINE HWY_ATTR void put_gray(std::size_t i, V value) const {
    Element::template store<false>(value, line[0] + i);
  }
  HWY_INLINE void put_one_gray(std::size_t i, float value) const {
    line[0][i] = Element::of(value);
  }
};

/// Writes floats past the caches into lines that begin on a vector.
struct StreamedLineSink : LineSink<Float32> {
  HWY_INLINE HWY_ATTR void put(std::size_t i, const RgbVectors& rgb) const {
    hn::Stream(rgb.red, D(), line[0] + i);
    hn::Stream(rgb.green, D(), line[1] + i);
    hn::Stream(rgb.blue, D(), line[2] + i);
  }
  HWY_INLINE HWY_ATTR void put_gray(std::size_t i, V value) const {
    hn::Stream(value, D(), line[0] + i);
  }
};

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
/// Three channels of sixteen pixels, channel beside channel.
struct MixedVectors {
  V v0, v1, v2;
};
HWY_INLINE HWY_ATTR MixedVectors mix_channels(const RgbVectors& rgb) {
  // Value 16 v + i is channel (16 v + i) % 3 of pixel (16 v + i) / 3; from 16 on the second vector's.
  alignas(64) static constexpr std::int32_t kRedGreen[3][16] = {
      {0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5},
      {21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26},
      {0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0}};
  alignas(64) static constexpr std::int32_t kWithBlue[3][16] = {
      {0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15},
      {0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15},
      {26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31}};
  const DInt d;
  const auto mixed = [&](std::size_t v) HWY_ATTR {
    const V red_green = look_up(rgb.red, rgb.green, hn::Load(d, kRedGreen[v]));
    return look_up(red_green, rgb.blue, hn::Load(d, kWithBlue[v]));
  };
  return {mixed(0), mixed(1), mixed(2)};
}

HWY_INLINE HWY_ATTR void store_pixels(const RgbVectors& rgb, float* to) {
  const MixedVectors mixed = mix_channels(rgb);
  hn::StoreU(mixed.v0, D(), to);
  hn::StoreU(mixed.v1, D(), to + 16);
  hn::StoreU(mixed.v2, D(), to + 32);
}

constexpr bool kStreamsPixels = true;
HWY_INLINE HWY_ATTR void stream_pixels(const RgbVectors& rgb, float* to) {
  const MixedVectors mixed = mix_channels(rgb);
  hn::Stream(mixed.v0, D(), to);
  hn::Stream(mixed.v1, D(), to + 16);
  hn::Stream(mixed.v2, D(), to + 32);
}
#else
HWY_INLINE HWY_ATTR void store_pixels(const RgbVectors& rgb, float* to) {
  hn::StoreInterleaved3(rgb.red, rgb.green, rgb.blue, D(), to);
}

// Highway's interleaving stores go through the caches.
constexpr bool kStreamsPixels = false;
HWY_INLINE HWY_ATTR void stream_pixels(const RgbVectors& rgb, float* to) {
  store_pixels(rgb, to);
}
#endif

/// Puts floats into pixels of three channels.
struct PixelSink {
  float* pixels;

  HWY_INLINE HWY_ATTR void put(std::size_t i, const RgbVectors& rgb) const {
    store_pixels(rgb, pixels + 3 * i);
  }
  HWY_INLINE void put_one(std::size_t i, const std::array<float, 3>& rgb) const {
    for (std::size_t c = 0; c < 3; ++c) pixels[3 * i + c] = rgb[c];
  }
};

/// Past the caches, where kStreamsPixels and the pixels begin on a vector.
struct StreamedPixelSink : PixelSink {
  HWY_INLINE HWY_ATTR void put(std::size_t i, const RgbVectors& rgb) const {
    stream_pixels(rgb, pixels + 3 * i);
  }
};

/// Puts three lines into pixels of three channels.
template <class T>
HWY_ATTR inline void interleave(const T* const* lines, std::size_t num_px, T* out) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= num_px; i += lanes) {
    hn::StoreInterleaved3(hn::LoadU(d, lines[0] + i), hn::LoadU(d, lines[1] + i),
                          hn::LoadU(d, lines[2] + i), d, out + 3 * i);
  }
  for (; i < num_px; ++i) {
    for (std::size_t c = 0; c < 3; ++c) out[3 * i + c] = lines[c][i];
  }
}

/// Copies whole vectors past the caches, the rest through them. `out` must be aligned for vectors.
HWY_ATTR inline void stream_bytes(const void* in, std::size_t num_bytes, void* out) {
  const hn::ScalableTag<std::uint8_t> d;
  const auto* const from = static_cast<const std::uint8_t*>(in);
  auto* const to = static_cast<std::uint8_t*>(out);
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= num_bytes; i += lanes) hn::Stream(hn::LoadU(d, from + i), d, to + i);
  for (; i < num_bytes; ++i) to[i] = from[i];
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
