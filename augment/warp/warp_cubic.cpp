#include "augment/warp/warp_cubic.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "augment/warp/general_axis.h"
#include "augment/warp/warp_filtered.h"
#include "augment/warp/warp_general.h"

// Blocks are arrays of whole vectors, whose size must be fixed.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/warp/warp_cubic.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#if HWY_TARGET != HWY_SCALAR
#include "augment/warp/cubic_vectors-inl.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

// No vectors to cut in halves: x86 before SSSE3.
void sample_cubic_of(const WarpJob& job, const Frame&) {
  warp_filtered_pixel_by_pixel(job);
}

#else

constexpr std::uint32_t kLanes = static_cast<std::uint32_t>(hn::MaxLanes(D()));
/// Blocks of 128 bits in a vector.
constexpr std::uint32_t kNumBlocks = kLanes / 4;

/// A stretch of a row on its way, in whole vectors: weights and bytes of each pixel's 4 x 4 taps.
///
/// Shapes  bytes: [row of the taps][pixel][kTapsBytes]; with three channels pixel i of a vector is at
///         (i % 4) kNumBlocks + i / 4, so that four vectors of sums are turned into planes within blocks
template <std::uint32_t kTapsBytes>
struct CubicBlock {
  static constexpr std::uint32_t kMaxPx = 128;

  alignas(64) std::uint8_t bytes[kNumTaps][kMaxPx * kTapsBytes];
  alignas(64) float column_weights[kNumTaps][kMaxPx];
  alignas(64) std::int32_t row_weights[2][kMaxPx];  // of two rows, 16 bits each
  alignas(64) std::uint32_t offset[kMaxPx];         // of the first tap, bytes
  alignas(64) float is_shown[kMaxPx];               // 1 or 0; with FillMode::kConstant only
  bool is_wide[kMaxPx / kLanes];                    // kTapsBytes of a row can be read
  std::uint32_t first_px[kMaxPx / kLanes];          // of a vector, in the row
};

/// One job, with all that is the same for its rows. A block of pixels goes through three steps: taps and
/// weights, copies of the taps' bytes, sums.
template <std::uint32_t kChannels, std::uint32_t kPlanes, bool kIsInterleaved>
class CubicSampler {
 public:
  HWY_ATTR CubicSampler(const WarpJob& job, const Frame& frame)
      : job_(job),
        frame_(frame),
        x_(frame.x),
        y_(frame.y),
        x_steps_(TurnedRow(job.map, 0).columns.step),
        y_steps_(TurnedRow(job.map, 0).rows.step),
        last_wide_px_(last_wide_px_of(job.decoded.image.width_px)) {}

  HWY_ATTR void sample_row(std::uint32_t row_idx) {
    const std::uint32_t width = frame_.width;
    const TurnedRow row(job_.map, row_idx);
    const PixelRange inner = inner_range(row.columns, x_.inner, row.rows, y_.inner, width);
    for (std::uint32_t begin = 0; begin < width; begin += Block::kMaxPx) {
      const std::uint32_t end = std::min(begin + Block::kMaxPx, width);
      const std::uint32_t num_vectors = (end - begin + kLanes - 1) / kLanes;
      for (std::uint32_t i = 0; i < num_vectors + 2 * kApart; ++i) {
        if (i < num_vectors) {
          // The last one ends with the row.
          find(row, inner, std::min(begin + i * kLanes, width - kLanes), i);
        }
        if (i >= kApart && i < num_vectors + kApart) fetch(i - kApart);
        if (i >= 2 * kApart) sum(row_idx, i - 2 * kApart);
      }
    }
  }

 private:
  /// Vectors between the steps, which go side by side since they want other parts of the core; a
  /// vector that is loaded as soon as it was stored in parts waits.
  static constexpr std::uint32_t kApart = 1;
  static constexpr std::uint32_t kTapsBytes = kPlanes == 1 ? kNumTaps : 16;
  using Block = CubicBlock<kTapsBytes>;

