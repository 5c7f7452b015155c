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

  LineSink from(std::size_t i) const { return {{line[0] + i, line[1] + i, line[2] + i}}; }
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
  StreamedLineSink from(std::size_t i) const { return {LineSink::from(i)}; }
  HWY_INLINE HWY_ATTR void put(std::size_t i, const RgbVectors& rgb) const {
    hn::Stream(rgb.red, D(), line[0] + i);
    hn::Stream(rgb.green, D(), line[1] + i);
    hn::Stream(rgb.blue, D(), line[2] + i);
  }
  HWY_INLINE HWY_ATTR void put_gray(std::size_t i, V value) const {
    hn::Stream(value, D(), line[0] + i);
  }
};

// Highway's interleaving stores go through the caches.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
constexpr bool kStreamsPixels = true;
HWY_INLINE HWY_ATTR void stream_pixels(const RgbVectors& rgb, float* to) {
  const MixedChannels mixed = mix_channels(rgb.red, rgb.green, rgb.blue);
  hn::Stream(mixed.v0, D(), to);
  hn::Stream(mixed.v1, D(), to + 16);
  hn::Stream(mixed.v2, D(), to + 32);
}
#else
constexpr bool kStreamsPixels = false;
HWY_INLINE HWY_ATTR void stream_pixels(const RgbVectors& rgb, float* to) {
  store_interleaved(rgb.red, rgb.green, rgb.blue, to);
}
#endif

/// Puts floats into pixels of three channels.
struct PixelSink {
  float* pixels;

  PixelSink from(std::size_t i) const { return {pixels + 3 * i}; }
  HWY_INLINE HWY_ATTR void put(std::size_t i, const RgbVectors& rgb) const {
    store_interleaved(rgb.red, rgb.green, rgb.blue, pixels + 3 * i);
  }
  HWY_INLINE void put_one(std::size_t i, const std::array<float, 3>& rgb) const {
    for (std::size_t c = 0; c < 3; ++c) pixels[3 * i + c] = rgb[c];
  }
};

/// Past the caches, where kStreamsPixels and the pixels begin on a vector.
struct StreamedPixelSink : PixelSink {
  StreamedPixelSink from(std::size_t i) const { return {PixelSink::from(i)}; }
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
