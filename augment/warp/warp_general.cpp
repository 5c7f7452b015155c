#include "augment/warp/warp_general.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "augment/warp/general_axis.h"
#include "augment/warp/warp_pixel.h"

// Blocks are arrays of whole vectors, whose size must be fixed.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/warp/warp_general.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#if HWY_TARGET != HWY_SCALAR
#include "augment/warp/general_vectors-inl.h"
#include "augment/warp/slot_vectors-inl.h"
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

/// A stretch of a row on its way: where its pixels find their neighbours, and these, a pixel and the one
/// to its right in eight bytes, from two rows.
struct Block {
  static constexpr std::uint32_t kMaxPx = 128;
  static constexpr std::uint32_t kLanes = static_cast<std::uint32_t>(hn::MaxLanes(D()));
  static constexpr std::uint32_t kRoomPx = kMaxPx + kLanes;

  bool is_inner(std::uint32_t vector_px) const {
    return vector_px >= inner.begin && vector_px < inner.end;
  }

  alignas(64) std::uint32_t offset[kRoomPx];  // bytes
  alignas(64) std::uint32_t shift[kRoomPx];   // bits; of outer pixels only
  alignas(64) std::uint64_t top[kRoomPx];
  alignas(64) std::uint64_t bottom[kRoomPx];
  alignas(64) float column_weight[kRoomPx];
  alignas(64) float row_weight[kRoomPx];
  alignas(64) float is_shown[kRoomPx];  // 1 or 0; with FillMode::kConstant only
  std::uint32_t row_idx;
  std::uint32_t first_px;  // of the row
  PixelRange inner;        // whole vectors, counted from first_px
  std::uint32_t num_seams;
  std::uint32_t seams[kRoomPx / kLanes];  // vectors for the slow way, by first pixel
};

