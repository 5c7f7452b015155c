#include "augment/warp/warp_rows.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "augment/warp/cache_bypass.h"
#include "augment/warp/low_halves.h"
#include "augment/warp/pick_table.h"

// A sampler holds vectors, and those without a fixed size cannot be members.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/warp/warp_rows.cpp"
#include <hwy/foreach_target.h>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "augment/warp/slot_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

/// The lower halves of floats as elements (low_halves.h).
struct LowHalf : StoredElements<LowHalf, std::uint16_t> {
  using T = std::uint16_t;
  template <bool kMayBeNan = true>
  static HWY_INLINE HWY_ATTR hn::Vec<DHalf> bits(V value) {
    return hn::TruncateTo(DHalf(), hn::BitCast(DWord(), value));
  }
  static T of(float value) { return static_cast<T>(low_half(value)); }
};

/// How a row is written: planes side by side or channels interleaved.
template <class Element, std::uint32_t kChannels, bool kIsInterleaved>
struct Output {
  using T = typename Element::T;
  T* row;
  std::size_t plane;

  T* at(std::size_t pixel, std::uint32_t channel) const {
    return kIsInterleaved ? row + pixel * kChannels + channel : row + channel * plane + pixel;
  }

  /// The elements of one row: of a plane, or of interleaved pixels.
  T* elements(std::uint32_t row_idx) const { return row + row_idx * plane; }

  HWY_INLINE HWY_ATTR void store(V v0, V v1, V v2, std::size_t pixel) const {
    store_channels<Element, kChannels, kIsInterleaved>(v0, v1, v2, at(pixel, 0), plane);
  }
};

/// One job, with all that is the same for its rows.
template <class Element, std::uint32_t kChannels, std::uint32_t kPlanes, bool kIsInterleaved>
class RowSampler {
 public:
  HWY_ATTR RowSampler(const WarpJob& job, const Frame& frame, const ColumnTable& table)
      : job_(job),
        frame_(frame),
        table_(table),
        image_(job.decoded.image),
        streams_(is_past_caches(*job.slot.spec) && has_whole_vectors(frame, table)),
        rows_at_once_(streams_ || !is_past_caches(*job.slot.spec) ? ColumnTable::kBlockRows : 1) {
    for (std::size_t i = 0; i < kPatternFloats; ++i) {
      gains_[i] = job.channels[i % kChannels].gain;
      biases_[i] = job.channels[i % kChannels].bias;
    }
  }

  /// Fills output row `row_idx` from two source rows, now or with the block of rows that it is in.
  HWY_ATTR void sample(std::uint32_t row_idx, const Neighbours& row) {
    const Out out{frame_.row<T>(row_idx), frame_.plane};
    fill(out, 0, table_.begin);
    fill(out, table_.end, frame_.width);
    if (table_.begin == table_.end) return;
    if (table_.is_copy && row.weight == 0) return copy(out, source(row.first));
    blend_rows(row);
    block_[block_rows_++] = out;
    if (block_rows_ == rows_at_once_) pick_block();
  }

  HWY_ATTR void fill_row(std::uint32_t row_idx) const {
    fill({frame_.row<T>(row_idx), frame_.plane}, 0, frame_.width);
  }

  /// Fills the rows of a block that has begun; all rows are there for other threads then.
  HWY_ATTR void finish() {
    if (block_rows_ > 0) pick_block();
    if (streams_) hwy::FlushStream();
  }

 private:
  using T = typename Element::T;
  using Out = Output<Element, kChannels, kIsInterleaved>;
  static constexpr std::uint32_t kStep = kPlanes == 1 ? 0 : 1;  // gray serves for all
  // Interleaved pixels are floats side by side, whose scales repeat; planes are lines of their own.
  static constexpr std::uint32_t kLines = kIsInterleaved ? 1 : kChannels;
  static constexpr std::uint32_t kPeriod = kIsInterleaved ? kChannels : 1;
  static constexpr std::uint32_t kValuePlanes = kIsInterleaved ? 1 : kPlanes;
  static constexpr std::uint32_t kValueChannels = kPlanes / kValuePlanes;
  static constexpr std::size_t kPatternFloats = hn::MaxLanes(D()) + kChannels - 1;

  static bool has_whole_vectors(const Frame& frame, const ColumnTable& table) {
    if (!has_streams<Element>()) return false;
    if (table.begin * kPeriod % hn::Lanes(D()) != 0) return false;
    const std::size_t row_bytes = std::size_t{frame.width} * kPeriod * sizeof(T);
    return (reinterpret_cast<std::uintptr_t>(frame.pixels) | row_bytes) % vector_bytes<Element>() ==
           0;
  }

  const std::uint8_t* source(std::uint32_t row_px) const {
    return image_.row(row_px) + std::size_t{table_.first_px} * kPlanes;
  }

