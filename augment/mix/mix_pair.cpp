#include "augment/mix/mix_pair.h"

#include <cstdint>

#include "augment/mix/mix_elements.h"
#include "augment/simd_target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/mix/mix_pair.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using MixFloats = hn::ScalableTag<float>;
using MixInts = hn::Rebind<std::int32_t, MixFloats>;
using MixBits = hn::Rebind<std::uint32_t, MixFloats>;
using MixHalves = hn::Rebind<std::uint16_t, MixFloats>;
using MixBytes = hn::Rebind<std::uint8_t, MixFloats>;
using MixV = hn::Vec<MixFloats>;
using MixVInt = hn::Vec<MixInts>;

/// Sixteen bits a lane, widened; and narrowed, from lanes of 0 to 0xFFFF.
HWY_ATTR inline MixVInt load_halves(const std::byte* at) {
  const auto halves = hn::LoadU(MixHalves(), reinterpret_cast<const std::uint16_t*>(at));
  return hn::BitCast(MixInts(), hn::PromoteTo(MixBits(), halves));
}
HWY_ATTR inline void store_halves(MixVInt values, std::byte* at) {
  hn::StoreU(hn::DemoteTo(MixHalves(), values), MixHalves(), reinterpret_cast<std::uint16_t*>(at));
}

HWY_ATTR inline MixV floats_of_halves(MixVInt half) {
  const MixFloats d;
  const MixInts d_int;
  const MixVInt magnitude = hn::And(half, hn::Set(d_int, 0x7FFF));
  const MixVInt sign = hn::ShiftLeft<16>(hn::And(half, hn::Set(d_int, 0x8000)));
  const MixV scaled = hn::Mul(hn::BitCast(d, hn::ShiftLeft<13>(magnitude)), hn::Set(d, 0x1p112f));
  const MixVInt above =
      hn::IfThenElseZero(hn::Gt(magnitude, hn::Set(d_int, 0x7BFF)), hn::Set(d_int, 0x7F800000));
  return hn::BitCast(d, hn::Or(hn::Or(hn::BitCast(d_int, scaled), above), sign));
}

HWY_ATTR inline MixVInt halves_of_floats(MixV value) {
  const MixFloats d;
  const MixInts d_int;
  const MixVInt bits = hn::BitCast(d_int, value);
  const MixVInt magnitude = hn::And(bits, hn::Set(d_int, 0x7FFFFFFF));
  const MixVInt sign = hn::And(hn::ShiftRight<16>(bits), hn::Set(d_int, 0x8000));
  const MixVInt odd = hn::And(hn::ShiftRight<13>(magnitude), hn::Set(d_int, 1));
  const MixVInt normal =
      hn::ShiftRight<13>(hn::Add(hn::Sub(magnitude, hn::Set(d_int, (112 << 23) - 0xFFF)), odd));
  const MixVInt small =
      hn::Sub(hn::BitCast(d_int, hn::Add(hn::BitCast(d, magnitude), hn::Set(d, 0.5f))),
              hn::Set(d_int, 0x3F000000));
  const MixVInt large = hn::IfThenElse(hn::Gt(magnitude, hn::Set(d_int, 0x7F800000)),
                                       hn::Set(d_int, 0x7E00), hn::Set(d_int, 0x7C00));
  const MixVInt half =
      hn::IfThenElse(hn::Gt(magnitude, hn::Set(d_int, 0x477FFFFF)), large,
                     hn::IfThenElse(hn::Lt(magnitude, hn::Set(d_int, 0x38800000)), small, normal));
  return hn::Or(half, sign);
}

HWY_ATTR inline MixVInt bfloats_of_floats(MixV value) {
  const MixInts d_int;
  const MixBits d_bits;
  const auto bits = hn::BitCast(d_bits, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d_bits, 1u));
  const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(bits, hn::Set(d_bits, 0x7FFFu)), odd));
  const auto quiet = hn::Or(hn::ShiftRight<16>(bits), hn::Set(d_bits, 0x40u));
  const MixVInt magnitude = hn::And(hn::BitCast(d_int, bits), hn::Set(d_int, 0x7FFFFFFF));
  return hn::IfThenElse(hn::Gt(magnitude, hn::Set(d_int, 0x7F800000)), hn::BitCast(d_int, quiet),
                        hn::BitCast(d_int, rounded));
}