/// One job, with all that is the same for its rows. A block of pixels goes through three steps:
/// positions, loads, blends. The loads of a block are made beside the blends of the one before: they
/// want other parts of the core, and vectors that are loaded long after they were stored in parts do
/// not wait. Inner pixels (GeneralAxis) take shorter ways through the first two.
template <class Element, std::uint32_t kChannels, std::uint32_t kPlanes, bool kIsInterleaved>
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
        num_px_(block_px_of(frame.width)) {}

  HWY_ATTR void sample_row(std::uint32_t row_idx) {
    const std::uint32_t width = frame_.width;
    if (width < kLanes) return sample_pixels(row_idx, {0, width});
    const TurnedRow row(job_.map, row_idx);
    const PixelRange inner = inner_range(row.columns, x_, row.rows, y_, width);
    for (std::uint32_t begin = 0; begin < width; begin += num_px_) {
      Block& next = blocks_[next_idx_];
      next.row_idx = row_idx;
      next.first_px = std::min(begin, width - num_px_);  // the last one ends with the row
      find(row, inner, next);
      advance();
    }
  }

  /// Blends what is on its way.
  HWY_ATTR void finish() {
    if (has_block_) blend_block<false>(blocks_[next_idx_ ^ 1], blocks_[next_idx_]);
    has_block_ = false;
  }

 private:
  using T = typename Element::T;
  static constexpr std::uint32_t kStep = kPlanes == 1 ? 0 : 1;  // gray serves for all
  static constexpr std::uint32_t kLanes = Block::kLanes;

  /// A row in blocks of much the same length, of whole vectors where it is long enough.
  static std::uint32_t block_px_of(std::uint32_t width) {
    const std::uint32_t num_blocks = (width + Block::kMaxPx - 1) / Block::kMaxPx;
    const std::uint32_t whole =
        ((width + num_blocks - 1) / num_blocks + kLanes - 1) / kLanes * kLanes;
    return std::min(whole, width);
  }

  std::uint32_t end_px() const { return (num_px_ + kLanes - 1) / kLanes * kLanes; }

  void sample_pixels(std::uint32_t row_idx, PixelRange range) const {
    const TurnedRow row(job_.map, row_idx);
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      sample_point<kChannels>(job_, frame_, row.at(i), FloatPixels<Element>(),
                              frame_.row<T>(row_idx) + i * frame_.step);
    }
  }

  /// Loads for the block just found, beside the blends of the one before.
  HWY_ATTR void advance() {
    if (has_block_) {
      blend_block<true>(blocks_[next_idx_ ^ 1], blocks_[next_idx_]);
    } else {
      for (std::uint32_t i = 0; i < end_px(); i += kLanes) fetch(blocks_[next_idx_], i);
    }
    has_block_ = true;
    next_idx_ ^= 1;
  }

  /// Where the pixels of a block find their neighbours.
  HWY_ATTR void find(const TurnedRow& row, PixelRange inner, Block& block) const {
    const std::uint32_t first = block.first_px;
    const std::uint32_t end = end_px();  // beyond the row too
    const std::uint32_t from =
        std::min((std::max(inner.begin, first) - first + kLanes - 1) / kLanes * kLanes, end);
    const std::uint32_t to =
        std::max(from, (std::clamp(inner.end, first, first + num_px_) - first) / kLanes * kLanes);
    block.inner = {from, to};
    block.num_seams = 0;
    find_outer(row, {0, from}, block);
    find_inner(row, {from, to}, block);
    find_outer(row, {to, end}, block);
  }

  HWY_INLINE HWY_ATTR void find_inner(const TurnedRow& row, PixelRange range, Block& block) const {
    // Copies: a store of a vector may change anything in memory, for all that g++ knows.
    const GeneralAxis x_axis = x_;
    const GeneralAxis y_axis = y_;
    const PixelPlaces places = places_;
    const bool marks_shown = frame_.fills_constant;
    RunningPositions x(row.columns, x_steps_, block.first_px + range.begin);
    RunningPositions y(row.rows, y_steps_, block.first_px + range.begin);
    const D d;
    for (std::uint32_t i = range.begin; i < range.end; i += kLanes) {
      const ClampedPositions column = inner(x, x_axis);
      const ClampedPositions row_at = inner(y, y_axis);
      const VWord place = place_of(column.pixel, places);
      hn::Store(offsets_of(place, row_at.pixel, places), DWord(), block.offset + i);
      hn::Store(column.weight, d, block.column_weight + i);
      hn::Store(row_at.weight, d, block.row_weight + i);
      if (marks_shown) hn::Store(hn::Set(d, 1.0f), d, block.is_shown + i);
      x.advance();
      y.advance();
    }
  }

  /// The same of pixels at the edges of the picture and beyond.
  HWY_INLINE HWY_ATTR void find_outer(const TurnedRow& row, PixelRange range, Block& block) const {
    if (x_.folds()) return find_folded(row, range, block);
    const GeneralAxis x_axis = x_;
    const GeneralAxis y_axis = y_;
    const PixelPlaces places = places_;
    const bool marks_shown = frame_.fills_constant;
    RunningPositions x(row.columns, x_steps_, block.first_px + range.begin);
    RunningPositions y(row.rows, y_steps_, block.first_px + range.begin);
    for (std::uint32_t i = range.begin; i < range.end; i += kLanes) {
      store_spots(clamped(x, x_axis), clamped(y, y_axis), places, i, block);
      if (marks_shown) {
        const D d;
        const auto is_shown = hn::And(is_inside(x, x_axis), is_inside(y, y_axis));
        hn::Store(hn::IfThenElseZero(hn::RebindMask(d, is_shown), hn::Set(d, 1.0f)), d,
                  block.is_shown + i);
      }
      x.advance();
      y.advance();
    }
  }

  /// The same where the picture comes again.
  HWY_ATTR void find_folded(const TurnedRow& row, PixelRange range, Block& block) const {
    const GeneralAxis x_axis = x_;
    const GeneralAxis y_axis = y_;
    const PixelPlaces places = places_;
    RunningPositions x(row.columns, x_steps_, block.first_px + range.begin);
    RunningPositions y(row.rows, y_steps_, block.first_px + range.begin);
    for (std::uint32_t i = range.begin; i < range.end; i += kLanes) {
      const Doubles columns = folded(x.in_pixels(), x_axis);
      const Doubles rows = folded(y.in_pixels(), y_axis);
      if (is_at_seam(columns, x_axis) || is_at_seam(rows, y_axis)) {
        block.seams[block.num_seams++] = i;
      }
      store_spots(clamped(columns, x_axis), clamped(rows, y_axis), places, i, block);
      x.advance();
      y.advance();
    }
  }

  static HWY_INLINE HWY_ATTR void store_spots(const ClampedPositions& column,
                                              const ClampedPositions& row,
                                              const PixelPlaces& places, std::uint32_t at,
                                              Block& block) {
    const Spots spots = spots_of(column.pixel, row, places);
    hn::Store(spots.offset, DWord(), block.offset + at);
    hn::Store(spots.shift, DWord(), block.shift + at);
    hn::Store(column.weight, D(), block.column_weight + at);
    hn::Store(spots.row_weight, D(), block.row_weight + at);
  }

  /// Loads the neighbours of a vector of pixels, one by one and past the vector units.
  HWY_INLINE void fetch(Block& block, std::uint32_t at) const {
    const std::uint8_t* const top = places_.top;
    const std::uint8_t* const bottom = places_.bottom;
    if (block.is_inner(at)) {
      for (std::uint32_t i = at; i < at + kLanes; ++i) {
        const std::size_t offset = block.offset[i];
        block.top[i] = load_pair(top + offset);
        block.bottom[i] = load_pair(bottom + offset);
      }
    } else {
      for (std::uint32_t i = at; i < at + kLanes; ++i) {
        const std::size_t offset = block.offset[i];
        block.top[i] = load_pair(top + offset) >> block.shift[i];
        block.bottom[i] = load_pair(bottom + offset) >> block.shift[i];
      }
    }
  }

  static HWY_INLINE std::uint64_t load_pair(const std::uint8_t* bytes) {
    std::uint64_t pair = 0;
    std::memcpy(&pair, bytes, kPairBytes);
    return pair;
  }

  template <bool kFetches>
  HWY_ATTR void blend_block(const Block& block, Block& next) const {
    if (frame_.fills_constant && block.inner.end - block.inner.begin < end_px()) {
      blend_vectors<kFetches, true>(block, next);
    } else {
      blend_vectors<kFetches, false>(block, next);
    }
    for (std::uint32_t i = 0; i < block.num_seams; ++i) {
      const std::uint32_t begin = block.seams[i];
      sample_pixels(block.row_idx,
                    {block.first_px + begin, block.first_px + std::min(begin + kLanes, num_px_)});
    }
  }

  template <bool kFetches, bool kFills>
  HWY_INLINE HWY_ATTR void blend_vectors(const Block& block, Block& next) const {
    const D d;
    const ScaleVectors scale0 = vectors_of(job_.channels[0]);
    const ScaleVectors scale1 = vectors_of(job_.channels[1]);
    const ScaleVectors scale2 = vectors_of(job_.channels[2]);
    T* const out = frame_.row<T>(block.row_idx) + block.first_px * frame_.step;
    const std::size_t plane = frame_.plane;
    const std::size_t step = frame_.step;
    const std::uint32_t num_px = num_px_;
    for (std::uint32_t i = 0; i < num_px; i += kLanes) {
      if constexpr (kFetches) fetch(next, i);
      const std::uint32_t at = std::min(i, num_px - kLanes);  // the last vector ends with the row
      const Corners corners{load_pairs(block.top + at), load_pairs(block.bottom + at),
                            hn::LoadU(d, block.column_weight + at),
                            hn::LoadU(d, block.row_weight + at)};
      V v0 = value_of<0>(corners, scale0);
      V v1 = kChannels == 3 ? value_of<kStep>(corners, scale1) : v0;
      V v2 = kChannels == 3 ? value_of<2 * kStep>(corners, scale2) : v0;
      if constexpr (kFills) {
        const auto is_shown = hn::Gt(hn::LoadU(d, block.is_shown + at), hn::Zero(d));
        v0 = hn::IfThenElse(is_shown, v0, hn::Set(d, job_.channels[0].fill));
        v1 = hn::IfThenElse(is_shown, v1, hn::Set(d, job_.channels[1].fill));
        v2 = hn::IfThenElse(is_shown, v2, hn::Set(d, job_.channels[2].fill));
      }
      store_channels<Element, kChannels, kIsInterleaved>(v0, v1, v2, out + at * step, plane);
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

  const WarpJob& job_;
  const Frame& frame_;
  const GeneralAxis x_;
  const GeneralAxis y_;
  const PixelPlaces places_;
  const PositionSteps x_steps_;
  const PositionSteps y_steps_;
  const std::uint32_t num_px_;  // of a block
  bool has_block_ = false;      // one is found and loaded: the other of the two than the next
  std::uint32_t next_idx_ = 0;
  Block blocks_[2];
};

template <class Element, class Shape>
HWY_ATTR void sample_all(const WarpJob& job, const Frame& frame) {
  GeneralSampler<Element, Shape::kChannels, Shape::kPlanes, Shape::kIsInterleaved> sampler(job,
                                                                                           frame);
  for (std::uint32_t row_idx = 0; row_idx < frame.height; ++row_idx) {
    if (job.slot.is_abandoned()) return;
    sampler.sample_row(row_idx);
  }
  sampler.finish();
}

HWY_ATTR void sample_general_of(const WarpJob& job, const Frame& frame) {
  for_element(job.slot.spec->element, [&]<class Element>(Element) {
    for_shape(job, frame, [&]<class Shape>(Shape) { sample_all<Element, Shape>(job, frame); });
  });
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::augment {

HWY_EXPORT(sample_general_of);

bool has_turned_vectors(const WarpJob& job) noexcept {
  const ImageView& image = job.decoded.image;
  const SizePx output{job.slot.spec->width_px, job.slot.spec->height_px};
  return has_turned_positions(job.map, output) && image.pixel_stride_bytes == image.channels &&
         image.height_px * image.row_stride_bytes <= UINT32_MAX &&  // offsets are 32 bits
         (image.channels == 1 || image.channels == job.slot.spec->channels);
}

bool has_general_way(const WarpJob& job) noexcept {
  const ImageView& image = job.decoded.image;
  return has_turned_vectors(job) && std::size_t{image.width_px} * image.channels >= kPairBytes;
}

void sample_general(const WarpJob& job, const Frame& frame) noexcept {
  HWY_DYNAMIC_DISPATCH(sample_general_of)(job, frame);
}

}  // namespace penstock::augment
#endif