  static std::int32_t last_wide_px_of(std::uint32_t width_px) {
    const std::uint32_t row_bytes = width_px * kPlanes;
    return row_bytes < kTapsBytes ? -1
                                  : static_cast<std::int32_t>((row_bytes - kTapsBytes) / kPlanes);
  }

  HWY_INLINE HWY_ATTR void find(const TurnedRow& row, PixelRange inner, std::uint32_t first_px,
                                std::uint32_t vector_idx) {
    block_.first_px[vector_idx] = first_px;
    if (first_px >= inner.begin && first_px + kLanes <= inner.end) {
      find<true>(row, vector_idx);
    } else {
      find<false>(row, vector_idx);
    }
  }

  /// Where the pixels of a vector have their taps, and with what weights.
  template <bool kIsInner>
  HWY_INLINE HWY_ATTR void find(const TurnedRow& row, std::uint32_t vector_idx) {
    const std::uint32_t first_px = block_.first_px[vector_idx];
    const std::uint32_t at = vector_idx * kLanes;
    const RunningPositions x(row.columns, x_steps_, first_px);
    const RunningPositions y(row.rows, y_steps_, first_px);
    const CubicTaps columns = kIsInner ? inner_taps(x, x_) : outer_taps(x, x_);
    store_column_weights(columns, Block::kMaxPx, block_.column_weights[0] + at);
    const CubicTaps rows = kIsInner ? inner_taps(y, y_) : outer_taps(y, y_);
    const RowPairs pairs = row_pairs(rows);
    const DInt d_int;
    hn::Store(pairs.first, d_int, block_.row_weights[0] + at);
    hn::Store(pairs.second, d_int, block_.row_weights[1] + at);
    const DWord d;
    const ImageView& image = job_.decoded.image;
    const auto stride = static_cast<std::uint32_t>(image.row_stride_bytes);
    const VWord row_offset = hn::Mul(hn::BitCast(d, rows.first), hn::Set(d, stride));
    const VWord place = hn::Mul(hn::BitCast(d, columns.first), hn::Set(d, kPlanes));
    hn::Store(hn::Add(row_offset, place), d, block_.offset + at);
    block_.is_wide[vector_idx] =
        hn::AllFalse(d_int, hn::Gt(columns.first, hn::Set(d_int, last_wide_px_)));
    if (frame_.fills_constant) {
      const D d_float;
      const auto is_shown = hn::And(is_inside(x, x_.inner), is_inside(y, y_.inner));
      hn::Store(hn::IfThenElseZero(hn::RebindMask(d_float, is_shown), hn::Set(d_float, 1.0f)),
                d_float, block_.is_shown + at);
    }
  }

  /// Copies the taps of a vector of pixels side by side, past the vector units.
  HWY_INLINE void fetch(std::uint32_t vector_idx) {
    if (kPlanes == 1 || block_.is_wide[vector_idx]) {
      copy_taps<kTapsBytes>(vector_idx);
    } else {
      copy_taps<kNumTaps * kPlanes>(vector_idx);
    }
  }

  template <std::uint32_t kNumBytes>
  HWY_INLINE void copy_taps(std::uint32_t vector_idx) {
    const std::uint8_t* const pixels = job_.decoded.image.pixels_hwc;
    const std::size_t stride = job_.decoded.image.row_stride_bytes;
    const std::uint32_t at = vector_idx * kLanes;
    for (std::uint32_t place = 0; place < kLanes; ++place) {
      const std::uint32_t i = kPlanes == 1 ? place : place % kNumBlocks * 4 + place / kNumBlocks;
      const std::uint8_t* from = pixels + block_.offset[at + i];
      for (std::uint32_t j = 0; j < kNumTaps; ++j, from += stride) {
        std::memcpy(block_.bytes[j] + std::size_t{at + place} * kTapsBytes, from, kNumBytes);
      }
    }
  }

  /// Values of a vector of pixels in one to three planes.
  struct Values {
    V plane0;
    V plane1;
    V plane2;
  };

