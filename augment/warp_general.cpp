#include "augment/warp_general.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "augment/general_axis.h"
#include "augment/warp_pixel.h"

// Vectors without a fixed size cannot be members.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/warp_general.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#if HWY_TARGET != HWY_SCALAR
#include "augment/general_vectors-inl.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

// No vectors to cut in halves: x86 before SSSE3.
void sample_general_of(const WarpJob& job, const Frame&) { warp_pixel_by_pixel(job); }

#else

/// One job, with all that is the same for its rows.
template <std::uint32_t kChannels, std::uint32_t kPlanes, bool kIsInterleaved>
class GeneralSampler {
 public:
  GeneralSampler(const WarpJob& job, const Frame& frame)
      : job_(job),
        frame_(frame),
        x_(frame.x, (PixelPlaces::kLoadBytes + kPlanes - 1) / kPlanes),
        y_(frame.y, 2),
        places_(job.decoded.image, x_, y_) {}

  HWY_ATTR void sample_row(std::uint32_t row_idx) const {
    const auto lanes = static_cast<std::uint32_t>(hn::Lanes(D()));
    const std::uint32_t width = frame_.width;
    if (width < lanes) return sample_pixels(0, width, row_idx);
    const AffineMap& map = job_.map;
    const RowPositions columns{map.xx, map.xy * row_idx, map.x0};
    const RowPositions rows{map.yx, map.yy * row_idx, map.y0};
    const PixelRange inner = inner_range(columns, x_, rows, y_, width);
    for (std::uint32_t i = 0; i < width; i += lanes) {
      const std::uint32_t first = std::min(i, width - lanes);  // the last one ends with the row
      float* const out = frame_.row(row_idx) + first * frame_.step;
      const Doubles x = positions_of(columns, first);
      const Doubles y = positions_of(rows, first);
      if (first >= inner.begin && first + lanes <= inner.end) {
        sample<true>(folded<true>(x, x_), folded<true>(y, y_), out);
      } else if (!sample_outer(folded<false>(x, x_), folded<false>(y, y_), out)) {
        sample_pixels(first, first + lanes, row_idx);
      }
    }
  }

 private:
  static constexpr std::uint32_t kStep = kPlanes == 1 ? 0 : 1;  // gray serves for all

  void sample_pixels(std::uint32_t begin, std::uint32_t end, std::uint32_t row_idx) const {
    for (std::uint32_t i = begin; i < end; ++i) sample_pixel<kChannels>(job_, frame_, i, row_idx);
  }

  /// False, and nothing written, where neighbours are not side by side.
  HWY_ATTR bool sample_outer(const Doubles& x, const Doubles& y, float* out) const {
    if (is_at_seam(x, x_) || is_at_seam(y, y_)) return false;
    sample<false>(x, y, out);
    return true;
  }

