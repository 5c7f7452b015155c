#include "train/backend/onednn/dropout_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/backend/onednn/dropout_kernels.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "streamer/core/draws.h"
#include "train/backend/onednn/channel_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

using Words = hn::ScalableTag<std::uint64_t>;

/// The products of the low halves of lanes.
template <class V>
HWY_ATTR HWY_INLINE V times(V words, std::uint32_t factor) {
#if HWY_TARGET == HWY_SCALAR
  return V(std::uint64_t{factor} * static_cast<std::uint32_t>(words.raw));
#else
  const hn::Repartition<std::uint32_t, Words> halves;
  return hn::MulEven(hn::BitCast(halves, words), hn::Set(halves, factor));
#endif
}

/// philox4x32_10() of as many counters as a vector has 64-bit lanes. The low half of a lane is the
/// word; what the high half holds is never read.
template <class V>
HWY_ATTR HWY_INLINE void philox(V (&counter)[4], PhiloxKey key) {
  const Words d;
  for (int round = 0; round < 10; ++round) {
    const V product0 = times(counter[0], 0xD2511F53u);
    const V product1 = times(counter[2], 0xCD9E8D57u);
    const V key0 = hn::Set(d, std::uint64_t{key[0]});
    const V key1 = hn::Set(d, std::uint64_t{key[1]});
    counter[0] = hn::Xor(hn::Xor(hn::ShiftRight<32>(product1), counter[1]), key0);
    counter[2] = hn::Xor(hn::Xor(hn::ShiftRight<32>(product0), counter[3]), key1);
    counter[1] = product1;
    counter[3] = product0;
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
}

void draw_kept_words(const DropoutDraws& draws, std::size_t block_idx, std::uint8_t* kept) {
  const Words d;
  using V = hn::Vec<Words>;
  const hn::Rebind<std::uint32_t, Words> bytes_of_lanes;
  const std::uint64_t position = draws.step << 24 | draws.sample_idx;
  const V position_low = hn::Set(d, position & 0xFFFFFFFFu);
  const V position_high = hn::Set(d, position >> 32);
  const V node = hn::Set(d, std::uint64_t{draws.node} << 10);
  const V purpose = hn::Set(d, static_cast<std::uint64_t>(DrawPurpose::kTrain) << 16);
  const V low16 = hn::Set(d, std::uint64_t{0xFFFF});
  const V low32 = hn::Set(d, std::uint64_t{0xFFFFFFFF});
  const V threshold = hn::Set(d, std::uint64_t{draws.threshold});
  const PhiloxKey key{static_cast<std::uint32_t>(draws.seed),
                      static_cast<std::uint32_t>(draws.seed >> 32)};
  const std::size_t first_quad = block_idx * (kDropoutBlock / 4);
  for (std::size_t i = 0; i < kDropoutBlock / 4; i += hn::Lanes(d)) {
    const V quad = hn::Iota(d, first_quad + i);
    V counter[4] = {position_low, position_high, hn::Or(node, hn::ShiftRight<16>(quad)),
                    hn::Or(purpose, hn::And(quad, low16))};
    philox(counter, key);
    V kept_bytes = hn::Zero(d);
    for (int k = 3; k >= 0; --k) {
      const auto is_dropped = hn::Lt(hn::And(counter[k], low32), threshold);
      kept_bytes = hn::Or(hn::ShiftLeft<8>(kept_bytes),
                          hn::IfThenZeroElse(is_dropped, hn::Set(d, std::uint64_t{1})));
    }
    hn::StoreU(hn::TruncateTo(bytes_of_lanes, kept_bytes), bytes_of_lanes,
               reinterpret_cast<std::uint32_t*>(kept + 4 * i));
  }
}

template <class T>
struct KeptBlock {
  const std::uint8_t* kept;
  float scale;
  const T* x;
  T* y;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t at) const {
    const hn::Rebind<std::uint8_t, D> bytes;
    const hn::Rebind<std::int32_t, D> ints;
    const auto is_dropped =
        hn::Eq(hn::PromoteTo(ints, hn::LoadU(bytes, kept + at)), hn::Zero(ints));
    const auto scaled = hn::Mul(load(d, x + at), hn::Set(d, scale));
    store(hn::IfThenZeroElse(hn::RebindMask(d, is_dropped), scaled), d, y + at);
  }
};

// Exported by name, which a template has none of.
void scale_kept_float(std::size_t count, const std::uint8_t* kept, float scale, const float* x,
                      float* y) {
  for_channels(count, KeptBlock<float>{kept, scale, x, y});
}
void scale_kept_bfloat16(std::size_t count, const std::uint8_t* kept, float scale,
                         const Bfloat16* x, Bfloat16* y) {
  for_channels(count, KeptBlock<Bfloat16>{kept, scale, x, y});
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::train::onednn {

HWY_EXPORT(draw_kept_words);
HWY_EXPORT(scale_kept_float);
HWY_EXPORT(scale_kept_bfloat16);

void draw_kept(const DropoutDraws& draws, std::size_t block_idx, std::uint8_t* kept) {
  HWY_DYNAMIC_DISPATCH(draw_kept_words)(draws, block_idx, kept);
}

void scale_kept(std::size_t count, const std::uint8_t* kept, float scale, const float* x,
                float* y) {
  HWY_DYNAMIC_DISPATCH(scale_kept_float)(count, kept, scale, x, y);
}
void scale_kept(std::size_t count, const std::uint8_t* kept, float scale, const Bfloat16* x,
                Bfloat16* y) {
  HWY_DYNAMIC_DISPATCH(scale_kept_bfloat16)(count, kept, scale, x, y);
}

}  // namespace penstock::train::onednn
#endif