template <ElementType kType>
HWY_ATTR inline MixV load_values(const std::byte* at) {
  const MixFloats d;
  if constexpr (kType == ElementType::kFloat32) {
    return hn::LoadU(d, reinterpret_cast<const float*>(at));
  } else if constexpr (kType == ElementType::kUint8) {
    const auto bytes = hn::LoadU(MixBytes(), reinterpret_cast<const std::uint8_t*>(at));
    return hn::ConvertTo(d, hn::PromoteTo(MixInts(), bytes));
  } else if constexpr (kType == ElementType::kFloat16) {
    return floats_of_halves(load_halves(at));
  } else {
    return hn::BitCast(d, hn::ShiftLeft<16>(load_halves(at)));
  }
}

template <ElementType kType>
HWY_ATTR inline void store_values(MixV values, std::byte* at) {
  if constexpr (kType == ElementType::kFloat32) {
    hn::StoreU(values, MixFloats(), reinterpret_cast<float*>(at));
  } else if constexpr (kType == ElementType::kUint8) {
    hn::StoreU(hn::DemoteTo(MixBytes(), hn::NearestInt(values)), MixBytes(),
               reinterpret_cast<std::uint8_t*>(at));
  } else if constexpr (kType == ElementType::kFloat16) {
    store_halves(halves_of_floats(values), at);
  } else {
    store_halves(bfloats_of_floats(values), at);
  }
}

// Mul and Add, not MulAdd: one rounding less would be other bytes.
template <ElementType kType>
HWY_ATTR void mix_values(const MixedPair& pair, const MixShares& shares) {
  constexpr std::size_t kBytes = sizeof(typename MixElement<kType>::Stored);
  const MixFloats d;
  const std::size_t lanes = hn::Lanes(d);
  const MixV own = hn::Set(d, shares.own);
  const MixV other = hn::Set(d, shares.other);
  std::size_t i = 0;
  for (; i + lanes <= pair.num_values; i += lanes) {
    std::byte* const first = pair.first + i * kBytes;
    std::byte* const second = pair.second + i * kBytes;
    const MixV a = load_values<kType>(first);
    const MixV b = load_values<kType>(second);
    store_values<kType>(hn::Add(hn::Mul(own, a), hn::Mul(other, b)), first);
    store_values<kType>(hn::Add(hn::Mul(own, b), hn::Mul(other, a)), second);
  }
  mix_pair_scalar({.first = pair.first + i * kBytes,
                   .second = pair.second + i * kBytes,
                   .num_values = pair.num_values - i,
                   .element = kType},
                  shares);
}

HWY_ATTR void mix_pair_of(const MixedPair& pair, const MixShares& shares) {
  switch (pair.element) {
    case ElementType::kUint8:
      return mix_values<ElementType::kUint8>(pair, shares);
    case ElementType::kFloat16:
      return mix_values<ElementType::kFloat16>(pair, shares);
    case ElementType::kBfloat16:
      return mix_values<ElementType::kBfloat16>(pair, shares);
    case ElementType::kFloat32:
      return mix_values<ElementType::kFloat32>(pair, shares);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::augment {

HWY_EXPORT(mix_pair_of);

namespace {

template <ElementType kType>
void mix_one_by_one(const MixedPair& pair, const MixShares& shares) noexcept {
  using Element = MixElement<kType>;
  for (std::size_t i = 0; i < pair.num_values; ++i) {
    const float a = Element::load(pair.first, i);
    const float b = Element::load(pair.second, i);
    Element::store(shares.own * a + shares.other * b, pair.first, i);
    Element::store(shares.own * b + shares.other * a, pair.second, i);
  }
}

}  // namespace

void mix_pair(const MixedPair& pair, const MixShares& shares) noexcept {
  if (is_scalar_forced()) return mix_pair_scalar(pair, shares);
  HWY_DYNAMIC_DISPATCH(mix_pair_of)(pair, shares);
}

void mix_pair_scalar(const MixedPair& pair, const MixShares& shares) noexcept {
  switch (pair.element) {
    case ElementType::kUint8:
      return mix_one_by_one<ElementType::kUint8>(pair, shares);
    case ElementType::kFloat16:
      return mix_one_by_one<ElementType::kFloat16>(pair, shares);
    case ElementType::kBfloat16:
      return mix_one_by_one<ElementType::kBfloat16>(pair, shares);
    case ElementType::kFloat32:
      return mix_one_by_one<ElementType::kFloat32>(pair, shares);
  }
}

}  // namespace penstock::augment
#endif
