// The vector operations of tails with hue, included behind <hwy/highway.h>, once for each of Highway's
// targets. They do what fixed_tail.h does.
#if defined(PENSTOCK_AUGMENT_FIXED_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_AUGMENT_FIXED_VECTORS_INL_H_
#undef PENSTOCK_AUGMENT_FIXED_VECTORS_INL_H_
#else
#define PENSTOCK_AUGMENT_FIXED_VECTORS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "augment/colour/fixed_tail.h"
#include "augment/warp/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::augment {
namespace HWY_NAMESPACE {

using DFixed = hn::ScalableTag<std::int16_t>;
using VFixed = hn::Vec<DFixed>;
using DHalfFixed = hn::Rebind<std::int16_t, D>;  // as many as of floats

struct FixedVectors {
  VFixed red, green, blue;
};

/// fixed_of() of some values.
HWY_INLINE HWY_ATTR void store_fixed(V level, std::int16_t* to) {
  const D d;
  const V held = hn::Min(hn::Max(level, hn::Zero(d)), hn::Set(d, 255.0f));
  const V whole = hn::Add(hn::Mul(held, hn::Set(d, kFixedPerLevel)), hn::Set(d, 0x1p23f));
  const hn::Rebind<std::uint16_t, D> d_half;
  const auto bits = hn::TruncateTo(d_half, hn::BitCast(hn::Rebind<std::uint32_t, D>(), whole));
  hn::StoreU(hn::BitCast(DHalfFixed(), bits), DHalfFixed(), to);
}

HWY_INLINE HWY_ATTR V load_fixed(const std::int16_t* from) {
  return hn::ConvertTo(D(), hn::PromoteTo(DInt(), hn::LoadU(DHalfFixed(), from)));
}

HWY_INLINE HWY_ATTR FixedVectors mix_fixed_of(const FixedVectors& rgb, const FixedTail& tail) {
  const DFixed d;
  const auto product = [&](VFixed value, std::int16_t factor)
                           HWY_ATTR { return hn::MulFixedPoint15(value, hn::Set(d, factor)); };
  const VFixed red_green =
      hn::Add(product(rgb.red, tail.shared[0]), product(rgb.green, tail.shared[1]));
  const VFixed sum =
      hn::Add(hn::Add(red_green, product(rgb.blue, tail.shared[2])), hn::Set(d, tail.offset));
  const VFixed white = hn::Set(d, static_cast<std::int16_t>(kFixedWhite >> tail.shift));
  const auto channel = [&](VFixed value) HWY_ATTR {
    const VFixed mixed = hn::Add(product(value, tail.own), sum);
    return hn::ShiftLeftSame(hn::Min(hn::Max(mixed, hn::Zero(d)), white), tail.shift);
  };
  return {channel(rgb.red), channel(rgb.green), channel(rgb.blue)};
}

HWY_INLINE HWY_ATTR FixedVectors turn_fixed_of(const FixedVectors& rgb, std::int16_t share) {
  const auto& [red, green, blue] = rgb;
  const VFixed largest = hn::Max(hn::Max(red, green), blue);
  const VFixed smallest = hn::Min(hn::Min(red, green), blue);
  const VFixed part = hn::MulFixedPoint15(hn::Sub(largest, smallest), hn::Set(DFixed(), share));
  const VFixed above = hn::Add(smallest, part);
  const VFixed below = hn::Sub(largest, part);
  const auto channel = [&](VFixed value, VFixed next, VFixed last) HWY_ATTR {
    const VFixed from = hn::IfThenElse(hn::Gt(last, next), above, below);
    // Up to 510 levels, of which 256 go into 16 bits.
    const VFixed turned = hn::SaturatedAdd(hn::Sub(value, next), from);
    return hn::Min(hn::Max(turned, smallest), largest);
  };
  return {channel(red, green, blue), channel(green, blue, red), channel(blue, red, green)};
}

/// Lines of one channel each.
struct FixedLines {
  std::int16_t* line[3];
};
struct ConstFixedLines {
  const std::int16_t* line[3];
};

/// mix_fixed() and turn_fixed() of whole vectors, from lines in the order of `source` into lines in that
/// of `target`; each of the latter may be one of the former.
template <bool kMixes>
HWY_ATTR inline void turn_lines(const ConstFixedLines& from, const FixedLines& to,
                                std::size_t num_values, const FixedTail& given) {
  const DFixed d;
  // A copy: a store of a vector may change anything in memory, for all that g++ knows.
  const FixedTail tail = given;
  for (std::size_t i = 0; i < num_values; i += hn::Lanes(d)) {
    FixedVectors rgb = {hn::LoadU(d, from.line[0] + i), hn::LoadU(d, from.line[1] + i),
                        hn::LoadU(d, from.line[2] + i)};
    if constexpr (kMixes) rgb = mix_fixed_of(rgb, tail);
    rgb = turn_fixed_of(rgb, tail.share);
    hn::StoreU(rgb.red, d, to.line[0] + i);
    hn::StoreU(rgb.green, d, to.line[1] + i);
    hn::StoreU(rgb.blue, d, to.line[2] + i);
  }
}

/// finished_fixed() of whole vectors of lines, in place or into others.
HWY_ATTR inline void finish_fixed_lines(const ConstFixedLines& in, std::size_t num_values,
                                        const FixedTail& tail, const FixedLines& out) {
  ConstFixedLines from{};
  FixedLines to{};
  for (std::size_t c = 0; c < 3; ++c) {
    from.line[c] = in.line[tail.hue.source[c]];
    to.line[c] = out.line[tail.hue.target[c]];
  }
  if (tail.has_mix) return turn_lines<true>(from, to, num_values, tail);
  turn_lines<false>(from, to, num_values, tail);
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::augment
HWY_AFTER_NAMESPACE();

#endif