  HWY_INLINE HWY_ATTR void sum(std::uint32_t row_idx, std::uint32_t vector_idx) const {
    const D d;
    Values v;
    if constexpr (kPlanes == 1) {
      v.plane0 = v.plane1 = v.plane2 = clamped_value(gray_sums(vector_idx));
    } else {
      v = colour_sums(vector_idx);
    }
    v.plane0 = normalise_of(v.plane0, vectors_of(job_.channels[0]));
    v.plane1 = normalise_of(v.plane1, vectors_of(job_.channels[1]));
    v.plane2 = normalise_of(v.plane2, vectors_of(job_.channels[2]));
    if (frame_.fills_constant) {
      const auto is_shown = hn::Gt(hn::Load(d, block_.is_shown + vector_idx * kLanes), hn::Zero(d));
      v.plane0 = hn::IfThenElse(is_shown, v.plane0, hn::Set(d, job_.channels[0].fill));
      v.plane1 = hn::IfThenElse(is_shown, v.plane1, hn::Set(d, job_.channels[1].fill));
      v.plane2 = hn::IfThenElse(is_shown, v.plane2, hn::Set(d, job_.channels[2].fill));
    }
    float* const out = frame_.row(row_idx) + block_.first_px[vector_idx] * frame_.step;
    if constexpr (kIsInterleaved) {
      store_interleaved(v.plane0, v.plane1, v.plane2, out);
    } else {
      hn::StoreU(v.plane0, d, out);
      if constexpr (kChannels == 1) return;
      hn::StoreU(v.plane1, d, out + frame_.plane);
      hn::StoreU(v.plane2, d, out + 2 * frame_.plane);
    }
  }

  HWY_INLINE HWY_ATTR V gray_sums(std::uint32_t vector_idx) const {
    const DBytes d_bytes;
    const std::uint32_t at = vector_idx * kLanes;
    const VBytes r0 = hn::Load(d_bytes, block_.bytes[0] + at * kTapsBytes);
    const VBytes r1 = hn::Load(d_bytes, block_.bytes[1] + at * kTapsBytes);
    const VBytes r2 = hn::Load(d_bytes, block_.bytes[2] + at * kTapsBytes);
    const VBytes r3 = hn::Load(d_bytes, block_.bytes[3] + at * kTapsBytes);
    const RowPairs weights = load_row_pairs(at);
    V value = hn::Mul(column_weight_of<0>(at),
                      column_sum(gray_tap<0>(r0, r1), gray_tap<0>(r2, r3), weights));
    value = hn::Add(value, hn::Mul(column_weight_of<1>(at),
                                   column_sum(gray_tap<1>(r0, r1), gray_tap<1>(r2, r3), weights)));
    value = hn::Add(value, hn::Mul(column_weight_of<2>(at),
                                   column_sum(gray_tap<2>(r0, r1), gray_tap<2>(r2, r3), weights)));
    return hn::Add(value, hn::Mul(column_weight_of<3>(at),
                                  column_sum(gray_tap<3>(r0, r1), gray_tap<3>(r2, r3), weights)));
  }

  HWY_INLINE HWY_ATTR RowPairs load_row_pairs(std::uint32_t at) const {
    const DInt d;
    return {hn::Load(d, block_.row_weights[0] + at), hn::Load(d, block_.row_weights[1] + at)};
  }

  template <std::uint32_t kTap>
  HWY_INLINE HWY_ATTR V column_weight_of(std::uint32_t at) const {
    return hn::Load(D(), block_.column_weights[kTap] + at);
  }

