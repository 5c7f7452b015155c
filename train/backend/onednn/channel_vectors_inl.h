// The loops over tiles and channels that the NHWC kernels share, once per instruction set. Included by kernel
// files after hwy/highway.h, and again for every target: hence no plain include guard.
#if defined(PENSTOCK_CHANNEL_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_CHANNEL_VECTORS_INL
#undef PENSTOCK_CHANNEL_VECTORS_INL
#else
#define PENSTOCK_CHANNEL_VECTORS_INL
#endif

#include <algorithm>
#include <cstddef>

#include "train/backend/onednn/nhwc_kernels.h"

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

/// Rows of a tile: about 16 KiB of x, so that the passes over its channels stay in the L1 cache,
/// and no fewer than 32, so that adding up tiles in double costs little.
inline std::size_t tile_rows(std::size_t channels) {
  return std::max<std::size_t>(32, 4096 / channels);
}

template <class D, class V>
HWY_ATTR void add_lanes(D d, V values, double* sums) {
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
  hwy::HWY_NAMESPACE::Store(values, d, lanes);
  for (std::size_t i = 0; i < hwy::HWY_NAMESPACE::Lanes(d); ++i)
    sums[i] += static_cast<double>(lanes[i]);
}

/// Calls body(tile, first value) for every tile of the rows.
template <class Body>
HWY_ATTR void for_tiles(Rows rows, const Body& body) {
  const std::size_t most = tile_rows(rows.channels);
  for (std::size_t row = 0; row < rows.num_rows; row += most) {
    body(Rows{std::min(most, rows.num_rows - row), rows.channels}, row * rows.channels);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#endif
