#include "augment/warp_general.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "augment/general_axis.h"
#include "augment/warp_pixel.h"

// Blocks are arrays of whole vectors, whose size must be fixed.
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
void sample_general_of(const WarpJob& job, const Frame&) {
  warp_pixel_by_pixel(job);
}

#else

/// Pixels of a row on their way: where they find their neighbours, and these, a pixel and the one to
/// its right in eight bytes, from two rows.
struct Block {
  static constexpr std::uint32_t kMaxPx = 128;
  static constexpr std::size_t kRoomPx = kMaxPx + hn::MaxLanes(D());

  alignas(64) std::uint32_t offset[kRoomPx];  // bytes
  alignas(64) std::uint32_t shift[kRoomPx];   // bits; of outer pixels only
  alignas(64) std::uint64_t top[kRoomPx];
  alignas(64) std::uint64_t bottom[kRoomPx];
  alignas(64) float column_weight[kRoomPx];
  alignas(64) float row_weight[kRoomPx];
  alignas(64) float is_shown[kRoomPx];  // 1 or 0; with FillMode::kConstant only
};

/// One job, with all that is the same for its rows. A block of pixels goes through three loops:
/// positions, loads, blends. Inner pixels (GeneralAxis) take shorter ways through the first two.
template <std::uint32_t kChannels, std::uint32_t kPlanes, bool kIsInterleaved>
class GeneralSampler {
 public:
  HWY_ATTR GeneralSampler(const WarpJob& job, const Frame& frame)
      : job_(job),
        frame_(frame),
        x_(frame.x, (kPairBytes + kPlanes - 1) / kPlanes),
        y_(frame.y, 2),
        places_(job.decoded.image, x_, y_),
        x_steps_(TurnedRow(job.map, 0).columns.step),
        y_steps_(TurnedRow(job.map, 0).rows.step),
        block_px_(block_px_of(frame.width)) {}

  HWY_ATTR void sample_row(std::uint32_t row_idx) {
    const std::uint32_t width = frame_.width;
    if (width < kLanes) return sample_pixels(row_idx, {0, width});
    row_ = TurnedRow(job_.map, row_idx);
    const PixelRange inner = inner_range(row_.columns, x_, row_.rows, y_, width);
    const std::uint32_t num_px = std::min(block_px_, width);
    for (std::uint32_t begin = 0; begin < width; begin += block_px_) {
      const std::uint32_t first =
          std::min(begin, width - num_px);  // the last one ends with the row
      sample_block(row_idx, {first, first + num_px}, inner);
    }
  }

 private:
  static constexpr std::uint32_t kStep = kPlanes == 1 ? 0 : 1;  // gray serves for all
  static constexpr auto kLanes = static_cast<std::uint32_t>(hn::MaxLanes(D()));

  /// A row in blocks of much the same length, of whole vectors.
  static std::uint32_t block_px_of(std::uint32_t width) {
    const std::uint32_t num_blocks = (width + Block::kMaxPx - 1) / Block::kMaxPx;
    return ((width + num_blocks - 1) / num_blocks + kLanes - 1) / kLanes * kLanes;
  }

