// What a user can ask of the augmentation, with its presets.
// Knows no batch, no picture and no draw.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace penstock::augment {

/// What is seen where the map leaves the picture.
enum class FillMode : std::uint8_t {
  kNearest,   // the nearest pixel of the edge: aaaa|abcd|dddd
  kConstant,  // `cval`, without blending at the border
  kReflect,   // the picture mirrored at its edge: dcba|abcd|dcba
  kWrap,      // the picture again: abcd|abcd|abcd
};

/// Whether JPEGs are decoded at a half, a quarter or an eighth when the map shrinks them that much.
enum class DecodeScaling : std::uint8_t { kAuto, kOff };

/// Policies that draw operations from a table (augment_policy.h).
enum class AutoAugment : std::uint8_t {
  kNone,
  kTrivialAugmentWide,  // one operation of any strength (Mueller and Hutter 2021)
  kRandAugment,         // some operations of one strength (Cubuk et al. 2019)
};

/// How a value is made of the pixels around a position.
enum class Interpolation : std::uint8_t {
  kBilinear,           // the four around it: what shrinks more than twice skips pixels
  kNearest,            // the one that the position lies in
  kBilinearAntialias,  // a triangle as wide as an output pixel's reach: all that it covers
  kBicubic,            // the sixteen around it, Keys' cubic with a = -0.5, clamped to 0 to 255
};

/// A range from which a value is drawn evenly.
struct DrawRange {
  double lo = 1;
  double hi = 1;

  friend bool operator==(const DrawRange&, const DrawRange&) = default;
};

/// Settings of the augmentation. The defaults change no geometry and draw nothing.
struct AugmentConfig {
  /// Probability of mirroring left and right, 0 to 1.
  double horizontal_flip = 0;
  /// Probability of mirroring top and bottom, 0 to 1.
  double vertical_flip = 0;
  /// Columns move by U(-r, r): a fraction of the output's width below 1, else output pixels.
  /// 0 to 16384.
  double width_shift_range = 0;
  /// Rows move by U(-r, r): a fraction of the output's height below 1, else output pixels.
  /// 0 to 16384.
  double height_shift_range = 0;
  /// Zoom factors, drawn for each axis by itself; above 1 shows more of the scene. 0.01 to 100.
  DrawRange zoom_range{};
  /// Degrees of rotation about the centre: U(-r, r), 0 to 360.
  double rotation_range = 0;
  /// Degrees of shear about the centre: U(-s, s), 0 to 89.
  double shear_range = 0;
  /// Shows a random window of the upright picture, stretched to the output (torchvision's
  /// RandomResizedCrop): what the other operations leave lies within it.
  bool random_resized_crop = false;
  /// Share of the picture's area that the window has, 0.0001 to 1.
  DrawRange random_resized_crop_scale{.lo = 0.08, .hi = 1};
  /// Width of the window over its height, evenly drawn as a logarithm. 0.01 to 100.
  DrawRange random_resized_crop_ratio{.lo = 3.0 / 4, .hi = 4.0 / 3};
  /// Shows the largest centred window of the output's ratio (Keras' crop_to_aspect_ratio), or this share
  /// of its sides: 0.875 is a resize to 256 and a crop of 224. Random windows go before it; evaluation
  /// keeps it. 0 to 1; 0 is off.
  double center_crop = 0;
  /// Pads the picture, stretched to the output's sides, by so many output pixels on each side with
  /// what `fill_mode` says, and shows a random window of the output's sides. 0 to 16384; 0 is off.
  std::uint32_t random_crop_padding = 0;
  /// Added to all channels: U(-c, c) in units of the stored pixels, 0 to 255.
  double channel_shift_range = 0;
  /// Factors of brightness; 0 is black. 0 to 10.
  DrawRange brightness_range{};
  /// Factors of contrast about the mean of the picture's gray; 0 is that gray. 0 to 10.
  DrawRange contrast_range{};
  /// Factors of saturation about each pixel's gray; 0 is gray. 0 to 10.
  DrawRange saturation_range{};
  /// Turns of the colour wheel: U(-h, h), 0 to 0.5.
  double hue_range = 0;
  /// Probability of overwriting a random window of the finished sample (torchvision's RandomErasing),
  /// 0 to 1.
  double random_erasing = 0;
  /// Share of the output's area that the window has, 0.0001 to 1.
  DrawRange random_erasing_scale{.lo = 0.02, .hi = 0.33};
  /// Height of the window over its width, evenly drawn as a logarithm. 0.01 to 100.
  DrawRange random_erasing_ratio{.lo = 0.3, .hi = 3.3};
  /// What every channel of the window becomes: after normalisation, or a pixel value in uint8 batches.
  /// -1e9 to 1e9.
  double random_erasing_value = 0;
  /// Draws operations on geometry and colours and applies them to the output of all others
  /// (torchvision's TrivialAugmentWide and RandAugment, which fill with FillMode::kConstant).
  AutoAugment auto_augment = AutoAugment::kNone;
  /// How many operations AutoAugment::kRandAugment draws, 1 to 7.
  std::uint32_t rand_augment_ops = 2;
  /// The largest side of a batch.
  static constexpr std::uint32_t kMaxShiftPx = 16384;
  static constexpr std::uint32_t kMaxRandAugmentOps = 7;
  /// Their strength, 0 (nothing) to 30.
  std::uint32_t rand_augment_magnitude = 9;
  static constexpr std::uint32_t kMaxRandAugmentMagnitude = 30;
  /// Alpha of mixup, 0 to 1000; 0 is off: each sample of a batch is blended with another, and their targets,
  /// by a share of Beta(alpha, alpha), one for the batch. 0.2 is usual. See batch_mix.h.
  double mixup = 0;
  /// Alpha of cutmix, 0 to 1000; 0 is off: a box of each sample shows another, and its share of the area
  /// goes to that one's target. 1 is usual. With mixup on too, each batch takes one of the two.
  double cutmix = 0;
  FillMode fill_mode = FillMode::kNearest;
  /// Value of every channel outside the picture with FillMode::kConstant, in units of the stored
  /// pixels, 0 to 255.
  double cval = 0;
  /// Factor from stored pixels (0 to 255) to the units of `mean` and `std`, above 0.
  double rescale = 1.0 / 255;
  /// Subtracted from red, green, blue after `rescale`; a gray picture takes the first.
  std::array<double, 3> mean = {0, 0, 0};
  /// Divides red, green, blue after `mean`; a gray picture takes the first. 1e-6 or more.
  std::array<double, 3> std = {1, 1, 1};
  /// How a value is made of the pixels around its position; evaluation keeps it.
  Interpolation interpolation = Interpolation::kBilinear;
  DecodeScaling decode_scaling = DecodeScaling::kAuto;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;

