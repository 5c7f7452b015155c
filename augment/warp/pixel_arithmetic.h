// How the values of a slot are made of bytes, for every element type: what all ways through the pixels
// do one by one or in vectors.
#pragma once

#include <cstdint>

#include "augment/channel_scale.h"
#include "augment/element_bits.h"
#include "augment/warp/fixed_point.h"
#include "augment/warp/warp_frame.h"

namespace penstock::augment {

/// In float32, normalised, then rounded to elements: `Element` has their type T and of(float).
template <class Element>
struct FloatPixels {
  using Stored = typename Element::T;
  using Value = float;
  using Weight = float;

  static float row_weight(float weight) noexcept { return weight; }
  static float column_weight(float weight) noexcept { return weight; }
  static float down(std::uint8_t top, std::uint8_t bottom, float weight) noexcept {
    return blend(top, bottom, weight);
  }
  static Stored across(float left, float right, float weight, const ChannelScale& scale) noexcept {
    return Element::of(normalise(blend(left, right, weight), scale));
  }
  static Stored fill(const ChannelScale& scale) noexcept { return Element::of(scale.fill); }
};

/// In whole numbers, fixed_point.h: bytes, which are not normalised.
struct FixedPixels {
  using Stored = std::uint8_t;
  using Value = std::int16_t;
  using Weight = std::int16_t;

  static Weight row_weight(float weight) noexcept { return fixed_row_weight(weight); }
  static Weight column_weight(float weight) noexcept { return fixed_column_weight(weight); }
  static Value down(std::uint8_t top, std::uint8_t bottom, Weight weight) noexcept {
    return blend_bytes(top, bottom, weight);
  }
  static Stored across(Value left, Value right, Weight weight, const ChannelScale&) noexcept {
    return blend_to_byte(left, right, weight);
  }
  static Stored fill(const ChannelScale& scale) noexcept { return uint8_bits(scale.fill); }
};

/// Whether the job's bytes are blended in whole numbers.
inline bool is_fixed_point(const WarpJob& job) noexcept {
  return job.slot.spec->element == ElementType::kUint8 && !job.map.is_turned();
}

/// Calls sample() with the job's arithmetic.
template <class Sample>
void for_arithmetic(const WarpJob& job, const Sample& sample) {
  switch (job.slot.spec->element) {
    case ElementType::kUint8:
      if (is_fixed_point(job)) return sample(FixedPixels{});
      return sample(FloatPixels<Element<ElementType::kUint8>>{});
    case ElementType::kFloat16:
      return sample(FloatPixels<Element<ElementType::kFloat16>>{});
    case ElementType::kBfloat16:
      return sample(FloatPixels<Element<ElementType::kBfloat16>>{});
    case ElementType::kFloat32:
      return sample(FloatPixels<Element<ElementType::kFloat32>>{});
  }
}

template <std::uint32_t kChannels, class Arithmetic>
void fill_pixel(const WarpJob& job, const Frame& frame, Arithmetic,
                typename Arithmetic::Stored* out) noexcept {
  for (std::uint32_t c = 0; c < kChannels; ++c) {
    out[c * frame.plane] = Arithmetic::fill(job.channels[c]);
  }
}

}  // namespace penstock::augment
