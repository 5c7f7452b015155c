#include "augment/warp/filter_rows.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "augment/warp/filter_pixel.h"

// A filter holds vectors, and those without a fixed size cannot be members.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/warp/filter_rows.cpp"
#include <hwy/foreach_target.h>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#if HWY_TARGET != HWY_SCALAR
#include "augment/warp/filter_vectors-inl.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR

/// What becomes of a block of lines: floats in the slot.
template <std::uint32_t kChannelsOut, std::uint32_t kPlanesIn, bool kIsInterleaved>
class SlotSink {
 public:
  static constexpr std::uint32_t kChannels = kChannelsOut;
  static constexpr std::uint32_t kPlanes = kPlanesIn;

  SlotSink(const WarpJob& job, const Frame& frame, const Lines& lines)
      : job_(job), frame_(frame), lines_(lines), is_turned_(job.map.is_quarter_turn()) {}

  /// Where a value of a strip's pixel is kept until the strip is done.
  static constexpr std::uint32_t place(std::uint32_t pixel, std::uint32_t channel) {
    return kIsInterleaved ? pixel * kChannels + channel : channel * kLanes + pixel;
  }

  HWY_INLINE HWY_ATTR V finished(V value, std::uint32_t channel) const {
    return normalise_of(value, vectors_of(job_.channels[channel]));
  }

  HWY_ATTR void store(const StripPlace& at, const float* values) const {
    if (is_turned_) return store_turned(at, values);
    for (std::uint32_t line = 0; line < kChannels; ++line) {
      const std::size_t to = kIsInterleaved ? at.first_px * kChannels + line * kLanes
                                            : at.first_px + line * frame_.plane;
      const std::uint32_t num_floats =
          kIsInterleaved ? row_floats(at.num_px * kChannels, line * kLanes) : at.num_px;
      if (num_floats == 0) continue;
      const float* const from = values + std::size_t{line} * kLanes * kLanes;
      if (at.num_lines == kLanes && num_floats == kLanes) {
        store_square(from, frame_.row(at.first_line) + to);
        continue;
      }
      transpose(from, kLanes, [&](std::uint32_t row, V floats) HWY_ATTR {
        if (row >= at.num_lines) return;
        store_floats(floats, num_floats, frame_.row(at.first_line + row) + to);
      });
    }
  }

 private:
  /// A vector of each of kLanes lines.
  HWY_INLINE HWY_ATTR void store_square(const float* values, float* to) const {
    const D d;
    const std::size_t row = std::size_t{frame_.width} * frame_.step;
    for (std::uint32_t i = 0; i < kLanes; i += kBlockLanes) {
      const FourColumns columns(values + i, kLanes);
      hn::StoreU(columns.c0, d, to);
      hn::StoreU(columns.c1, d, to + row);
      hn::StoreU(columns.c2, d, to + 2 * row);
      hn::StoreU(columns.c3, d, to + 3 * row);
      to += 4 * row;
    }
  }

  static std::uint32_t row_floats(std::uint32_t all, std::uint32_t before) {
    return all > before ? std::min(all - before, kLanes) : 0;
  }

  /// Lines are columns of the output: a vector is a piece of one of its rows.
  HWY_ATTR void store_turned(const StripPlace& at, const float* values) const {
    const D d;
    for (std::uint32_t i = 0; i < at.num_px; ++i) {
      float* const to = frame_.row(0) + (at.first_px + i) * lines_.pixel_stride +
                        at.first_line * lines_.line_stride;
      if constexpr (kIsInterleaved && kChannels == 3) {
        if (at.num_lines == kLanes) {
          const float* const from = values + std::size_t{place(i, 0)} * kLanes;
          hn::StoreInterleaved3(hn::Load(d, from), hn::Load(d, from + kLanes),
                                hn::Load(d, from + 2 * kLanes), d, to);
          continue;
        }
      }
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        const float* const from = values + std::size_t{place(i, c)} * kLanes;
        if (lines_.line_stride == 1) {
          store_floats(hn::Load(d, from), at.num_lines, to + c * frame_.plane);
        } else {
          for (std::uint32_t line = 0; line < at.num_lines; ++line) {
            to[line * lines_.line_stride + c * frame_.plane] = from[line];
          }
        }
      }
    }
  }

  const WarpJob& job_;
  const Frame& frame_;
  const Lines& lines_;
  const bool is_turned_;
};