  /// Returns the same without randomness and what fills beside a moved picture: for evaluation splits.
  AugmentConfig without_randomness() const;

  /// Returns a named set of settings. Throws InvalidArgument naming the known ones and the nearest.
  ///
  ///     none           nothing
  ///     keras_default  what ImageDataGenerator() does: fill nearest, all else off, so the same as none
  ///     standard       flip 0.5, shifts 0.1, zoom 0.9 to 1.1, fill nearest
  ///     imagenet       random resized crop, flip 0.5; evaluation: centre crop of 0.875
  ///     cifar          crop of the picture padded by 4 with 0, flip 0.5
  static AugmentConfig preset(std::string_view name);
  static std::span<const std::string_view> preset_names();

  friend bool operator==(const AugmentConfig&, const AugmentConfig&) = default;
};

/// Names as users write them: `nearest`, `constant`, `reflect`, `wrap`; `auto`, `off`; `bilinear`,
/// `nearest`, `bilinear_antialias`, `bicubic`; `none`, `trivial_augment_wide`, `rand_augment`.
std::string_view fill_mode_name(FillMode mode);
std::string_view decode_scaling_name(DecodeScaling scaling);
std::string_view auto_augment_name(AutoAugment policy);
std::string_view interpolation_name(Interpolation interpolation);

/// Reads such a name; throws InvalidArgument naming the known ones and the nearest.
FillMode parse_fill_mode(std::string_view name);
DecodeScaling parse_decode_scaling(std::string_view name);
AutoAugment parse_auto_augment(std::string_view name);
Interpolation parse_interpolation(std::string_view name);

}  // namespace penstock::augment
