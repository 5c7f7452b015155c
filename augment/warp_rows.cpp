#include "augment/warp_rows.h"

#include <algorithm>
#include <cstdint>

// A sampler holds vectors, and those without a fixed size cannot be members.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/warp_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using DInt = hn::Rebind<std::int32_t, D>;
using DByte = hn::Rebind<std::uint8_t, D>;
using V = hn::Vec<D>;
using VInt = hn::Vec<DInt>;

/// The operations of warp_frame.h. Not MulAdd: one rounding less would be other bytes.
HWY_ATTR inline V blend_of(V a, V b, V weight) {
  return hn::Add(a, hn::Mul(weight, hn::Sub(b, a)));
}

struct ScaleVectors {
  V gain;
  V bias;
};

HWY_ATTR inline V normalise_of(V value, const ScaleVectors& scale) {
  return hn::Add(hn::Mul(value, scale.gain), scale.bias);
}

HWY_ATTR inline V to_float(hn::Vec<DByte> bytes) {
  return hn::ConvertTo(D(), hn::PromoteTo(DInt(), bytes));
}

/// blend_of() of bytes. Their difference is exact in whole numbers as in floats, and cheaper there.
HWY_ATTR inline V blend_of(hn::Vec<DByte> a, hn::Vec<DByte> b, V weight) {
  const VInt first = hn::PromoteTo(DInt(), a);
  const VInt step = hn::Sub(hn::PromoteTo(DInt(), b), first);
  return hn::Add(hn::ConvertTo(D(), first), hn::Mul(weight, hn::ConvertTo(D(), step)));
}

/// values[idx] of two vectors side by side; `idx` counts from 0 and wraps at their end.
HWY_ATTR inline V look_up(V low, V high, VInt idx) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  return V{_mm512_permutex2var_ps(low.raw, idx.raw, high.raw)};
#else
  const D d;
  const DInt d_int;
  const auto lanes = static_cast<std::int32_t>(hn::Lanes(d));
  const auto places = hn::IndicesFromVec(d, hn::And(idx, hn::Set(d_int, lanes - 1)));
  const auto is_high = hn::Ne(hn::And(idx, hn::Set(d_int, lanes)), hn::Zero(d_int));
  return hn::IfThenElse(hn::RebindMask(d, is_high), hn::TableLookupLanes(high, places),
                        hn::TableLookupLanes(low, places));
#endif
}

/// `near`, and where `is_far` values[idx], counted from 0 and wrapping.
HWY_ATTR inline V look_up_far(V near, hn::Mask<D> is_far, V values, VInt idx) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  return V{_mm512_mask_permutexvar_ps(near.raw, is_far.raw, idx.raw, values.raw)};
#else
  const D d;
  const DInt d_int;
  const auto lanes = static_cast<std::int32_t>(hn::Lanes(d));
  const auto places = hn::IndicesFromVec(d, hn::And(idx, hn::Set(d_int, lanes - 1)));
  return hn::IfThenElse(is_far, hn::TableLookupLanes(values, places), near);
#endif
}

/// Source pixels, three channels or one, as floats.
template <std::uint32_t kPlanes>
struct Pixels {
  V plane[kPlanes];
};

template <std::uint32_t kPlanes>
HWY_ATTR inline Pixels<kPlanes> load_pixels(const std::uint8_t* bytes) {
  const DByte d;
  Pixels<kPlanes> pixels;
  if constexpr (kPlanes == 1) {
    pixels.plane[0] = to_float(hn::LoadU(d, bytes));
  } else {
    hn::Vec<DByte> r, g, b;
    hn::LoadInterleaved3(d, bytes, r, g, b);
    pixels.plane[0] = to_float(r);
    pixels.plane[1] = to_float(g);
    pixels.plane[2] = to_float(b);
  }
  return pixels;
}

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
/// Sixteen pixels of three channels, channel beside channel, as a plane each.
HWY_ATTR inline Pixels<3> split_channels(const V* mixed) {
  // Value 3 i + p of 48 is channel p of pixel i; the last eleven or ten lie in the third vector.
  alignas(64) static constexpr std::int32_t kFromTwo[3][16] = {
      {0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0},
      {1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0},
      {2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0}};
  alignas(64) static constexpr std::int32_t kFromThird[3][16] = {
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29},
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30},
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31}};
  const DInt d;
  Pixels<3> pixels;
  for (std::uint32_t p = 0; p < 3; ++p) {
    const V two = look_up(mixed[0], mixed[1], hn::Load(d, kFromTwo[p]));
    pixels.plane[p] = look_up(two, mixed[2], hn::Load(d, kFromThird[p]));
  }
  return pixels;
}
#endif