  void sample_pixels(std::uint32_t row_idx, PixelRange range) const {
    const TurnedRow row(job_.map, row_idx);
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      sample_point<kChannels>(job_, frame_, row.at(i), frame_.row(row_idx) + i * frame_.step);
    }
  }

  HWY_ATTR void sample_block(std::uint32_t row_idx, PixelRange range, PixelRange inner) {
    first_px_ = range.begin;
    const std::uint32_t num_px = range.end - range.begin;
    const std::uint32_t end = (num_px + kLanes - 1) / kLanes * kLanes;  // beyond the row too
    const std::uint32_t from = std::min(
        (std::max(inner.begin, first_px_) - first_px_ + kLanes - 1) / kLanes * kLanes, end);
    const std::uint32_t to =
        std::max(from, (std::clamp(inner.end, first_px_, range.end) - first_px_) / kLanes * kLanes);
    num_seams_ = 0;
    find_outer({0, from});
    find_inner({from, to});
    find_outer({to, end});
    fetch<false>({0, from});
    fetch<true>({from, to});
    fetch<false>({to, end});
    float* const out = frame_.row(row_idx) + first_px_ * frame_.step;
    if (frame_.fills_constant && to - from < end) {
      blend_block<true>(num_px, out);
    } else {
      blend_block<false>(num_px, out);
    }
    for (std::uint32_t i = 0; i < num_seams_; ++i) {
      const std::uint32_t begin = first_px_ + seams_[i];
      sample_pixels(row_idx, {begin, std::min(begin + kLanes, range.end)});
    }
  }

  /// Where the pixels of a range of the block find their neighbours.
  HWY_INLINE HWY_ATTR void find_inner(PixelRange range) {
    // Copies: a store of a vector may change anything in memory, for all that g++ knows.
    const PixelPlaces places = places_;
    const bool marks_shown = frame_.fills_constant;
    RunningPositions x(row_.columns, x_steps_, first_px_ + range.begin);
    RunningPositions y(row_.rows, y_steps_, first_px_ + range.begin);
    const D d;
    for (std::uint32_t i = range.begin; i < range.end; i += kLanes) {
      const VWord place = place_of(x.pixels(), places);
      hn::Store(offsets_of(place, y.pixels(), places), DWord(), block_.offset + i);
      hn::Store(weight_of(x.rests()), d, block_.column_weight + i);
      hn::Store(weight_of(y.rests()), d, block_.row_weight + i);
      if (marks_shown) hn::Store(hn::Set(d, 1.0f), d, block_.is_shown + i);
      x.advance();
      y.advance();
    }
  }

  /// The same of pixels at the edges of the picture and beyond.
  HWY_INLINE HWY_ATTR void find_outer(PixelRange range) {
    if (x_.folds()) return find_folded(range);
    const GeneralAxis x_axis = x_;
    const GeneralAxis y_axis = y_;
    const PixelPlaces places = places_;
    const bool marks_shown = frame_.fills_constant;
    RunningPositions x(row_.columns, x_steps_, first_px_ + range.begin);
    RunningPositions y(row_.rows, y_steps_, first_px_ + range.begin);
    for (std::uint32_t i = range.begin; i < range.end; i += kLanes) {
      store_spots(i, clamped(x, x_axis), clamped(y, y_axis), places);
      if (marks_shown) {
        const D d;
        const auto is_shown = hn::And(is_inside(x, x_axis), is_inside(y, y_axis));
        hn::Store(hn::IfThenElseZero(hn::RebindMask(d, is_shown), hn::Set(d, 1.0f)), d,
                  block_.is_shown + i);
      }
      x.advance();
      y.advance();
    }
  }

  /// The same where the picture comes again.
  HWY_ATTR void find_folded(PixelRange range) {
    const GeneralAxis x_axis = x_;
    const GeneralAxis y_axis = y_;
    const PixelPlaces places = places_;
    RunningPositions x(row_.columns, x_steps_, first_px_ + range.begin);
    RunningPositions y(row_.rows, y_steps_, first_px_ + range.begin);
    for (std::uint32_t i = range.begin; i < range.end; i += kLanes) {
      const Doubles column = folded(x.in_pixels(), x_axis);
      const Doubles row = folded(y.in_pixels(), y_axis);
      if (is_at_seam(column, x_axis) || is_at_seam(row, y_axis)) seams_[num_seams_++] = i;
      store_spots(i, whole_and_rest({clamped(column.low, x_axis), clamped(column.high, x_axis)}),
                  whole_and_rest({clamped(row.low, y_axis), clamped(row.high, y_axis)}), places);
      x.advance();
      y.advance();
    }
  }

  HWY_INLINE HWY_ATTR void store_spots(std::uint32_t at, const ClampedPositions& column,
                                       const ClampedPositions& row, const PixelPlaces& places) {
    const Spots spots = spots_of(column.pixel, row, places);
    hn::Store(spots.offset, DWord(), block_.offset + at);
    hn::Store(spots.shift, DWord(), block_.shift + at);
    hn::Store(column.weight, D(), block_.column_weight + at);
    hn::Store(spots.row_weight, D(), block_.row_weight + at);
  }

  /// Loads the neighbours of a range of the block, two pixels at once: half the stores.
  template <bool kIsInner>
  HWY_ATTR void fetch(PixelRange range) {
    const std::uint8_t* const top = places_.top;
    const std::uint8_t* const bottom = places_.bottom;
    if constexpr (kIsInner) {
      for (std::uint32_t i = range.begin; i < range.end; i += 2) {
        const std::size_t first = block_.offset[i];
        const std::size_t second = block_.offset[i + 1];
        load_two(top + first, top + second, block_.top + i);
        load_two(bottom + first, bottom + second, block_.bottom + i);
      }
    } else {
      for (std::uint32_t i = range.begin; i < range.end; ++i) {
        block_.top[i] = load_pair(top + block_.offset[i]) >> block_.shift[i];
        block_.bottom[i] = load_pair(bottom + block_.offset[i]) >> block_.shift[i];
      }
    }
  }

  static HWY_INLINE HWY_ATTR void load_two(const std::uint8_t* first, const std::uint8_t* second,
                                           std::uint64_t* to) {
    const hn::FixedTag<std::uint8_t, 2 * kPairBytes> d;
    const hn::Half<decltype(d)> half;
    const hn::FixedTag<std::uint64_t, 2> d_pairs;
    hn::Store(hn::BitCast(d_pairs, hn::Combine(d, hn::LoadU(half, second), hn::LoadU(half, first))),
              d_pairs, to);
  }

  static std::uint64_t load_pair(const std::uint8_t* bytes) {
    std::uint64_t pair = 0;
    std::memcpy(&pair, bytes, kPairBytes);
    return pair;
  }

  template <bool kFills>
  HWY_INLINE HWY_ATTR void blend_block(std::uint32_t num_px, float* out) const {
    const D d;
    const ScaleVectors scale0 = vectors_of(job_.channels[0]);
    const ScaleVectors scale1 = vectors_of(job_.channels[1]);
    const ScaleVectors scale2 = vectors_of(job_.channels[2]);
    for (std::uint32_t i = 0; i < num_px; i += kLanes) {
      const std::uint32_t at = std::min(i, num_px - kLanes);  // the last vector ends with the row
      const Corners corners{load_pairs(block_.top + at), load_pairs(block_.bottom + at),
                            hn::LoadU(d, block_.column_weight + at),
                            hn::LoadU(d, block_.row_weight + at)};
      V v0 = value_of<0>(corners, scale0);
      V v1 = kChannels == 3 ? value_of<kStep>(corners, scale1) : v0;
      V v2 = kChannels == 3 ? value_of<2 * kStep>(corners, scale2) : v0;
      if constexpr (kFills) {
        const auto is_shown = hn::Gt(hn::LoadU(d, block_.is_shown + at), hn::Zero(d));
        v0 = hn::IfThenElse(is_shown, v0, hn::Set(d, job_.channels[0].fill));
        v1 = hn::IfThenElse(is_shown, v1, hn::Set(d, job_.channels[1].fill));
        v2 = hn::IfThenElse(is_shown, v2, hn::Set(d, job_.channels[2].fill));
      }
      store(v0, v1, v2, out + at * frame_.step);
    }
  }

  static HWY_INLINE HWY_ATTR PixelPairs load_pairs(const std::uint64_t* pairs) {
    const DBits d;
    const DWord d_word;
    const VWord a = hn::BitCast(d_word, hn::LoadU(d, pairs));
    const VWord b = hn::BitCast(d_word, hn::LoadU(d, pairs + hn::Lanes(d)));
    return {hn::ConcatEven(d_word, b, a), hn::ConcatOdd(d_word, b, a)};
  }

  /// The byte `kByte` of the left pixels, blended with those below and to the right.
  template <std::uint32_t kByte>
  static HWY_INLINE HWY_ATTR V value_of(const Corners& corners, const ScaleVectors& scale) {
    constexpr std::uint32_t kRight = kByte + kPlanes;
    const V left =
        blend_of(byte_of<kByte>(corners.top), byte_of<kByte>(corners.bottom), corners.row_weight);
    const V right =
        blend_of(byte_of<kRight>(corners.top), byte_of<kRight>(corners.bottom), corners.row_weight);
    return normalise_of(blend_of(left, right, corners.column_weight), scale);
  }

  HWY_INLINE HWY_ATTR void store(V v0, V v1, V v2, float* out) const {
    const D d;
    if constexpr (kIsInterleaved) {
      hn::StoreInterleaved3(v0, v1, v2, d, out);
    } else {
      hn::StoreU(v0, d, out);
      if constexpr (kChannels == 1) return;
      hn::StoreU(v1, d, out + frame_.plane);
      hn::StoreU(v2, d, out + 2 * frame_.plane);
    }
  }

  const WarpJob& job_;
  const Frame& frame_;
  const GeneralAxis x_;
  const GeneralAxis y_;
  const PixelPlaces places_;
  const PositionSteps x_steps_;
  const PositionSteps y_steps_;
  const std::uint32_t block_px_;
  // Of the row and the block at hand.
  TurnedRow row_{{}, 0};
  std::uint32_t first_px_ = 0;
  std::uint32_t num_seams_ = 0;
  std::uint32_t seams_[Block::kRoomPx / kLanes];  // vectors for the slow way, by first pixel
  Block block_;
};

template <std::uint32_t kChannels, std::uint32_t kPlanes, bool kIsInterleaved>
HWY_ATTR void sample_all(const WarpJob& job, const Frame& frame) {
  GeneralSampler<kChannels, kPlanes, kIsInterleaved> sampler(job, frame);
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

bool has_general_way(const WarpJob& job) noexcept {
  const ImageView& image = job.decoded.image;
  const SizePx output{job.slot.spec->width_px, job.slot.spec->height_px};
  return has_turned_positions(job.map, output) && image.pixel_stride_bytes == image.channels &&
         image.height_px * image.row_stride_bytes <= UINT32_MAX &&  // offsets are 32 bits
         (image.channels == 1 || image.channels == job.slot.spec->channels) &&
         std::size_t{image.width_px} * image.channels >= kPairBytes;
}

void sample_general(const WarpJob& job, const Frame& frame) noexcept {
  HWY_DYNAMIC_DISPATCH(sample_general_of)(job, frame);
}

}  // namespace penstock::augment
#endif
