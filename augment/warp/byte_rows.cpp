#include "augment/warp/byte_rows.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "augment/warp/byte_table.h"
#include "augment/warp/pixel_arithmetic.h"

// As for the other kernels of rows.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/warp/byte_rows.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#if HWY_TARGET != HWY_SCALAR
#include "augment/warp/byte_vectors-inl.h"
#include "augment/warp/byte_words-inl.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

// No vectors to cut in blocks: x86 before SSSE3.
bool sample_byte_rows_of(const WarpJob&, const Frame&, const Lines&, const ColumnTable&) {
  return false;
}

#else

/// Where a row of the output is, and how channels lie in it.
template <std::uint32_t kChannels, bool kIsInterleaved>
struct ByteRow {
  std::uint8_t* row;
  std::size_t plane;

  std::uint8_t* at(std::size_t pixel, std::uint32_t channel) const {
    return kIsInterleaved ? row + pixel * kChannels + channel : row + channel * plane + pixel;
  }

  template <class DV, class VV>
  HWY_INLINE HWY_ATTR void store(DV d, VV red, VV green, VV blue, std::size_t pixel) const {
    if constexpr (kIsInterleaved && kChannels == 3) {
      hn::StoreInterleaved3(red, green, blue, d, at(pixel, 0));
    } else {
      hn::StoreU(red, d, at(pixel, 0));
      if constexpr (kChannels == 1) return;
      hn::StoreU(green, d, at(pixel, 1));
      hn::StoreU(blue, d, at(pixel, 2));
    }
  }

  /// One byte for pixels from `begin` to `end`.
  void repeat(std::uint8_t byte, std::size_t begin, std::size_t end, std::uint32_t channel) const {
    if constexpr (kIsInterleaved) {
      for (std::size_t i = begin; i < end; ++i) *at(i, channel) = byte;
    } else if (begin < end) {
      std::memset(at(begin, channel), byte, end - begin);
    }
  }

  /// The first `count` pixels of a row elsewhere.
  void copy(const ByteRow& from, std::size_t count, std::size_t pixel) const {
    if constexpr (kIsInterleaved) {
      std::memcpy(at(pixel, 0), from.row, count * kChannels);
    } else {
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        std::memcpy(at(pixel, c), from.at(0, c), count);
      }
    }
  }
};

/// One job, with all that is the same for its rows. `Units` blend rows and then units of pixels.
template <std::uint32_t kChannels, std::uint32_t kPlanes, bool kIsInterleaved, class Units>
class ByteRowSampler {
 public:
  ByteRowSampler(const WarpJob& job, const Frame& frame, const ColumnTable& table,
                 const Units& units)
      : job_(job), frame_(frame), table_(table), units_(units), image_(job.decoded.image) {}

  /// Fills output row `row_idx` from two source rows, now or with the block of rows that it is in.
  HWY_ATTR void sample(std::uint32_t row_idx, const Neighbours& row) {
    const Out out{frame_.row<std::uint8_t>(row_idx), frame_.plane};
    fill(out, 0, table_.begin);
    fill(out, table_.end, frame_.width);
    if (table_.begin == table_.end) return;
    if (table_.is_copy && row.weight == 0) return copy(out, source(row.first));
    blend_rows(row);
    block_[block_rows_++] = out;
    if (block_rows_ == ColumnTable::kBlockRows) pick_block();
  }

  void fill_row(std::uint32_t row_idx) const {
    fill({frame_.row<std::uint8_t>(row_idx), frame_.plane}, 0, frame_.width);
  }

  /// Fills the rows of a block. It begins long after its first values were stored: loads that need parts
  /// of two stores would wait for these.
  HWY_ATTR void pick_block() {
    for (std::uint32_t row = 0; row < block_rows_; ++row) pick_row(values(row), block_[row]);
    block_rows_ = 0;
  }

 private:
  using Out = ByteRow<kChannels, kIsInterleaved>;
  static constexpr std::uint32_t kStep = kPlanes == 1 ? 0 : 1;  // gray serves for all

  const std::uint8_t* source(std::uint32_t row_px) const {
    return image_.row(row_px) + std::size_t{table_.first_px} * kPlanes;
  }

  std::int16_t* values(std::size_t row) const {
    return reinterpret_cast<std::int16_t*>(table_.values +
                                           row * ColumnTable::kNumPlanes * table_.plane_stride);
  }