/// The pixels of two rows, blended.
template <std::uint32_t kPlanes>
HWY_ATTR inline Pixels<kPlanes> blend_pixels(const std::uint8_t* top, const std::uint8_t* bottom,
                                             V weight) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  // Taking the channels apart after the blend is half the shuffles, and wider ones.
  if constexpr (kPlanes == 3) {
    const DByte d;
    V mixed[3];
    for (std::uint32_t i = 0; i < 3; ++i) {
      mixed[i] = blend_of(hn::LoadU(d, top + 16 * i), hn::LoadU(d, bottom + 16 * i), weight);
    }
    return split_channels(mixed);
  }
#endif
  const Pixels<kPlanes> a = load_pixels<kPlanes>(top);
  const Pixels<kPlanes> b = load_pixels<kPlanes>(bottom);
  Pixels<kPlanes> result;
  for (std::uint32_t p = 0; p < kPlanes; ++p) {
    result.plane[p] = blend_of(a.plane[p], b.plane[p], weight);
  }
  return result;
}

/// Calls block(i) for vectors of [0, count), the last one moved back so that it ends with the
/// range, or rest(i) one by one where not even one vector fits.
template <class Block, class Rest>
HWY_ATTR inline void for_vectors(std::size_t count, const Block& block, const Rest& rest) {
  const std::size_t lanes = hn::Lanes(D());
  if (count < lanes) {
    for (std::size_t i = 0; i < count; ++i) rest(i);
    return;
  }
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) block(i);
  if (i < count) block(count - lanes);
}

/// How a row is written: planes side by side or channels interleaved.
template <std::uint32_t kChannels, bool kIsInterleaved>
struct Output {
  float* row;
  std::size_t plane;

  float* at(std::size_t pixel, std::uint32_t channel) const {
    return kIsInterleaved ? row + pixel * kChannels + channel : row + channel * plane + pixel;
  }

  HWY_INLINE HWY_ATTR void store(const V* channels, std::size_t pixel) const {
    const D d;
    if constexpr (kIsInterleaved && kChannels == 3) {
      hn::StoreInterleaved3(channels[0], channels[1], channels[2], d, at(pixel, 0));
    } else {
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        hn::StoreU(channels[c], d, at(pixel, c));
      }
    }
  }
};