/// Bytes of an image.
template <std::uint32_t kPlanesIn>
class ByteSink {
 public:
  static constexpr std::uint32_t kChannels = kPlanesIn;
  static constexpr std::uint32_t kPlanes = kPlanesIn;

  ByteSink(std::uint8_t* pixels, std::uint32_t width_px)
      : pixels_(pixels), row_bytes_(std::size_t{width_px} * kPlanes) {}

  static constexpr std::uint32_t place(std::uint32_t pixel, std::uint32_t channel) {
    return pixel * kChannels + channel;
  }

  HWY_INLINE HWY_ATTR V finished(V value, std::uint32_t) const { return value; }

  HWY_ATTR void store(const StripPlace& at, const float* values) const {
    const D d;
    for (std::uint32_t line = 0; line < kChannels; ++line) {
      const std::size_t to = at.first_px * kChannels + line * kLanes;
      const std::uint32_t all = at.num_px * kChannels;
      if (all <= line * kLanes) return;
      const std::uint32_t num_bytes = std::min(all - line * kLanes, kLanes);
      transpose(values + std::size_t{line} * kLanes * kLanes, kLanes,
                [&](std::uint32_t row, V floats) HWY_ATTR {
                  if (row >= at.num_lines) return;
                  std::uint8_t* const out = pixels_ + (at.first_line + row) * row_bytes_ + to;
                  const DByte d_byte;
                  const auto bytes = hn::DemoteTo(
                      d_byte, hn::ConvertTo(DInt(), hn::Add(floats, hn::Set(d, kByteRounding))));
                  alignas(64) std::uint8_t all_bytes[64];
                  if (num_bytes == kLanes) {
                    hn::StoreU(bytes, d_byte, out);
                  } else {
                    hn::StoreU(bytes, d_byte, all_bytes);
                    std::copy_n(all_bytes, num_bytes, out);
                  }
                });
    }
  }

 private:
  std::uint8_t* pixels_;
  std::size_t row_bytes_;
};

/// One pass, a block of lines after the other, each in strips of as many pixels.
template <class Sink>
class StripFilter {
 public:
  HWY_ATTR StripFilter(const FilterPass& pass, const FilterTable& table, const Sink& sink)
      : pass_(pass),
        table_(table),
        sink_(sink),
        row_bytes_(std::size_t{pass.image.width_px} * kPlanes),
        overshoots_(pass.columns.filter.is_cubic) {
    std::fill_n(values_, kLanes * kLanes * kChannels, 0.0f);
  }

  HWY_ATTR void run(const SampleSlot& slot) {
    const ShownRange lines = pass_.lines;
    const ShownRange pixels = pass_.pixels;
    for (std::uint32_t line = lines.begin; line < lines.end; line += kLanes) {
      if (slot.is_abandoned()) return;
      const std::uint32_t num_lines = std::min(kLanes, lines.end - line);
      find_rows(line, num_lines);
      strip_begin_ = strip_end_ = 0;
      const std::uint32_t all_px = pixels.end - pixels.begin;
      const std::uint32_t num_px = std::min(kLanes, all_px);
      // From left to right in the source, so that a strip finds columns of the one before.
      const bool is_mirrored = pass_.columns.factor < 0;
      for (std::uint32_t done = 0; done < all_px; done += kLanes) {
        // The last strip ends with the line.
        const std::uint32_t first = std::min(done, all_px - num_px);
        const StripPlace at{line, num_lines,
                            pixels.begin + (is_mirrored ? all_px - num_px - first : first), num_px};
        sample_strip(at);
        sink_.store(at, values_);
      }
    }
  }