  void fill(const Out& out, std::uint32_t begin, std::uint32_t end) const {
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      out.repeat(FixedPixels::fill(job_.channels[c]), begin, end, c);
    }
  }

  /// Whole pixels.
  HWY_ATTR void copy(const Out& out, const std::uint8_t* bytes) const {
    const std::uint32_t begin = table_.copy_begin;
    const std::uint32_t end = begin + table_.num_px;
    if (table_.is_reversed) {
      copy_run<true>(out, bytes);
    } else if constexpr (kChannels == 1 || (kIsInterleaved && kPlanes == kChannels)) {
      std::memcpy(out.at(begin, 0), bytes, std::size_t{table_.num_px} * kChannels);
    } else {
      copy_run<false>(out, bytes);
    }
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      out.repeat(*out.at(begin, c), table_.begin, begin, c);
      out.repeat(*out.at(end - 1, c), end, table_.end, c);
    }
  }

  template <bool kIsReversed>
  HWY_INLINE HWY_ATTR void copy_run(const Out& out, const std::uint8_t* bytes) const {
    const DBlock d;
    const std::size_t count = table_.num_px;
    const std::size_t begin = table_.copy_begin;
    if (count < ByteTable::kBlockPx) {
      for (std::size_t i = 0; i < count; ++i) {
        for (std::uint32_t c = 0; c < kChannels; ++c) {
          *out.at(begin + (kIsReversed ? count - 1 - i : i), c) = bytes[i * kPlanes + c * kStep];
        }
      }
      return;
    }
    for (std::size_t i = 0; i < count; i += ByteTable::kBlockPx) {
      // The last block ends with the run.
      const std::size_t from = std::min<std::size_t>(i, count - ByteTable::kBlockPx);
      const BlockPixels pixels = load_block<kPlanes, kIsReversed>(bytes + from * kPlanes);
      out.store(d, pixels.red, pixels.green, pixels.blue,
                begin + (kIsReversed ? count - ByteTable::kBlockPx - from : from));
    }
  }

  HWY_ATTR void blend_rows(const Neighbours& row) {
    if (units_.num_units() == 0) units_.make(table_);
    units_.blend_rows(source(row.first), source(row.second), fixed_row_weight(row.weight),
                      values(block_rows_));
  }

  HWY_ATTR void pick_row(const std::int16_t* values, const Out& to) const {
    // Copies: a store of bytes may change anything in memory.
    const Out out = to;
    const Units units = units_;
    const std::uint32_t begin = table_.begin;
    const std::uint32_t num_px = table_.end - begin;
    for (std::uint32_t idx = 0; idx < units.num_units(); ++idx) {
      const UnitBytes pixels = units.unit(values, idx);
      const std::uint32_t at = idx * kUnitPx;
      if (num_px - at >= kUnitPx) {
        out.store(DBytes(), pixels.red, pixels.green, pixels.blue, begin + at);
      } else {
        std::uint8_t own[kChannels * kUnitPx];
        const Out part{own, kUnitPx};
        part.store(DBytes(), pixels.red, pixels.green, pixels.blue, 0);
        out.copy(part, num_px - at, begin + at);
      }
    }
  }

  const WarpJob& job_;
  const Frame& frame_;
  const ColumnTable& table_;
  Units units_;
  const ImageView& image_;
  Out block_[ColumnTable::kBlockRows];
  std::uint32_t block_rows_ = 0;
};

template <class Shape, class Units>
HWY_ATTR bool sample_units(const WarpJob& job, const Frame& frame, const Lines& lines,
                           const ColumnTable& table) {
  Units units(table);
  // Whole pixels need a table for rows between two others only, and have one always.
  if (!table.is_copy && table.begin < table.end && !units.make(table)) return false;
  ByteRowSampler<Shape::kChannels, Shape::kPlanes, Shape::kIsInterleaved, Units> sampler(
      job, frame, table, units);
  for (std::uint32_t row_idx = 0; row_idx < lines.num_lines; ++row_idx) {
    if (job.slot.is_abandoned()) return true;
    const Neighbours row = find_neighbours(lines.row_factor * row_idx + job.map.y0, frame.y);
    if (!frame.shows(row)) {
      sampler.fill_row(row_idx);
    } else {
      sampler.sample(row_idx, row);
    }
  }
  sampler.pick_block();
  return true;
}

HWY_ATTR bool sample_byte_rows_of(const WarpJob& job, const Frame& frame, const Lines& lines,
                                  const ColumnTable& table) {
  bool is_done = false;
  for_shape(job, frame, [&]<class Shape>(Shape) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
    using Words = WordUnits<Shape::kPlanes>;
    is_done = sample_units<Shape, Words>(job, frame, lines, table);
    if (is_done) return;
#endif
    using Blocks = BlockUnits<Shape::kPlanes>;
    is_done = sample_units<Shape, Blocks>(job, frame, lines, table);
  });
  return is_done;
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::augment {

HWY_EXPORT(sample_byte_rows_of);

bool sample_byte_rows(const WarpJob& job, const Frame& frame, const Lines& lines,
                      const ColumnTable& table) noexcept {
  return HWY_DYNAMIC_DISPATCH(sample_byte_rows_of)(job, frame, lines, table);
}

}  // namespace penstock::augment
#endif