/// One job, with all that is the same for its rows.
template <std::uint32_t kChannels, std::uint32_t kPlanes, bool kIsInterleaved>
class RowSampler {
 public:
  HWY_ATTR RowSampler(const WarpJob& job, const Frame& frame, const ColumnTable& table)
      : job_(job), frame_(frame), table_(table), image_(job.decoded.image) {
    const D d;
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      scales_[c] = {hn::Set(d, job.channels[c].gain), hn::Set(d, job.channels[c].bias)};
    }
  }

  /// Fills output row `row_idx` from two source rows.
  HWY_ATTR void sample(std::uint32_t row_idx, const Neighbours& row) const {
    const Output<kChannels, kIsInterleaved> out{frame_.row(row_idx), frame_.plane};
    fill(out, 0, table_.begin);
    fill(out, table_.end, frame_.width);
    if (table_.begin == table_.end) return;
    if (table_.is_copy && row.weight == 0) {
      copy(out, source(row.first));
    } else {
      blend_rows(row);
      pick_columns(out);
    }
  }

  HWY_ATTR void fill_row(std::uint32_t row_idx) const {
    fill({frame_.row(row_idx), frame_.plane}, 0, frame_.width);
  }

 private:
  using Out = Output<kChannels, kIsInterleaved>;
  static constexpr std::uint32_t kStep = kPlanes == 1 ? 0 : 1;  // gray serves for all

  const std::uint8_t* source(std::uint32_t row_px) const {
    return image_.row(row_px) + std::size_t{table_.first_px} * kPlanes;
  }

  HWY_ATTR void fill(const Out& out, std::uint32_t begin, std::uint32_t end) const {
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      for (std::uint32_t i = begin; i < end; ++i) *out.at(i, c) = job_.channels[c].fill;
    }
  }

  /// Whole pixels: what blending with weight 0 gives is the pixel itself.
  HWY_ATTR void copy(const Out& out, const std::uint8_t* bytes) const {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t count = table_.num_px;
    const auto place = [&](std::size_t i, std::size_t length) {
      return table_.begin + (table_.is_reversed ? count - length - i : i);
    };
    for_vectors(
        count,
        [&](std::size_t i) HWY_ATTR {
          const Pixels<kPlanes> pixels = load_pixels<kPlanes>(bytes + i * kPlanes);
          V values[kChannels];
          for (std::uint32_t c = 0; c < kChannels; ++c) {
            const V value = normalise_of(pixels.plane[c * kStep], scales_[c]);
            values[c] = table_.is_reversed ? hn::Reverse(d, value) : value;
          }
          out.store(values, place(i, lanes));
        },
        [&](std::size_t i) HWY_ATTR {
          for (std::uint32_t c = 0; c < kChannels; ++c) {
            *out.at(place(i, 1), c) = normalise(bytes[i * kPlanes + c * kStep], job_.channels[c]);
          }
        });
  }

  /// Every store is a whole vector on its own alignment, and so is every load of pick_vector(): a
  /// load that needs parts of two stores waits until both have left the core, behind the stores to
  /// the batch, and has been seen to hang for milliseconds (AMD Zen 4).
  HWY_ATTR void blend_rows(const Neighbours& row) const {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t count = table_.num_px;
    const std::uint8_t* const top = source(row.first);
    const std::uint8_t* const bottom = source(row.second);
    const V weight = hn::Set(d, row.weight);
    const auto blend_at = [&](std::size_t i) HWY_ATTR {
      return blend_pixels<kPlanes>(top + i * kPlanes, bottom + i * kPlanes, weight);
    };
    if (count < lanes) return blend_few(row);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
      const Pixels<kPlanes> pixels = blend_at(i);
      for (std::uint32_t p = 0; p < kPlanes; ++p) hn::Store(pixels.plane[p], d, values(p) + i);
    }
    if (i == count) return;
    // The last pixels are the upper lanes of a vector that ends with the row.
    const DInt d_int;
    const auto num_lanes = static_cast<std::int32_t>(lanes);
    const auto num_rest = static_cast<std::int32_t>(count - i);
    const VInt moved =
        hn::And(hn::Iota(d_int, num_lanes - num_rest), hn::Set(d_int, num_lanes - 1));
    const auto places = hn::IndicesFromVec(d, moved);
    const Pixels<kPlanes> pixels = blend_at(count - lanes);
    for (std::uint32_t p = 0; p < kPlanes; ++p) {
      hn::Store(hn::TableLookupLanes(pixels.plane[p], places), d, values(p) + i);
    }
  }

  /// Less than a vector.
  void blend_few(const Neighbours& row) const {
    const std::uint8_t* const top = source(row.first);
    const std::uint8_t* const bottom = source(row.second);
    for (std::size_t i = 0; i < table_.num_px; ++i) {
      for (std::uint32_t p = 0; p < kPlanes; ++p) {
        values(p)[i] = blend(top[i * kPlanes + p], bottom[i * kPlanes + p], row.weight);
      }
    }
  }

  HWY_ATTR void pick_columns(const Out& out) const {
    const std::uint32_t begin = table_.begin;
    if (table_.num_px < hn::Lanes(D())) {  // stored one by one, so loaded one by one
      for (std::size_t i = begin; i < table_.end; ++i) pick_pixel(out, i);
      return;
    }
    for_vectors(
        table_.end - begin, [&](std::size_t i) HWY_ATTR { pick_vector(out, begin + i); },
        [&](std::size_t i) HWY_ATTR { pick_pixel(out, begin + i); });
  }

  void pick_pixel(const Out& out, std::size_t at) const {
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      const float* const row = values(c * kStep);
      *out.at(at, c) = normalise(
          blend(row[table_.left[at]], row[table_.right[at]], table_.weight[at]), job_.channels[c]);
    }
  }

  /// The pixels of one vector from the two or four vectors of the row that hold their neighbours.
  HWY_INLINE HWY_ATTR void pick_vector(const Out& out, std::size_t at) const {
    const D d;
    const DInt d_int;
    const auto lanes = static_cast<std::int32_t>(hn::Lanes(d));
    const std::size_t last = at + hn::Lanes(d) - 1;
    const std::int32_t base = std::min(table_.left[at], table_.left[last]) & -lanes;
    const std::int32_t span = std::max(table_.right[at], table_.right[last]) - base + 1;
    if (span > 4 * lanes) {
      for (std::size_t i = at; i <= last; ++i) pick_pixel(out, i);
      return;
    }
    const V weight = hn::LoadU(d, table_.weight.data() + at);
    const VInt from = hn::Set(d_int, base);
    const VInt left = hn::Sub(hn::LoadU(d_int, table_.left.data() + at), from);
    const VInt right = hn::Sub(hn::LoadU(d_int, table_.right.data() + at), from);
    V results[kChannels];
    if (span <= 2 * lanes) {
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        const float* const row = values(c * kStep) + base;
        const V low = hn::Load(d, row);
        const V high = hn::Load(d, row + lanes);
        results[c] = normalise_of(
            blend_of(look_up(low, high, left), look_up(low, high, right), weight), scales_[c]);
      }
    } else if (span <= 3 * lanes) {
      const auto is_far_left = hn::RebindMask(d, hn::Gt(left, hn::Set(d_int, 2 * lanes - 1)));
      const auto is_far_right = hn::RebindMask(d, hn::Gt(right, hn::Set(d_int, 2 * lanes - 1)));
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        const float* const row = values(c * kStep) + base;
        const V v0 = hn::Load(d, row);
        const V v1 = hn::Load(d, row + lanes);
        const V v2 = hn::Load(d, row + 2 * lanes);
        const V a = look_up_far(look_up(v0, v1, left), is_far_left, v2, left);
        const V b = look_up_far(look_up(v0, v1, right), is_far_right, v2, right);
        results[c] = normalise_of(blend_of(a, b, weight), scales_[c]);
      }
    } else {
      const auto is_far_left = hn::RebindMask(d, hn::Gt(left, hn::Set(d_int, 2 * lanes - 1)));
      const auto is_far_right = hn::RebindMask(d, hn::Gt(right, hn::Set(d_int, 2 * lanes - 1)));
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        const float* const row = values(c * kStep) + base;
        const V v0 = hn::Load(d, row);
        const V v1 = hn::Load(d, row + lanes);
        const V v2 = hn::Load(d, row + 2 * lanes);
        const V v3 = hn::Load(d, row + 3 * lanes);
        const V a = hn::IfThenElse(is_far_left, look_up(v2, v3, left), look_up(v0, v1, left));
        const V b = hn::IfThenElse(is_far_right, look_up(v2, v3, right), look_up(v0, v1, right));
        results[c] = normalise_of(blend_of(a, b, weight), scales_[c]);
      }
    }
    out.store(results, at);
  }

  float* values(std::uint32_t plane) const { return table_.values + plane * table_.plane_stride; }

  const WarpJob& job_;
  const Frame& frame_;
  const ColumnTable& table_;
  const ImageView& image_;
  ScaleVectors scales_[kChannels];
};

