// How vectors of values go into a slot: as its elements, in planes or interleaved. Included behind
// <hwy/highway.h>, once for each of Highway's targets.
#if defined(PENSTOCK_AUGMENT_SLOT_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_SLOT_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_SLOT_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_SLOT_VECTORS_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "augment/element_vectors-inl.h"
#include "augment/warp/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

/// Stores a vector of each channel: into planes, or pixel after pixel.
template <class Element, std::uint32_t kChannels, bool kIsInterleaved>
HWY_INLINE HWY_ATTR void store_channels(V v0, V v1, V v2, typename Element::T* to,
                                        std::size_t plane) {
  if constexpr (kIsInterleaved && kChannels == 3) {
    if constexpr (std::is_same_v<Element, Float32>) {
      store_interleaved(v0, v1, v2, to);
    } else {
      hn::StoreInterleaved3(Element::template bits<false>(v0), Element::template bits<false>(v1),
                            Element::template bits<false>(v2), hn::Rebind<typename Element::T, D>(),
                            to);
    }
  } else {
    Element::template store<false>(v0, to);
    if constexpr (kChannels == 1) return;
    Element::template store<false>(v1, to + plane);
    Element::template store<false>(v2, to + 2 * plane);
  }
}

/// The bytes of a vector of elements.
template <class Element>
HWY_INLINE std::size_t vector_bytes() {
  return hn::Lanes(D()) * sizeof(typename Element::T);
}

/// Whether vectors of elements can be stored past the caches: they fill registers of their own.
template <class Element>
HWY_INLINE bool has_streams() {
  return vector_bytes<Element>() >= 16;
}

/// Stores a vector of elements past the caches, where has_streams() and `to` is a multiple of its bytes.
template <class Element>
HWY_INLINE HWY_ATTR void stream_elements(V value, typename Element::T* to) {
  hn::Stream(Element::template bits<false>(value), hn::Rebind<typename Element::T, D>(), to);
}

/// Calls sample() with the vectors' element type.
template <class Sample>
HWY_INLINE void for_element(ElementType element, const Sample& sample) {
  switch (element) {
    case ElementType::kUint8:
      return sample(Uint8{});
    case ElementType::kFloat16:
      return sample(Float16{});
    case ElementType::kBfloat16:
      return sample(Bfloat16{});
    case ElementType::kFloat32:
      return sample(Float32{});
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
