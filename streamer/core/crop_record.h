// What a place of BatchSpec::crop_bytes holds: a decoded crop, and what a device makes of it.
// Knows who writes it as little as who reads it: plain numbers, for any compiler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "streamer/core/image_view.h"

namespace penstock {

/// What is seen beside the picture, in the order of augment's FillMode.
enum class CropFill : std::uint32_t { kNearest, kConstant, kReflect, kWrap };

/// One axis of the picture at the scale at which it was decoded.
struct CropAxis {
  double extent = 1;         // the picture's length in decoded pixels: 10.125 where 11 are stored
  double last = 0;           // centre of its last pixel
  std::int64_t step = 0;     // between output columns, in 2^-32 pixel: with CropRecord::is_stepped
  std::uint32_t begin = 0;   // first pixel of the crop
  std::uint32_t length = 0;  // pixels of the crop
};

/// One channel of a finished pixel: what the three of the sampled one, 0 to 255, are multiplied by and added to,
/// then held within the limits.
struct CropMix {
  float gains[3] = {};
  float offset = 0;
  float lowest = 0;
  float highest = 255;
  /// Added to `offset`: these times the means of the sampled picture's channels, of CropRecord::needs_means.
  float of_means[3] = {};
};

/// A place begins with it, and behind it lie the crop's pixels, bytes [y.length, x.length, channels], rows top to
/// bottom. What is behind these is undefined. A place whose sample failed is zero, and so is what becomes of it.
///
///     sample   position = map(output pixel); the picture there, 0 to 255: CropAxis, fill, is_nearest
///     colour   with has_mix: mixes; else value * gain + bias
///     erase    the window's values are erased_value
///     mix      with a partner: own_share * value + other_share * the partner's, or the partner's in the box
///
/// Numbers are as on the machine that writes them; nothing of it is stored.
struct CropRecord {
  static constexpr std::uint32_t kPicture = 0x43524f50;

  std::uint32_t mark = 0;      // kPicture; 0: no picture
  std::uint32_t channels = 0;  // of the crop; 1 serves for all of the output's
  /// Output pixels -> pixels of the whole picture as decoded:
  /// (map[0] x + map[1] y + map[2], map[3] x + map[4] y + map[5]).
  double map[6] = {1, 0, 0, 0, 1, 0};
  CropAxis x{};
  CropAxis y{};
  CropFill fill = CropFill::kNearest;
  /// Value beside the picture with kConstant, 0 to 255.
  float fill_value = 0;
  std::uint32_t is_nearest = 0;  // takes one pixel, does not blend four
  /// Positions of a row are its first one, rounded to 2^-32 pixel, and steps, cut to 2^-24.
  std::uint32_t is_stepped = 0;
  std::uint32_t has_mix = 0;
  std::uint32_t needs_means = 0;
  CropMix mixes[3] = {};
  float gains[3] = {1, 1, 1};
  float biases[3] = {};
  RectPx erased{};  // of width 0: none
  float erased_value = 0;
  /// Places from this one to its partner's; 0: none.
  std::int32_t partner = 0;
  /// Whether the pixels of `box` are the partner's; otherwise all are mixed by shares.
  std::uint32_t is_boxed = 0;
  RectPx box{};  // may be empty
  float own_share = 1;
  float other_share = 0;
};
static_assert(std::is_trivially_copyable_v<CropRecord> && sizeof(CropRecord) == 328);  // no gaps

}  // namespace penstock