template <std::uint32_t kChannels, std::uint32_t kPlanes, bool kIsInterleaved>
HWY_ATTR void sample_all(const WarpJob& job, const Frame& frame, const Lines& lines,
                         const ColumnTable& table) {
  const RowSampler<kChannels, kPlanes, kIsInterleaved> sampler(job, frame, table);
  for (std::uint32_t row_idx = 0; row_idx < lines.num_lines; ++row_idx) {
    if (job.slot.is_abandoned()) return;
    const Neighbours row = find_neighbours(lines.row_factor * row_idx + job.map.y0, frame.y);
    if (!frame.shows(row)) {
      sampler.fill_row(row_idx);
    } else {
      sampler.sample(row_idx, row);
    }
  }
}

HWY_ATTR void sample_rows_of(const WarpJob& job, const Frame& frame, const Lines& lines,
                             const ColumnTable& table) {
  const bool is_gray = frame.source_channel == 0;
  const bool is_interleaved = job.slot.spec->layout == PixelLayout::kNhwc;
  if (job.slot.spec->channels == 1) return sample_all<1, 1, false>(job, frame, lines, table);
  if (is_interleaved && is_gray) return sample_all<3, 1, true>(job, frame, lines, table);
  if (is_interleaved) return sample_all<3, 3, true>(job, frame, lines, table);
  if (is_gray) return sample_all<3, 1, false>(job, frame, lines, table);
  sample_all<3, 3, false>(job, frame, lines, table);
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "augment/warp_columns.h"

namespace penstock::augment {

HWY_EXPORT(sample_rows_of);

void sample_rows(const WarpJob& job, const Frame& frame, const Lines& lines,
                 const ColumnTable& table) noexcept {
  const ImageView& image = job.decoded.image;
  // Vectors of bytes want pixels side by side.
  if (image.pixel_stride_bytes != image.channels || (image.channels != 1 && image.channels != 3)) {
    return sample_columns(job, frame, lines, table);
  }
  HWY_DYNAMIC_DISPATCH(sample_rows_of)(job, frame, lines, table);
}

}  // namespace penstock::augment
#endif