 private:
  static constexpr std::uint32_t kChannels = Sink::kChannels;
  static constexpr std::uint32_t kPlanes = Sink::kPlanes;
  static constexpr std::uint32_t kMaxPairs = FilterTable::kMaxTaps / 2;
  /// Groups that are summed for all lines before they are transposed, in the nearest cache.
  static constexpr std::size_t kChunkGroups = 4;
  /// Columns behind which those that are still in use are moved to the front.
  static constexpr std::size_t kKeptFloats = 8 * kGroupBytes;
  static constexpr std::size_t kChunkFloats = kChunkGroups * kGroupBytes;

  struct RowTaps {
    const std::uint8_t* first;
    std::uint32_t count;
    float scale;  // FilterWindow::row_scale()
  };

  /// The taps of the lines; of those that a block lacks, the last one's.
  void find_rows(std::uint32_t first_line, std::uint32_t num_lines) {
    for (std::uint32_t i = 0; i < kLanes; ++i) {
      const std::uint32_t line = first_line + std::min(i, num_lines - 1);
      const FilterWindow window = pass_.rows.window(line);
      rows_[i] = {pass_.image.row(window.first), window.count, window.row_scale()};
      RowWeights weights(window);
      for (std::uint32_t tap = 0; tap < window.count; tap += 2) {
        const auto first = static_cast<std::uint16_t>(weights.next());
        const auto second = static_cast<std::uint16_t>(tap + 1 < window.count ? weights.next() : 0);
        table_.row_weights[i * kMaxPairs + tap / 2] =
            static_cast<std::int32_t>(first | std::uint32_t{second} << 16);
      }
    }
  }

  HWY_ATTR void sample_strip(const StripPlace& at) {
    std::uint32_t done = 0;
    while (done < at.num_px) {
      // As many pixels as the strip has room for the columns of; one always.
      std::uint32_t begin = table_.first[at.first_px + done];
      std::uint32_t end = begin + table_.num_taps;
      std::uint32_t next = done + 1;
      for (; next < at.num_px; ++next) {
        const std::uint32_t first = table_.first[at.first_px + next];
        const std::uint32_t lo = std::min(begin, first);
        const std::uint32_t hi = std::max(end, first + table_.num_taps);
        if (hi - lo > FilterTable::kMaxTaps) break;
        begin = lo;
        end = hi;
      }
      sum_columns(begin * kPlanes, end * kPlanes);
      for (; done < next; ++done) sum_taps(at.first_px + done, done);
    }
  }

  /// Sums the rows in reach for the bytes from `begin` to `end` of a row, into the strip, where these
  /// are not there yet.
  HWY_ATTR void sum_columns(std::size_t begin, std::size_t end) {
    if (begin < strip_begin_ || begin > strip_end_) {
      strip_begin_ = strip_end_ = std::min(begin, row_bytes_ - kGroupBytes);
    } else if (end - strip_begin_ > kKeptFloats && begin > strip_begin_) {
      const std::size_t first = std::min(begin, row_bytes_ - kGroupBytes);
      std::copy(table_.strip + (first - strip_begin_) * kLanes,
                table_.strip + (strip_end_ - strip_begin_) * kLanes, table_.strip);
      strip_begin_ = first;
    }
    while (strip_end_ < end) {
      const std::size_t at = strip_end_;
      const std::size_t num_groups =
          std::min(kChunkGroups, (end - at + kGroupBytes - 1) / kGroupBytes);
      // The last group ends with the row.
      const std::size_t last =
          std::min(at + (num_groups - 1) * kGroupBytes, row_bytes_ - kGroupBytes);
      for (std::uint32_t line = 0; line < kLanes; ++line) {
        hwy::Prefetch(rows_[line].first + last + 64);
        hwy::Prefetch(rows_[line].first + last + 128);
        hwy::Prefetch(rows_[line].first + pass_.image.row_stride_bytes + last + 64);
        hwy::Prefetch(rows_[line].first + pass_.image.row_stride_bytes + last + 128);
        sum_line(line, at, last, sums_ + line * kChunkFloats);
      }
      for (std::size_t group = 0; group < num_groups; ++group) {
        const std::size_t from = std::min(at + group * kGroupBytes, last);
        transpose_group(sums_ + group * kGroupBytes, kChunkFloats,
                        table_.strip + (from - strip_begin_) * kLanes);
      }
      strip_end_ = last + kGroupBytes;
    }
  }

