// Vectors of floats as the elements of a batch, and back, included behind <hwy/highway.h>, once for each
// of Highway's targets. They do what element_bits.h does.
#if defined(PENSTOCK_AUGMENT_ELEMENT_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_ELEMENT_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_ELEMENT_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_ELEMENT_VECTORS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "augment/element_bits.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using DInt = hn::Rebind<std::int32_t, D>;
using DByte = hn::Rebind<std::uint8_t, D>;
using DWord = hn::Rebind<std::uint32_t, D>;
using DHalf = hn::Rebind<std::uint16_t, D>;
using V = hn::Vec<D>;

/// What element types have in common: `Type::bits()` stored.
template <class Type, class T>
struct StoredElements {
  template <bool kMayBeNan = true>
  static HWY_INLINE HWY_ATTR void store(V value, T* to) {
    hn::StoreU(Type::template bits<kMayBeNan>(value), hn::Rebind<T, D>(), to);
  }
};

/// An element type: `T` holds its bits. NaN costs some instructions, which pixels just made of bytes do
/// not need.
struct Float32 : StoredElements<Float32, float> {
  using T = float;
  template <bool kMayBeNan = true>
  static HWY_INLINE HWY_ATTR V bits(V value) {
    return value;
  }
  static HWY_INLINE HWY_ATTR V load(const T* from) { return hn::LoadU(D(), from); }
  static T of(float value) { return value; }
};

struct Bfloat16 : StoredElements<Bfloat16, std::uint16_t> {
  using T = std::uint16_t;
  template <bool kMayBeNan = true>
  static HWY_INLINE HWY_ATTR hn::Vec<DHalf> bits(V value) {
    const DWord d;
    const auto word = hn::BitCast(d, value);
    const auto is_odd = hn::And(hn::ShiftRight<16>(word), hn::Set(d, 1u));
    const auto rounded = hn::Add(word, hn::Add(is_odd, hn::Set(d, 0x7FFFu)));
    auto kept = rounded;
    if constexpr (kMayBeNan) {
      const auto quiet = hn::Or(word, hn::Set(d, 0x400000u));
      kept = hn::IfThenElse(hn::RebindMask(d, hn::IsNaN(value)), quiet, rounded);
    }
    const auto upper = hn::BitCast(DInt(), hn::ShiftRight<16>(kept));
    return hn::DemoteTo(DHalf(), upper);
  }
  static HWY_INLINE HWY_ATTR V load(const T* from) {
    const auto bits = hn::PromoteTo(DWord(), hn::LoadU(DHalf(), from));
    return hn::BitCast(D(), hn::ShiftLeft<16>(bits));
  }
  static T of(float value) { return bfloat16_bits(value); }
};

struct Float16 : StoredElements<Float16, std::uint16_t> {
  using T = std::uint16_t;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  // Rounds halves to even; Highway's other targets cut off. Of NaN, only the sign is kept.
  template <bool kMayBeNan = true>
  static HWY_INLINE HWY_ATTR hn::Vec<DHalf> bits(V value) {
    const hn::Rebind<hwy::float16_t, D> d;
    V kept = value;
    if constexpr (kMayBeNan) {
      const DWord d_word;
      const auto sign = hn::And(hn::BitCast(d_word, value), hn::Set(d_word, 0x80000000u));
      const V nan = hn::BitCast(D(), hn::Or(sign, hn::Set(d_word, 0x7FC00000u)));
      kept = hn::IfThenElse(hn::IsNaN(value), nan, value);
    }
    return hn::BitCast(DHalf(), hn::DemoteTo(d, kept));
  }
#else
  template <bool kMayBeNan = true>
  static HWY_INLINE HWY_ATTR hn::Vec<DHalf> bits(V value) {
    const DWord d;
    const auto all_bits = hn::BitCast(d, value);
    const auto word = hn::And(all_bits, hn::Set(d, 0x7FFFFFFFu));
    const auto sign = hn::ShiftLeft<15>(hn::ShiftRight<31>(all_bits));
    const auto is_odd = hn::And(hn::ShiftRight<13>(word), hn::Set(d, 1u));
    const auto rounded = hn::Add(word, hn::Add(is_odd, hn::Set(d, 0xFFFu)));
    const auto normal = hn::ShiftRight<13>(hn::Sub(rounded, hn::Set(d, (127u - 15u) << 23)));
    const V half = hn::Set(D(), 0.5f);
    const auto tiny =
        hn::Sub(hn::BitCast(d, hn::Add(hn::BitCast(D(), word), half)), hn::BitCast(d, half));
    // All are below 2^31: signed comparisons do.
    const auto signed_bits = hn::BitCast(DInt(), word);
    const auto is_tiny = hn::Lt(signed_bits, hn::Set(DInt(), (127 - 14) << 23));
    const auto is_normal = hn::Lt(signed_bits, hn::Set(DInt(), (127 + 16) << 23));
    auto beyond = hn::Set(DInt(), 0x7C00);
    if constexpr (kMayBeNan) {
      const auto is_nan = hn::Gt(signed_bits, hn::Set(DInt(), 255 << 23));
      beyond = hn::IfThenElse(is_nan, hn::Set(DInt(), 0x7E00), beyond);
    }
    auto result = hn::IfThenElse(is_tiny, hn::BitCast(DInt(), tiny), hn::BitCast(DInt(), normal));
    result = hn::IfThenElse(is_normal, result, beyond);
    result = hn::Or(result, hn::BitCast(DInt(), sign));
    return hn::DemoteTo(DHalf(), result);
  }
#endif
  static HWY_INLINE HWY_ATTR V load(const T* from) {
    const DWord d;
    const auto half = hn::PromoteTo(d, hn::LoadU(DHalf(), from));
    const auto magnitude = hn::And(half, hn::Set(d, 0x7FFFu));
    const auto sign = hn::ShiftLeft<16>(hn::And(half, hn::Set(d, 0x8000u)));
    const V scaled =
        hn::Mul(hn::BitCast(D(), hn::ShiftLeft<13>(magnitude)), hn::Set(D(), 0x1p112f));
    const auto is_beyond = hn::Gt(hn::BitCast(DInt(), magnitude), hn::Set(DInt(), 0x7BFF));
    const auto above = hn::IfThenElseZero(is_beyond, hn::Set(DInt(), 0x7F800000));
    return hn::BitCast(D(), hn::Or(hn::Or(hn::BitCast(d, scaled), hn::BitCast(d, above)), sign));
  }
  static T of(float value) {
    return float16_bits(value);
  }
};

struct Uint8 : StoredElements<Uint8, std::uint8_t> {
  using T = std::uint8_t;
  template <bool kMayBeNan = true>
  static HWY_INLINE HWY_ATTR hn::Vec<DByte> bits(V value) {
    const D d;
    const V held = hn::Min(hn::Max(value, hn::Zero(d)), hn::Set(d, 255.0f));
    // From 2^23 on the last place of a float is 1: the addition rounds.
    const auto word = hn::BitCast(DWord(), hn::Add(held, hn::Set(d, 0x1p23f)));
    return hn::U8FromU32(hn::And(word, hn::Set(DWord(), 0xFFu)));
  }
  static HWY_INLINE HWY_ATTR V load(const T* from) {
    return hn::ConvertTo(D(), hn::PromoteTo(DInt(), hn::LoadU(DByte(), from)));
  }
  static T of(float value) { return uint8_bits(value); }
};

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