  HWY_ATTR void fill(const Out& out, std::uint32_t begin, std::uint32_t end) const {
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      const T element = Element::of(job_.channels[c].fill);
      for (std::uint32_t i = begin; i < end; ++i) *out.at(i, c) = element;
    }
  }

  /// Whole pixels: what blending with weight 0 gives is the pixel itself.
  HWY_ATTR void copy(const Out& out, const std::uint8_t* bytes) const {
    if (table_.is_reversed) {
      copy_run<true>(out, bytes);
    } else {
      copy_run<false>(out, bytes);
    }
    const std::uint32_t begin = table_.copy_begin;
    const std::uint32_t end = begin + table_.num_px;
    if (begin == table_.begin && end == table_.end) return;
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      for (std::uint32_t i = table_.begin; i < begin; ++i) *out.at(i, c) = *out.at(begin, c);
      for (std::uint32_t i = end; i < table_.end; ++i) *out.at(i, c) = *out.at(end - 1, c);
    }
  }

  template <bool kIsReversed>
  HWY_INLINE HWY_ATTR void copy_run(const Out& to, const std::uint8_t* bytes) const {
    // Copies: a store of a vector may change anything in memory, for all that g++ knows.
    const Out out = to;
    const std::size_t begin = table_.copy_begin;
    const std::size_t count = table_.num_px;
    const std::size_t lanes = hn::Lanes(D());
    if (count < lanes) {
      for (std::size_t i = 0; i < count; ++i) {
        for (std::uint32_t c = 0; c < kChannels; ++c) {
          *out.at(begin + (kIsReversed ? count - 1 - i : i), c) =
              Element::of(normalise(bytes[i * kPlanes + c * kStep], job_.channels[c]));
        }
      }
      return;
    }
    const ScaleVectors scale0 = vectors_of(job_.channels[0]);
    const ScaleVectors scale1 = vectors_of(job_.channels[1]);
    const ScaleVectors scale2 = vectors_of(job_.channels[2]);
    for (std::size_t i = 0; i < count; i += lanes) {
      const std::size_t from = std::min(i, count - lanes);  // the last vector ends with the run
      const Pixels<kPlanes> pixels = load_pixels<kPlanes>(bytes + from * kPlanes);
      const V v0 = copied<kIsReversed>(pixels.plane[0], scale0);
      V v1 = v0, v2 = v0;
      if constexpr (kChannels == 3) {
        v1 = copied<kIsReversed>(pixels.plane[kStep], scale1);
        v2 = copied<kIsReversed>(pixels.plane[2 * kStep], scale2);
      }
      out.store(v0, v1, v2, begin + (kIsReversed ? count - lanes - from : from));
    }
  }

  template <bool kIsReversed>
  static HWY_INLINE HWY_ATTR V copied(V value, const ScaleVectors& scale) {
    const V normal = normalise_of(value, scale);
    return kIsReversed ? hn::Reverse(D(), normal) : normal;
  }

  /// Blends into the next row of the block. Every store is a whole vector on its own alignment, and
  /// so is every load of pick_vector(): a load that needs parts of two stores waits until both have
  /// left the core, behind the stores to the batch, and has been seen to hang for milliseconds (AMD
  /// Zen 4).
  HWY_ATTR void blend_rows(const Neighbours& row) const {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t count = std::size_t{table_.num_px} * kValueChannels;
    const std::uint8_t* const top = source(row.first);
    const std::uint8_t* const bottom = source(row.second);
    const V weight = hn::Set(d, row.weight);
    float* const to = values(block_rows_, 0);
    const std::size_t plane = table_.plane_stride;
    const auto blend_at = [&](std::size_t i) HWY_ATTR {
      return blend_pixels<kValuePlanes>(top + i * kValuePlanes, bottom + i * kValuePlanes, weight);
    };
    if (count < lanes) return blend_few(row);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
      const Pixels<kValuePlanes> pixels = blend_at(i);
      for (std::uint32_t p = 0; p < kValuePlanes; ++p) {
        hn::Store(pixels.plane[p], d, to + p * plane + i);
      }
    }
    if (i == count) return;
    // The last pixels are the upper lanes of a vector that ends with the row.
    const DInt d_int;
    const auto num_lanes = static_cast<std::int32_t>(lanes);
    const auto num_rest = static_cast<std::int32_t>(count - i);
    const VInt moved =
        hn::And(hn::Iota(d_int, num_lanes - num_rest), hn::Set(d_int, num_lanes - 1));
    const auto places = hn::IndicesFromVec(d, moved);
    const Pixels<kValuePlanes> pixels = blend_at(count - lanes);
    for (std::uint32_t p = 0; p < kValuePlanes; ++p) {
      hn::Store(hn::TableLookupLanes(pixels.plane[p], places), d, to + p * plane + i);
    }
  }

  /// Less than a vector.
  void blend_few(const Neighbours& row) const {
    const std::uint8_t* const top = source(row.first);
    const std::uint8_t* const bottom = source(row.second);
    for (std::size_t i = 0; i < std::size_t{table_.num_px} * kPlanes; ++i) {
      values(block_rows_, i % kValuePlanes)[i / kValuePlanes] =
          blend(top[i], bottom[i], row.weight);
    }
  }

  HWY_ATTR void pick_block() {
    const auto lanes = static_cast<std::uint32_t>(hn::Lanes(D()));
    if ((table_.end - table_.begin) * kPeriod < lanes || table_.num_px * kValueChannels < lanes) {
      pick_few();
    } else {
      pick_vectors(lanes);
    }
    block_rows_ = 0;
  }

  HWY_ATTR void pick_vectors(std::uint32_t lanes) {
    if (picks_.vectors.empty()) {
      picks_ = make_pick_table(
          table_, {.lanes = lanes, .out_channels = kPeriod, .row_channels = kValueChannels},
          table_.pick_place);
    }
    for (std::uint32_t line = 0; line < kLines; ++line) {
      std::uint32_t row = 0;
      if (block_rows_ == ColumnTable::kBlockRows) {
        pick_line<ColumnTable::kBlockRows>(line, row);
        continue;
      }
      for (; row + 4 <= block_rows_; row += 4) pick_line<4>(line, row);
      for (; row < block_rows_; ++row) pick_line<1>(line, row);
    }
  }

  /// A line of some rows of the block: where their values are and where their pixels go.
  template <std::size_t kRows>
  struct BlockLine {
    const float* from[kRows];
    T* to[kRows];
  };

  /// A line of `kRows` rows of the block, from row `first` on.
  template <std::size_t kRows>
  HWY_ATTR void pick_line(std::uint32_t line_idx, std::uint32_t first) const {
    // Copies: a store of a vector may change anything in memory, for all that g++ knows.
    const PickTable picks = picks_;
    const bool streams = streams_;
    BlockLine<kRows> line;
    for (std::size_t r = 0; r < kRows; ++r) {
      line.from[r] = values(first + r, line_idx * kStep);
      line.to[r] = block_[first + r].elements(line_idx);
    }
    const std::size_t lanes = hn::Lanes(D());
    for (std::size_t i = 0; i < picks.vectors.size(); ++i) {
      const PickVector vector = picks.vectors[i];
      const Pick pick{.left = picks.left + i * lanes,
                      .right = picks.right + i * lanes,
                      .weight = picks.weight + i * lanes,
                      .base = vector.base,
                      .at = vector.at,
                      .streams = streams && vector.at % lanes == 0};
      const ScaleVectors scale = scales_from(kIsInterleaved ? vector.at % kPeriod : line_idx);
      if (vector.num_vectors <= 2) {
        pick_vector<2>(pick, line, scale);
      } else if (vector.num_vectors == 3) {
        pick_vector<3>(pick, line, scale);
      } else if (vector.num_vectors == 4) {
        pick_vector<4>(pick, line, scale);
      } else {
        pick_one_by_one(pick, line, line_idx);
      }
    }
  }

  /// One vector of the PickTable.
  struct Pick {
    const std::int32_t* left;
    const std::int32_t* right;
    const float* weight;
    std::int32_t base;
    std::size_t at;
    bool streams;
  };

  template <std::uint32_t kNum, std::size_t kRows>
  static HWY_INLINE HWY_ATTR void pick_vector(const Pick& pick, const BlockLine<kRows>& line,
                                              const ScaleVectors& scale) {
    const D d;
    const VInt left = hn::Load(DInt(), pick.left);
    const VInt right = hn::Load(DInt(), pick.right);
    const V weight = hn::Load(d, pick.weight);
    for (std::size_t r = 0; r < kRows; ++r) {
      const Near<kNum> near(line.from[r] + pick.base);
      const V value = normalise_of(blend_of(near.at(left), near.at(right), weight), scale);
      if (pick.streams) {
        stream_elements<Element>(value, line.to[r] + pick.at);
      } else {
        Element::template store<false>(value, line.to[r] + pick.at);
      }
    }
  }

  /// Where the source of a vector is spread over more vectors than Near takes.
  template <std::size_t kRows>
  void pick_one_by_one(const Pick& pick, const BlockLine<kRows>& line,
                       std::uint32_t line_idx) const {
    for (std::size_t r = 0; r < kRows; ++r) {
      const float* const from = line.from[r] + pick.base;
      for (std::size_t lane = 0; lane < hn::Lanes(D()); ++lane) {
        const std::size_t channel = kIsInterleaved ? (pick.at + lane) % kChannels : line_idx;
        line.to[r][pick.at + lane] = Element::of(
            normalise(blend(from[pick.left[lane]], from[pick.right[lane]], pick.weight[lane]),
                      job_.channels[channel]));
      }
    }
  }

  /// Of a plane, or of interleaved pixels from that channel on.
  HWY_INLINE HWY_ATTR ScaleVectors scales_from(std::size_t channel) const {
    const D d;
    if constexpr (!kIsInterleaved) return vectors_of(job_.channels[channel]);
    return {hn::LoadU(d, gains_ + channel), hn::LoadU(d, biases_ + channel)};
  }

  /// Where there is less than a vector of them.
  void pick_few() const {
    for (std::uint32_t row = 0; row < block_rows_; ++row) {
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        const std::size_t channel = c * kStep;
        const float* const from = kIsInterleaved ? values(row, 0) + channel : values(row, channel);
        for (std::uint32_t i = table_.begin; i < table_.end; ++i) {
          const float a = from[std::size_t(table_.left[i]) * kValueChannels];
          const float b = from[std::size_t(table_.right[i]) * kValueChannels];
          *block_[row].at(i, c) =
              Element::of(normalise(blend(a, b, table_.weight[i]), job_.channels[c]));
        }
      }
    }
  }

  float* values(std::size_t row, std::size_t plane) const {
    return table_.values + (row * kMaxPlanes + plane) * table_.plane_stride;
  }
  static constexpr std::size_t kMaxPlanes = ColumnTable::kNumPlanes;

  const WarpJob& job_;
  const Frame& frame_;
  const ColumnTable& table_;
  const ImageView& image_;
  const bool streams_;  // stores past the caches
  const std::uint32_t rows_at_once_;
  PickTable picks_;  // made for the first row that needs it
  Out block_[ColumnTable::kBlockRows];
  std::uint32_t block_rows_ = 0;
  // Channel after channel, again and again.
  float gains_[kPatternFloats];
  float biases_[kPatternFloats];
};