  /// Sums groups of bytes of a line's rows, from `begin` to the one that begins at `last`.
  HWY_INLINE HWY_ATTR void sum_line(std::uint32_t line, std::size_t begin, std::size_t last,
                                    float* to) const {
    static_assert(FilterWindow::kCoarseTaps == 6, "three pairs");
    const RowTaps& taps = rows_[line];
    const std::int32_t* const weights = table_.row_weights + line * kMaxPairs;
    switch ((taps.count + 1) / 2) {
      case 1:
        return sum_groups<1>(taps, weights, begin, last, to);
      case 2:
        return sum_groups<2>(taps, weights, begin, last, to);
      case 3:
        return sum_groups<3>(taps, weights, begin, last, to);
      default:
        return sum_groups<0>(taps, weights, begin, last, to);
    }
  }

  /// `kPairs` of rows, or as many as there are: those of windows whose weights may be finer.
  template <std::uint32_t kPairs>
  HWY_INLINE HWY_ATTR void sum_groups(const RowTaps& taps, const std::int32_t* weights,
                                      std::size_t begin, std::size_t last, float* to) const {
    const std::size_t stride = pass_.image.row_stride_bytes;
    const std::uint32_t num_pairs = kPairs > 0 ? kPairs : (taps.count + 1) / 2;
    // The last row of an odd number is its own second, with a weight of 0.
    const std::size_t last_step = taps.count % 2 == 0 ? stride : 0;
    for (std::size_t at = begin;; at += kGroupBytes) {
      const std::uint8_t* bytes = taps.first + std::min(at, last);
      RowSums sums;
      for (std::uint32_t pair = 0; pair + 1 < num_pairs; ++pair) {
        sums.add(bytes, bytes + stride, weights[pair]);
        bytes += 2 * stride;
      }
      sums.add(bytes, bytes + last_step, weights[num_pairs - 1]);
      if constexpr (kPairs > 0) {
        sums.store(to);
      } else {
        sums.store_scaled(to, hn::Set(D(), taps.scale));
      }
      to += kGroupBytes;
      if (at >= last) return;
    }
  }

  /// The columns in reach of a pixel, as `values` of its place in the strip.
  HWY_INLINE HWY_ATTR void sum_taps(std::uint32_t pixel, std::uint32_t place) {
    const D d;
    const float* const weights = table_.weights_of(pixel);
    const float* from =
        table_.strip + (std::size_t{table_.first[pixel]} * kPlanes - strip_begin_) * kLanes;
    const std::uint32_t num_taps = table_.num_taps;
    const V weight = hn::Set(d, weights[0]);
    V v0 = hn::Mul(weight, hn::Load(d, from));
    V v1 = kPlanes == 3 ? hn::Mul(weight, hn::Load(d, from + kLanes)) : v0;
    V v2 = kPlanes == 3 ? hn::Mul(weight, hn::Load(d, from + 2 * kLanes)) : v0;
    for (std::uint32_t tap = 1; tap < num_taps; ++tap) {
      from += kPlanes * kLanes;
      const V w = hn::Set(d, weights[tap]);
      v0 = hn::Add(v0, hn::Mul(w, hn::Load(d, from)));
      if constexpr (kPlanes == 3) {
        v1 = hn::Add(v1, hn::Mul(w, hn::Load(d, from + kLanes)));
        v2 = hn::Add(v2, hn::Mul(w, hn::Load(d, from + 2 * kLanes)));
      }
    }
    keep(v0, place, 0);
    if constexpr (kChannels == 3) {
      keep(kPlanes == 3 ? v1 : v0, place, 1);
      keep(kPlanes == 3 ? v2 : v0, place, 2);
    }
  }