  /// Pixels kIdx, kIdx + 4 and so on of a vector, each in a block: three channels, and nothing.
  template <std::uint32_t kIdx>
  HWY_INLINE HWY_ATTR V quarter_sums(std::uint32_t at) const {
    const DBytes d_bytes;
    const std::size_t place = std::size_t{at + kIdx * kNumBlocks} * kTapsBytes;
    const RowPairBytes top(hn::Load(d_bytes, block_.bytes[0] + place),
                           hn::Load(d_bytes, block_.bytes[1] + place));
    const RowPairBytes bottom(hn::Load(d_bytes, block_.bytes[2] + place),
                              hn::Load(d_bytes, block_.bytes[3] + place));
    const RowPairs all = load_row_pairs(at);
    const RowPairs weights{hn::Broadcast<kIdx>(all.first), hn::Broadcast<kIdx>(all.second)};
    V value = hn::Mul(hn::Broadcast<kIdx>(column_weight_of<0>(at)),
                      column_sum(top.tap<0>(), bottom.tap<0>(), weights));
    value = hn::Add(value, hn::Mul(hn::Broadcast<kIdx>(column_weight_of<1>(at)),
                                   column_sum(top.tap<1>(), bottom.tap<1>(), weights)));
    value = hn::Add(value, hn::Mul(hn::Broadcast<kIdx>(column_weight_of<2>(at)),
                                   column_sum(top.tap<2>(), bottom.tap<2>(), weights)));
    return hn::Add(value, hn::Mul(hn::Broadcast<kIdx>(column_weight_of<3>(at)),
                                  column_sum(top.tap<3>(), bottom.tap<3>(), weights)));
  }

  HWY_INLINE HWY_ATTR Values colour_sums(std::uint32_t vector_idx) const {
    const D d;
    const DBits d_pair;
    const std::uint32_t at = vector_idx * kLanes;
    const V q0 = quarter_sums<0>(at);
    const V q1 = quarter_sums<1>(at);
    const V q2 = quarter_sums<2>(at);
    const V q3 = quarter_sums<3>(at);
    const auto lower01 = hn::BitCast(d_pair, hn::InterleaveLower(d, q0, q1));
    const auto lower23 = hn::BitCast(d_pair, hn::InterleaveLower(d, q2, q3));
    const auto upper01 = hn::BitCast(d_pair, hn::InterleaveUpper(d, q0, q1));
    const auto upper23 = hn::BitCast(d_pair, hn::InterleaveUpper(d, q2, q3));
    return {clamped_value(hn::BitCast(d, hn::InterleaveLower(d_pair, lower01, lower23))),
            clamped_value(hn::BitCast(d, hn::InterleaveUpper(d_pair, lower01, lower23))),
            clamped_value(hn::BitCast(d, hn::InterleaveLower(d_pair, upper01, upper23)))};
  }

  const WarpJob& job_;
  const Frame& frame_;
  const CubicAxis x_;
  const CubicAxis y_;
  const PositionSteps x_steps_;
  const PositionSteps y_steps_;
  const std::int32_t last_wide_px_;  // from which kTapsBytes of a row can be read, or -1
  Block block_;
};

template <std::uint32_t kChannels, std::uint32_t kPlanes, bool kIsInterleaved>
HWY_ATTR void sample_turned_cubic(const WarpJob& job, const Frame& frame) {
  CubicSampler<kChannels, kPlanes, kIsInterleaved> sampler(job, frame);
  for (std::uint32_t row_idx = 0; row_idx < frame.height; ++row_idx) {
    if (job.slot.is_abandoned()) return;
    sampler.sample_row(row_idx);
  }
}

HWY_ATTR void sample_cubic_of(const WarpJob& job, const Frame& frame) {
  if (frame.width < kLanes) return warp_filtered_pixel_by_pixel(job);
  for_shape(job, frame, [&]<class Shape>(Shape) {
    sample_turned_cubic<Shape::kChannels, Shape::kPlanes, Shape::kIsInterleaved>(job, frame);
  });
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::augment {
namespace {

/// Enough pixels for the taps, all of them in the picture.
bool has_taps(const Axis& axis) noexcept {
  constexpr std::uint32_t kNumTaps = 4;
  return axis.length >= kNumTaps && static_cast<double>(axis.begin) + axis.length - 1 <= axis.last;
}

}  // namespace

HWY_EXPORT(sample_cubic_of);

bool has_cubic_way(const WarpJob& job) noexcept {
  const Frame frame(job);
  return has_turned_vectors(job) && has_taps(frame.x) && has_taps(frame.y);
}

void sample_cubic(const WarpJob& job, const Frame& frame) noexcept {
  HWY_DYNAMIC_DISPATCH(sample_cubic_of)(job, frame);
}

}  // namespace penstock::augment
#endif
