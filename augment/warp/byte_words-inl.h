// Units of bytes by permutes of 16-bit values, where vectors of 512 bits have them. Included behind
// <hwy/highway.h>, once for each of Highway's targets.
#if defined(PENSTOCK_AUGMENT_BYTE_WORDS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_BYTE_WORDS_INL_H_
#undef PENSTOCK_AUGMENT_BYTE_WORDS_INL_H_
#else
#define PENSTOCK_AUGMENT_BYTE_WORDS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "augment/warp/byte_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL

using DWords = hn::FixedTag<std::int16_t, 32>;
using VWords = hn::Vec<DWords>;

/// values[idx] of two vectors side by side.
HWY_INLINE HWY_ATTR VWords look_up_words(VWords low, VWords high, VWords idx) {
  return VWords{_mm512_permutex2var_epi16(low.raw, idx.raw, high.raw)};
}

/// blend_bytes() of a vector of bytes.
HWY_INLINE HWY_ATTR VWords blend_words(const std::uint8_t* top, const std::uint8_t* bottom,
                                       VWords row_weight) {
  const DWords d;
  const hn::Rebind<std::uint8_t, DWords> d_byte;
  const VWords a = hn::PromoteTo(d, hn::LoadU(d_byte, top));
  const VWords b = hn::PromoteTo(d, hn::LoadU(d_byte, bottom));
  const VWords apart = hn::ShiftLeft<kValueBits>(hn::Sub(b, a));
  return hn::Add(hn::ShiftLeft<kValueBits>(a), hn::MulFixedPoint15(apart, row_weight));
}

/// The same of 32 pixels of three channels, to a plane each.
HWY_INLINE HWY_ATTR void blend_to_planes(const std::uint8_t* top, const std::uint8_t* bottom,
                                         VWords row_weight, std::int16_t* to, std::size_t plane) {
  // Value 3 i + p of 96 is channel p of pixel i.
  struct Places {
    constexpr Places() {
      for (std::int16_t p = 0; p < 3; ++p) {
        for (std::int16_t i = 0; i < 32; ++i) {
          const auto value = static_cast<std::int16_t>(3 * i + p);
          two[p][i] = value < 64 ? value : 0;
          third[p][i] = static_cast<std::int16_t>(value < 64 ? i : value - 32);
        }
      }
    }
    alignas(64) std::int16_t two[3][32] = {};
    alignas(64) std::int16_t third[3][32] = {};
  };
  static constexpr Places kPlaces;
  const DWords d;
  const VWords v0 = blend_words(top, bottom, row_weight);
  const VWords v1 = blend_words(top + 32, bottom + 32, row_weight);
  const VWords v2 = blend_words(top + 64, bottom + 64, row_weight);
  for (std::uint32_t p = 0; p < 3; ++p) {
    const VWords two = look_up_words(v0, v1, hn::Load(d, kPlaces.two[p]));
    hn::StoreU(look_up_words(two, v2, hn::Load(d, kPlaces.third[p])), d, to + p * plane);
  }
}

/// A job's rows as planes of values, of which a unit takes those of one window or two.
template <std::uint32_t kPlanes>
class WordUnits {
 public:
  explicit WordUnits(const ColumnTable& columns)
      : num_px_(columns.num_px), plane_(2 * columns.plane_stride) {}

  /// False where there is no table.
  bool make(const ColumnTable& columns) {
    return make_word_table(columns, columns.pick_place, table_);
  }
  std::uint32_t num_units() const { return table_.num_units; }

  HWY_ATTR void blend_rows(const std::uint8_t* top, const std::uint8_t* bottom,
                           std::int16_t row_weight, std::int16_t* to) const {
    constexpr std::uint32_t kLanes = 32;
    if constexpr (kPlanes == 1) {
      blend_rows_of(top, bottom, num_px_, row_weight, to);
    } else if (num_px_ < kLanes) {
      for (std::size_t i = 0; i < std::size_t{num_px_} * kPlanes; ++i) {
        to[i % kPlanes * plane_ + i / kPlanes] = blend_bytes(top[i], bottom[i], row_weight);
      }
    } else {
      const VWords weight = hn::Set(DWords(), row_weight);
      for (std::uint32_t i = 0; i < num_px_; i += kLanes) {
        const std::size_t from = std::min(i, num_px_ - kLanes);  // the last ends with the row
        blend_to_planes(top + from * kPlanes, bottom + from * kPlanes, weight, to + from, plane_);
      }
    }
    for (std::uint32_t p = 0; p < kPlanes; ++p) repeat_behind(to + p * plane_, num_px_, 1);
  }

  HWY_INLINE HWY_ATTR UnitBytes unit(const std::int16_t* values, std::uint32_t idx) const {
    const DWords d;
    const VWords left = hn::Load(d, table_.left + std::size_t{idx} * kLanes);
    const VWords weight = hn::Load(d, table_.weights + std::size_t{idx} * kLanes);
    const std::uint32_t first = table_.windows[2 * idx];
    const std::uint32_t second = table_.windows[2 * idx + 1];
    if (first == second) {
      const auto one = [&](std::uint32_t p) HWY_ATTR {
        return bytes_of(window(values + p * plane_ + first, left), weight);
      };
      return all_planes(one);
    }
    const auto two = [&](std::uint32_t p) HWY_ATTR {
      const Pairs lower = window(values + p * plane_ + first, left);
      const Pairs upper = window(values + p * plane_ + second, left);
      return bytes_of({halves(lower.left, upper.left), halves(lower.right, upper.right)}, weight);
    };
    return all_planes(two);
  }

 private:
  static constexpr std::uint32_t kLanes = WordTable::kUnitPx;

  struct Pairs {
    VWords left;
    VWords right;
  };

  static HWY_INLINE HWY_ATTR Pairs window(const std::int16_t* values, VWords left) {
    const DWords d;
    const VWords low = hn::LoadU(d, values);
    const VWords high = hn::LoadU(d, values + kLanes);
    return {look_up_words(low, high, left), look_up_words(low, high, hn::Add(left, hn::Set(d, 1)))};
  }

  /// The lower half of the first, the upper of the second.
  static HWY_INLINE HWY_ATTR VWords halves(VWords first, VWords second) {
    return VWords{_mm512_mask_blend_epi64(0xF0, first.raw, second.raw)};
  }

  /// blend_to_byte(): with a weight below 1, the same as of pairs.
  static HWY_INLINE HWY_ATTR VBytes bytes_of(const Pairs& pairs, VWords weight) {
    const DWords d;
    const VWords value =
        hn::Add(pairs.left, hn::MulFixedPoint15(hn::Sub(pairs.right, pairs.left), weight));
    const VWords is_odd = hn::And(hn::ShiftRight<kValueBits>(value), hn::Set(d, 1));
    const VWords below_half = hn::Set(d, (1 << (kValueBits - 1)) - 1);
    const VWords whole = hn::ShiftRight<kValueBits>(hn::Add(value, hn::Add(below_half, is_odd)));
    return VBytes{_mm512_cvtepi16_epi8(whole.raw)};
  }

  template <class Plane>
  static HWY_INLINE HWY_ATTR UnitBytes all_planes(const Plane& plane) {
    const VBytes first = plane(0);
    if constexpr (kPlanes == 1) return {first, first, first};
    return {first, plane(1), plane(2)};
  }

  WordTable table_;
  std::uint32_t num_px_;
  std::size_t plane_;
};

#endif

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