template <class Element, class Shape>
HWY_ATTR void sample_all(const WarpJob& job, const Frame& frame, const Lines& lines,
                         const ColumnTable& table) {
  RowSampler<Element, Shape::kChannels, Shape::kPlanes, Shape::kIsInterleaved> sampler(job, frame,
                                                                                       table);
  for (std::uint32_t row_idx = 0; row_idx < lines.num_lines; ++row_idx) {
    if (job.slot.is_abandoned()) return;
    const Neighbours row = find_neighbours(lines.row_factor * row_idx + job.map.y0, frame.y);
    if (!frame.shows(row)) {
      sampler.fill_row(row_idx);
    } else {
      sampler.sample(row_idx, row);
    }
  }
  sampler.finish();
}

HWY_ATTR void sample_rows_of(const WarpJob& job, const Frame& frame, const Lines& lines,
                             const ColumnTable& table) {
  for_element(job.slot.spec->element, [&]<class Element>(Element) {
    // Bytes have rows of their own, byte_rows.
    if constexpr (!std::is_same_v<Element, Uint8>) {
      for_shape(job, frame,
                [&]<class Shape>(Shape) { sample_all<Element, Shape>(job, frame, lines, table); });
    }
  });
}

HWY_ATTR void sample_low_halves_of(const WarpJob& job, const Frame& frame, const Lines& lines,
                                   const ColumnTable& table) {
  for_shape(job, frame, [&]<class Shape>(Shape) {
    if constexpr (!Shape::kIsInterleaved) sample_all<LowHalf, Shape>(job, frame, lines, table);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "augment/warp/byte_rows.h"
#include "augment/warp/warp_columns.h"

namespace penstock::augment {

HWY_EXPORT(sample_rows_of);
HWY_EXPORT(sample_low_halves_of);

namespace {

/// Vectors of bytes want pixels side by side.
bool takes_vectors(const ImageView& image) noexcept {
  return image.pixel_stride_bytes == image.channels && (image.channels == 1 || image.channels == 3);
}

}  // namespace

void sample_rows(const WarpJob& job, const Frame& frame, const Lines& lines,
                 const ColumnTable& table) noexcept {
  if (!takes_vectors(job.decoded.image)) return sample_columns(job, frame, lines, table);
  if (job.slot.spec->element == ElementType::kUint8) {
    if (!sample_byte_rows(job, frame, lines, table)) sample_columns(job, frame, lines, table);
    return;
  }
  HWY_DYNAMIC_DISPATCH(sample_rows_of)(job, frame, lines, table);
}

bool sample_low_halves(const WarpJob& job, const Frame& frame, const Lines& lines,
                       const ColumnTable& table) noexcept {
  if (!takes_vectors(job.decoded.image)) return false;
  HWY_DYNAMIC_DISPATCH(sample_low_halves_of)(job, frame, lines, table);
  return true;
}

}  // namespace penstock::augment
#endif