  HWY_INLINE HWY_ATTR void keep(V value, std::uint32_t place, std::uint32_t channel) {
    const D d;
    if (overshoots_) value = hn::Min(hn::Max(value, hn::Zero(d)), hn::Set(d, 255.0f));
    hn::Store(sink_.finished(value, channel), d, values_ + Sink::place(place, channel) * kLanes);
  }

  const FilterPass& pass_;
  const FilterTable& table_;
  const Sink& sink_;
  const std::size_t row_bytes_;
  const bool overshoots_;
  // The bytes of a row whose sums are in the strip.
  std::size_t strip_begin_ = 0;
  std::size_t strip_end_ = 0;
  RowTaps rows_[kLanes] = {};
  alignas(64) float sums_[kLanes * kChunkFloats];
  alignas(64) float values_[kLanes * kLanes * kChannels];
};

template <std::uint32_t kChannels, std::uint32_t kPlanes, bool kIsInterleaved>
HWY_ATTR void filter_all(const FilterPass& pass, const FilterTable& table, const WarpJob& job,
                         const Frame& frame, const Lines& lines) {
  const SlotSink<kChannels, kPlanes, kIsInterleaved> sink(job, frame, lines);
  StripFilter<SlotSink<kChannels, kPlanes, kIsInterleaved>> filter(pass, table, sink);
  filter.run(job.slot);
}

HWY_ATTR void filter_into_slot_of(const FilterPass& pass, const FilterTable& table,
                                  const WarpJob& job, const Frame& frame, const Lines& lines) {
  for_shape(job, frame, [&]<class Shape>(Shape) {
    filter_all<Shape::kChannels, Shape::kPlanes, Shape::kIsInterleaved>(pass, table, job, frame,
                                                                        lines);
  });
}

template <std::uint32_t kPlanes>
HWY_ATTR void filter_bytes(const FilterPass& pass, const FilterTable& table, const SampleSlot& slot,
                           std::uint8_t* pixels_hwc) {
  const ByteSink<kPlanes> sink(pixels_hwc, pass.num_pixels);
  StripFilter<ByteSink<kPlanes>> filter(pass, table, sink);
  filter.run(slot);
}

HWY_ATTR void filter_into_bytes_of(const FilterPass& pass, const FilterTable& table,
                                   const SampleSlot& slot, std::uint8_t* pixels_hwc) {
  if (pass.image.channels == 1) return filter_bytes<1>(pass, table, slot, pixels_hwc);
  filter_bytes<3>(pass, table, slot, pixels_hwc);
}

bool has_filter_rows_of(const ImageView& image, std::uint32_t channels) {
  return image.pixel_stride_bytes == image.channels &&
         (image.channels == 1 || (image.channels == 3 && channels == 3)) &&
         std::size_t{image.width_px} * image.channels >= kGroupBytes;
}

#else

// No vectors to cut in blocks: x86 before SSSE3.
bool has_filter_rows_of(const ImageView&, std::uint32_t) {
  return false;
}
void filter_into_slot_of(const FilterPass&, const FilterTable&, const WarpJob&, const Frame&,
                         const Lines&) {}
void filter_into_bytes_of(const FilterPass&, const FilterTable&, const SampleSlot&, std::uint8_t*) {
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::augment {

HWY_EXPORT(has_filter_rows_of);
HWY_EXPORT(filter_into_slot_of);
HWY_EXPORT(filter_into_bytes_of);

bool has_filter_rows(const ImageView& image, std::uint32_t channels) noexcept {
  return HWY_DYNAMIC_DISPATCH(has_filter_rows_of)(image, channels);
}

void filter_into_slot(const FilterPass& pass, const FilterTable& table, const WarpJob& job,
                      const Frame& frame, const Lines& lines) noexcept {
  HWY_DYNAMIC_DISPATCH(filter_into_slot_of)(pass, table, job, frame, lines);
}

void filter_into_bytes(const FilterPass& pass, const FilterTable& table, const SampleSlot& slot,
                       std::uint8_t* pixels_hwc) noexcept {
  HWY_DYNAMIC_DISPATCH(filter_into_bytes_of)(pass, table, slot, pixels_hwc);
}

}  // namespace penstock::augment
#endif
