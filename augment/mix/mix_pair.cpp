#include "augment/mix/mix_pair.h"

#include <cstdint>

#include "augment/element_bits.h"
#include "augment/simd_target.h"

// As for the kernels that share these vectors.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/mix/mix_pair.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "augment/element_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

// Mul and Add, not MulAdd: one rounding less would be other bytes.
template <class Stored>
HWY_ATTR void mix_values(const MixedPair& pair, const MixShares& shares) {
  using T = typename Stored::T;
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  const V own = hn::Set(d, shares.own);
  const V other = hn::Set(d, shares.other);
  std::size_t i = 0;
  for (; i + lanes <= pair.num_values; i += lanes) {
    auto* const first = reinterpret_cast<T*>(pair.first + i * sizeof(T));
    auto* const second = reinterpret_cast<T*>(pair.second + i * sizeof(T));
    const V a = Stored::load(first);
    const V b = Stored::load(second);
    Stored::store(hn::Add(hn::Mul(own, a), hn::Mul(other, b)), first);
    Stored::store(hn::Add(hn::Mul(own, b), hn::Mul(other, a)), second);
  }
  mix_pair_scalar({.first = pair.first + i * sizeof(T),
                   .second = pair.second + i * sizeof(T),
                   .num_values = pair.num_values - i,
                   .element = pair.element},
                  shares);
}

HWY_ATTR void mix_pair_of(const MixedPair& pair, const MixShares& shares) {
  switch (pair.element) {
    case ElementType::kUint8:
      return mix_values<Uint8>(pair, shares);
    case ElementType::kFloat16:
      return mix_values<Float16>(pair, shares);
    case ElementType::kBfloat16:
      return mix_values<Bfloat16>(pair, shares);
    case ElementType::kFloat32:
      return mix_values<Float32>(pair, shares);
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
  for (std::size_t i = 0; i < pair.num_values; ++i) {
    const float a = Element<kType>::load(pair.first, i);
    const float b = Element<kType>::load(pair.second, i);
    Element<kType>::store(shares.own * a + shares.other * b, pair.first, i);
    Element<kType>::store(shares.own * b + shares.other * a, pair.second, i);
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
