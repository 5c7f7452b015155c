// Vectors of floats as the elements of a batch, included behind <hwy/highway.h>, once for each of
// Highway's targets. They do what element_bits.h does.
#if defined(PENSTOCK_AUGMENT_ELEMENT_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_ELEMENT_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_ELEMENT_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_ELEMENT_VECTORS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "augment/element_bits.h"
#include "augment/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

using DWord = hn::Rebind<std::uint32_t, D>;
using DHalf = hn::Rebind<std::uint16_t, D>;

/// An element type: `T` holds its bits.
struct Float32 {
  using T = float;
  static HWY_INLINE HWY_ATTR void store(V value, T* to) { hn::StoreU(value, D(), to); }
  static T of(float value) { return value; }
};

struct Bfloat16 {
  using T = std::uint16_t;
  static HWY_INLINE HWY_ATTR void store(V value, T* to) {
    const DWord d;
    const auto bits = hn::BitCast(d, value);
    const auto is_odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1u));
    const auto rounded = hn::Add(bits, hn::Add(is_odd, hn::Set(d, 0x7FFFu)));
    const auto upper = hn::BitCast(DInt(), hn::ShiftRight<16>(rounded));
    hn::StoreU(hn::DemoteTo(DHalf(), upper), DHalf(), to);
  }
  static T of(float value) { return bfloat16_bits(value); }
};

struct Float16 {
  using T = std::uint16_t;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  // Rounds halves to even; Highway's other targets cut off.
  static HWY_INLINE HWY_ATTR void store(V value, T* to) {
    const hn::Rebind<hwy::float16_t, D> d;
    hn::StoreU(hn::BitCast(DHalf(), hn::DemoteTo(d, value)), DHalf(), to);
  }
#else
  static HWY_INLINE HWY_ATTR void store(V value, T* to) {
    const DWord d;
    const auto all_bits = hn::BitCast(d, value);
    const auto bits = hn::And(all_bits, hn::Set(d, 0x7FFFFFFFu));
    const auto sign = hn::ShiftLeft<15>(hn::ShiftRight<31>(all_bits));
    const auto is_odd = hn::And(hn::ShiftRight<13>(bits), hn::Set(d, 1u));
    const auto rounded = hn::Add(bits, hn::Add(is_odd, hn::Set(d, 0xFFFu)));
    const auto normal = hn::ShiftRight<13>(hn::Sub(rounded, hn::Set(d, (127u - 15u) << 23)));
    const V half = hn::Set(D(), 0.5f);
    const auto tiny =
        hn::Sub(hn::BitCast(d, hn::Add(hn::BitCast(D(), bits), half)), hn::BitCast(d, half));
    // All are below 2^31: signed comparisons do.
    const auto signed_bits = hn::BitCast(DInt(), bits);
    const auto is_tiny = hn::Lt(signed_bits, hn::Set(DInt(), (127 - 14) << 23));
    const auto is_normal = hn::Lt(signed_bits, hn::Set(DInt(), (127 + 16) << 23));
    auto result = hn::IfThenElse(is_tiny, hn::BitCast(DInt(), tiny), hn::BitCast(DInt(), normal));
    result = hn::IfThenElse(is_normal, result, hn::Set(DInt(), 0x7C00));
    result = hn::Or(result, hn::BitCast(DInt(), sign));
    hn::StoreU(hn::DemoteTo(DHalf(), result), DHalf(), to);
  }
#endif
  static T of(float value) {
    return float16_bits(value);
  }
};

struct Uint8 {
  using T = std::uint8_t;
  static HWY_INLINE HWY_ATTR void store(V value, T* to) {
    const D d;
    const V held = hn::Min(hn::Max(value, hn::Zero(d)), hn::Set(d, 255.0f));
    hn::StoreU(hn::DemoteTo(DByte(), hn::NearestInt(held)), DByte(), to);
  }
  static T of(float value) { return uint8_bits(value); }
};

/// Normalises a line and converts it.
template <class Element>
HWY_ATTR inline void convert_line(const float* in, std::size_t num_px, const ChannelScale& scale,
                                  typename Element::T* out) {
  const ScaleVectors scales = vectors_of(scale);
  const std::size_t lanes = hn::Lanes(D());
  std::size_t i = 0;
  for (; i + lanes <= num_px; i += lanes) {
    Element::store(normalise_of(hn::LoadU(D(), in + i), scales), out + i);
  }
  for (; i < num_px; ++i) out[i] = Element::of(in[i] * scale.gain + scale.bias);
}

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
