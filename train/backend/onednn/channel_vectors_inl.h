// The loop over channels that the NHWC kernels share, once per instruction set. Included by kernel
// files after hwy/highway.h, and again for every target: hence no plain include guard.
#if defined(PENSTOCK_CHANNEL_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_CHANNEL_VECTORS_INL
#undef PENSTOCK_CHANNEL_VECTORS_INL
#else
#define PENSTOCK_CHANNEL_VECTORS_INL
#endif

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

/// Calls block(d, channel) for vectors of channels, then for the channels left over, one by one.
template <class Block>
HWY_ATTR void for_channels(std::size_t channels, const Block& block) {
  const hwy::HWY_NAMESPACE::ScalableTag<float> d;
  const std::size_t lanes = hwy::HWY_NAMESPACE::Lanes(d);
  std::size_t c = 0;
  for (; c + lanes <= channels; c += lanes) block(d, c);
  for (; c < channels; ++c) block(hwy::HWY_NAMESPACE::CappedTag<float, 1>(), c);
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#endif
