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
#include "train/backend/onednn/stored_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Calls block(d, channel) for vectors of channels, then for the channels left over, one by one.
template <class Block>
HWY_ATTR void for_channels(std::size_t channels, const Block& block) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t c = 0;
  for (; c + lanes <= channels; c += lanes) block(d, c);
  for (; c < channels; ++c) block(hn::CappedTag<float, 1>(), c);
}

/// Rows of a tile: about 16 KiB of x, so that the passes over its channels stay in the L1 cache,
/// and no fewer than 32, so that adding up tiles in double costs little.
inline std::size_t tile_rows(std::size_t channels) {
  return std::max<std::size_t>(32, 4096 / channels);
}

template <class D, class V>
HWY_ATTR void add_lanes(D d, V values, double* sums) {
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(values, d, lanes);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) sums[i] += static_cast<double>(lanes[i]);
}

/// Calls body(tile, first value) for every tile of the rows.
template <class Body>
HWY_ATTR void for_tiles(Rows rows, const Body& body) {
  const std::size_t most = tile_rows(rows.channels);
  for (std::size_t row = 0; row < rows.num_rows; row += most) {
    body(Rows{std::min(most, rows.num_rows - row), rows.channels}, row * rows.channels);
  }
}

/// How far ahead a pass asks for memory that it reads or writes. From DRAM (103 MB of float, one core of a
/// Xeon with AMX) passes take 0.6 to 0.8 of the time that they take without and channel by channel.
inline constexpr std::size_t kAheadBytes = 1024;

template <class D, class T>
HWY_ATTR hn::Vec<D> load_stream(D d, const T* values) {
  hwy::Prefetch(values + kAheadBytes / sizeof(T));
  return load(d, values);
}

template <class D, class T>
HWY_ATTR void store_stream(hn::Vec<D> v, D d, T* values) {
  __builtin_prefetch(values + kAheadBytes / sizeof(T), 1);
  store(v, d, values);
}

/// Adds to first[c] and second[c] what term(d, c, at, sum, other) adds up over a tile's rows: in float within
/// the tile, in double over tiles. Four vectors of channels at a time: whole cache lines side by side.
template <class Term>
struct TileSums {
  Rows tile;
  Term term;
  double* first;
  double* second;

  std::size_t end() const { return tile.num_rows * tile.channels; }

  template <class D>
  HWY_ATTR void one(D d, std::size_t c) const {
    auto sum = hn::Zero(d);
    auto other = hn::Zero(d);
    for (std::size_t at = c; at < end(); at += tile.channels) term(d, c, at, sum, other);
    add_lanes(d, sum, first + c);
    add_lanes(d, other, second + c);
  }

  template <class D>
  HWY_ATTR void four(D d, std::size_t c) const {
    const std::size_t c1 = hn::Lanes(d), c2 = 2 * c1, c3 = 3 * c1;
    auto sum0 = hn::Zero(d), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    auto other0 = sum0, other1 = sum0, other2 = sum0, other3 = sum0;
    for (std::size_t at = c; at < end(); at += tile.channels) {
      term(d, c, at, sum0, other0);
      term(d, c + c1, at + c1, sum1, other1);
      term(d, c + c2, at + c2, sum2, other2);
      term(d, c + c3, at + c3, sum3, other3);
    }
    add_lanes(d, sum0, first + c);
    add_lanes(d, sum1, first + c + c1);
    add_lanes(d, sum2, first + c + c2);
    add_lanes(d, sum3, first + c + c3);
    add_lanes(d, other0, second + c);
    add_lanes(d, other1, second + c + c1);
    add_lanes(d, other2, second + c + c2);
    add_lanes(d, other3, second + c + c3);
  }
};

/// Has `sums` go over the channels of its tile, by four vectors, one, and single ones.
template <class Sums>
HWY_ATTR void add_tile_sums(const Sums& sums) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t channels = sums.tile.channels;
  std::size_t c = 0;
  for (; c + 4 * lanes <= channels; c += 4 * lanes) sums.four(d, c);
  for (; c + lanes <= channels; c += lanes) sums.one(d, c);
  for (; c < channels; ++c) sums.one(hn::CappedTag<float, 1>(), c);
}

/// Calls body(first value) for every row: passes that add nothing up go through memory in its order.
template <class Body>
HWY_ATTR void for_rows(Rows rows, const Body& body) {
  for (std::size_t at = 0; at < rows.num_rows * rows.channels; at += rows.channels) body(at);
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#endif
