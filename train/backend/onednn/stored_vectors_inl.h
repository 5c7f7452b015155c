// Vectors of floats from values in memory and back, for each type that values are kept in. Included by kernel
// files after hwy/highway.h, and again for every target: hence no plain include guard.
#if defined(PENSTOCK_STORED_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_STORED_VECTORS_INL
#undef PENSTOCK_STORED_VECTORS_INL
#else
#define PENSTOCK_STORED_VECTORS_INL
#endif

#include <cstdint>

#include "train/backend/bfloat16.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

template <class D>
HWY_ATTR HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> load(D d, const float* from) {
  return hwy::HWY_NAMESPACE::LoadU(d, from);
}

template <class D>
HWY_ATTR HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> load(D d, const Bfloat16* from) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::Rebind<std::uint16_t, D> d_half;
  const hn::Rebind<std::uint32_t, D> d_word;
  const auto half = hn::LoadU(d_half, reinterpret_cast<const std::uint16_t*>(from));
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(d_word, half)));
}

template <class D, class V>
HWY_ATTR HWY_INLINE void store(V values, D d, float* to) {
  hwy::HWY_NAMESPACE::StoreU(values, d, to);
}

/// To the nearest, halves to even. Highway's own demotion cuts off.
template <class D, class V>
HWY_ATTR HWY_INLINE void store(V values, D /*d*/, Bfloat16* to) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::Rebind<std::uint16_t, D> d_half;
  const hn::Rebind<std::uint32_t, D> d_word;
  const hn::Rebind<std::int32_t, D> d_int;
  const auto word = hn::BitCast(d_word, values);
  const auto last_kept = hn::And(hn::ShiftRight<16>(word), hn::Set(d_word, 1u));
  const auto rounded = hn::Add(word, hn::Add(last_kept, hn::Set(d_word, 0x7FFFu)));
  const auto quiet = hn::Or(word, hn::Set(d_word, 0x400000u));  // not to become an infinity
  const auto kept = hn::IfThenElse(hn::RebindMask(d_word, hn::IsNaN(values)), quiet, rounded);
  const auto upper = hn::DemoteTo(d_half, hn::BitCast(d_int, hn::ShiftRight<16>(kept)));
  hn::StoreU(upper, d_half, reinterpret_cast<std::uint16_t*>(to));
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#endif