  template <bool kIsInner>
  HWY_INLINE HWY_ATTR void sample(const Doubles& x, const Doubles& y, float* out) const {
    const Spots low = spots<kIsInner>(x.low, y.low);
    const Spots high = spots<kIsInner>(x.high, y.high);
    const DBits d_bits;
    HWY_ALIGN std::uint64_t offsets[hn::MaxLanes(D())];
    hn::Store(low.offset, d_bits, offsets);
    hn::Store(high.offset, d_bits, offsets + hn::Lanes(d_bits));
    const PixelPairs top = load_pairs<kIsInner>(places_.top, offsets, low, high);
    const PixelPairs bottom = load_pairs<kIsInner>(places_.bottom, offsets, low, high);
    const V right = to_floats({low.column_weight, high.column_weight});
    const V below = to_floats({low.row_weight, high.row_weight});
    V values[kChannels];
    values[0] = value_of<0>(top, bottom, right, below);
    if constexpr (kChannels == 3) {
      values[1] = value_of<1>(top, bottom, right, below);
      values[2] = value_of<2>(top, bottom, right, below);
    }
    if (!kIsInner && frame_.fills_constant) {
      const auto is_shown = hn::And(is_inside(x, x_), is_inside(y, y_));
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        values[c] = hn::IfThenElse(is_shown, values[c], hn::Set(D(), job_.channels[c].fill));
      }
    }
    store(values, out);
  }

  template <bool kIsInner>
  HWY_INLINE HWY_ATTR Spots spots(V64 x, V64 y) const {
    if constexpr (kIsInner) return spots_of<true>(x, y, places_);
    return spots_of<false>(clamped(x, x_), clamped(y, y_), places_);
  }

  template <bool kIsInner>
  static HWY_INLINE HWY_ATTR PixelPairs load_pairs(const std::uint8_t* bytes,
                                                   const std::uint64_t* offsets, const Spots& low,
                                                   const Spots& high) {
    const DBits d;
    const hn::Repartition<std::uint8_t, DBits> d_bytes;
    VBits first = hn::BitCast(d, load_spots(d_bytes, bytes, offsets));
    VBits second = hn::BitCast(d, load_spots(d_bytes, bytes, offsets + hn::Lanes(d)));
    if constexpr (!kIsInner) {
      first = hn::Shr(first, low.shift);
      second = hn::Shr(second, high.shift);
    }
    const DWord d_word;
    const VWord a = hn::BitCast(d_word, first);
    const VWord b = hn::BitCast(d_word, second);
    return {hn::ConcatEven(d_word, b, a), hn::ConcatOdd(d_word, b, a)};
  }

  template <std::uint32_t kChannel>
  HWY_INLINE HWY_ATTR V value_of(const PixelPairs& top, const PixelPairs& bottom, V right,
                                 V below) const {
    constexpr std::uint32_t kByte = kChannel * kStep;
    const V a = blend_of(byte_of<kByte>(top), byte_of<kByte>(bottom), below);
    const V b = blend_of(byte_of<kByte + kPlanes>(top), byte_of<kByte + kPlanes>(bottom), below);
    const D d;
    const ChannelScale& scale = job_.channels[kChannel];
    return normalise_of(blend_of(a, b, right), {hn::Set(d, scale.gain), hn::Set(d, scale.bias)});
  }

  HWY_INLINE HWY_ATTR void store(const V* values, float* out) const {
    const D d;
    if constexpr (kIsInterleaved) {
      hn::StoreInterleaved3(values[0], values[1], values[2], d, out);
    } else {
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        hn::StoreU(values[c], d, out + c * frame_.plane);
      }
    }
  }

  const WarpJob& job_;
  const Frame& frame_;
  const GeneralAxis x_;
  const GeneralAxis y_;
  const PixelPlaces places_;
};

template <std::uint32_t kChannels, std::uint32_t kPlanes, bool kIsInterleaved>
HWY_ATTR void sample_all(const WarpJob& job, const Frame& frame) {
  const GeneralSampler<kChannels, kPlanes, kIsInterleaved> sampler(job, frame);
  for (std::uint32_t row_idx = 0; row_idx < frame.height; ++row_idx) {
    if (job.slot.is_abandoned()) return;
    sampler.sample_row(row_idx);
  }
}

HWY_ATTR void sample_general_of(const WarpJob& job, const Frame& frame) {
  const bool is_gray = frame.source_channel == 0;
  const bool is_interleaved = job.slot.spec->layout == PixelLayout::kNhwc;
  if (job.slot.spec->channels == 1) return sample_all<1, 1, false>(job, frame);
  if (is_interleaved && is_gray) return sample_all<3, 1, true>(job, frame);
  if (is_interleaved) return sample_all<3, 3, true>(job, frame);
  if (is_gray) return sample_all<3, 1, false>(job, frame);
  sample_all<3, 3, false>(job, frame);
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::augment {

HWY_EXPORT(sample_general_of);

bool has_general_way(const ImageView& image) noexcept {
  constexpr std::size_t kLoadBytes = 8;
  return image.pixel_stride_bytes == image.channels &&
         (image.channels == 1 || image.channels == 3) &&
         std::size_t{image.width_px} * image.channels >= kLoadBytes;
}

void sample_general(const WarpJob& job, const Frame& frame) noexcept {
  HWY_DYNAMIC_DISPATCH(sample_general_of)(job, frame);
}

}  // namespace penstock::augment
#endif
