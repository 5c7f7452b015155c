#include "augment/augment_config.h"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <string>

#include "streamer/core/error.h"

namespace penstock::augment {
namespace {

void check_refused(const AugmentConfig& config, const std::string& message) {
  BOOST_CHECK_EXCEPTION(config.validate(), Error, [&](const Error& error) {
    BOOST_TEST(error.what() == message);
    // The field again, with what is right.
    const std::string field = message.substr(9, message.find_first_of(":.[", 9) - 9);
    BOOST_TEST(error.hint().substr(0, field.size() + 3) == field + " = ");
    return error.code() == ErrorCode::kInvalidArgument;
  });
}

BOOST_AUTO_TEST_SUITE(augment_config)

std::string hint_of(const AugmentConfig& config) {
  try {
    config.validate();
  } catch (const Error& error) {
    return error.hint();
  }
  return "";
}

BOOST_AUTO_TEST_CASE(a_hint_is_the_nearest_value_that_is_right) {
  BOOST_TEST(hint_of({.horizontal_flip = 1.5}) == "horizontal_flip = 1");
  BOOST_TEST(hint_of({.hue_range = -0.1}) == "hue_range = 0");
  BOOST_TEST(hint_of({.zoom_range = {.lo = 0, .hi = 2}}) == "zoom_range = [0.01, 2]");
  BOOST_TEST(hint_of({.contrast_range = {.lo = 2, .hi = 1}}) == "contrast_range = [2, 2]");
}

BOOST_AUTO_TEST_CASE(a_hint_is_the_default_where_the_nearest_value_is_of_no_use) {
  BOOST_TEST(hint_of({.fill_mode = static_cast<FillMode>(4)}) == "fill_mode = \"nearest\"");
  BOOST_TEST(hint_of({.auto_augment = static_cast<AutoAugment>(3)}) == "auto_augment = \"none\"");
  BOOST_TEST(hint_of({.interpolation = static_cast<Interpolation>(4)}) ==
             "interpolation = \"bilinear\"");
  BOOST_TEST(hint_of({.decode_scaling = static_cast<DecodeScaling>(2)}) ==
             "decode_scaling = \"auto\"");
  BOOST_TEST(hint_of({.rescale = 0}) == "rescale = 0.00392156862745098");  // 1 / 255
  BOOST_TEST(hint_of({.mean = {0, 2e9, 0}}) == "mean = [0, 0, 0]");
  BOOST_TEST(hint_of({.std = {1, 1, 0}}) == "std = [1, 1, 1]");
}

BOOST_AUTO_TEST_CASE(presets_and_defaults_are_valid) {
  AugmentConfig{}.validate();
  for (const std::string_view name : AugmentConfig::preset_names()) {
    AugmentConfig::preset(name).validate();
  }
  BOOST_TEST((AugmentConfig::preset("none") == AugmentConfig{}));
}

// Flip 0.5, shift 0.1, zoom 0.1 in Keras' sense: [1 - 0.1, 1 + 0.1].
BOOST_AUTO_TEST_CASE(standard_flips_shifts_and_zooms) {
  const AugmentConfig standard = AugmentConfig::preset("standard");
  BOOST_TEST(standard.horizontal_flip == 0.5);
  BOOST_TEST(standard.width_shift_range == 0.1);
  BOOST_TEST(standard.height_shift_range == 0.1);
  BOOST_TEST(standard.zoom_range.lo == 0.9);
  BOOST_TEST(standard.zoom_range.hi == 1.1);
  BOOST_TEST((standard.fill_mode == FillMode::kNearest));
}

// torchvision's reference recipes: RandomResizedCrop and a flip, evaluated on 224 of 256; CIFAR by a crop
// of the picture padded by 4 with zeros, and a flip.
BOOST_AUTO_TEST_CASE(imagenet_and_cifar_are_the_fields_recipes) {
  const AugmentConfig imagenet = AugmentConfig::preset("imagenet");
  BOOST_TEST(imagenet.random_resized_crop);
  BOOST_TEST(imagenet.random_resized_crop_scale.lo == 0.08);
  BOOST_TEST(imagenet.horizontal_flip == 0.5);
  BOOST_TEST(imagenet.without_randomness().center_crop == 0.875);
  const AugmentConfig cifar = AugmentConfig::preset("cifar");
  BOOST_TEST(cifar.random_crop_padding == 4u);
  BOOST_TEST(cifar.horizontal_flip == 0.5);
  BOOST_TEST((cifar.fill_mode == FillMode::kConstant));
  BOOST_TEST(cifar.cval == 0);
}

BOOST_AUTO_TEST_CASE(an_unknown_preset_names_the_known_ones_or_the_nearest) {
  BOOST_CHECK_EXCEPTION(AugmentConfig::preset("standart"), Error, [](const Error& error) {
    BOOST_TEST(error.what() ==
               "augment: preset: expected one of none, keras_default, standard, imagenet, cifar, "
               "found \"standart\"");
    BOOST_TEST(error.hint() == "did you mean 'standard'?");
    return error.code() == ErrorCode::kInvalidArgument;
  });
  BOOST_CHECK_EXCEPTION(AugmentConfig::preset("off"), Error, [](const Error& error) {
    return error.hint() == "known names: none keras_default standard imagenet cifar";
  });
}

BOOST_AUTO_TEST_CASE(names_of_modes_are_read_back) {
  for (const FillMode mode :
       {FillMode::kNearest, FillMode::kConstant, FillMode::kReflect, FillMode::kWrap}) {
    BOOST_TEST((parse_fill_mode(fill_mode_name(mode)) == mode));
  }
  for (const DecodeScaling scaling : {DecodeScaling::kAuto, DecodeScaling::kOff}) {
    BOOST_TEST((parse_decode_scaling(decode_scaling_name(scaling)) == scaling));
  }
  for (const Interpolation interpolation :
       {Interpolation::kNearest, Interpolation::kBilinear, Interpolation::kBilinearAntialias,
        Interpolation::kBicubic}) {
    BOOST_TEST((parse_interpolation(interpolation_name(interpolation)) == interpolation));
  }
  BOOST_TEST((parse_interpolation("bilinear_antialias") == Interpolation::kBilinearAntialias));
  BOOST_CHECK_THROW(parse_interpolation("cubic"), Error);
  BOOST_TEST((parse_fill_mode("constant") == FillMode::kConstant));
  BOOST_TEST((parse_decode_scaling("off") == DecodeScaling::kOff));
  BOOST_CHECK_THROW(parse_fill_mode("mirror"), Error);
  BOOST_CHECK_THROW(parse_decode_scaling(""), Error);
  for (const AutoAugment policy :
       {AutoAugment::kNone, AutoAugment::kTrivialAugmentWide, AutoAugment::kRandAugment}) {
    BOOST_TEST((parse_auto_augment(auto_augment_name(policy)) == policy));
  }
  // As torchvision's recipes write it.
  BOOST_CHECK_EXCEPTION(parse_auto_augment("randaugment"), Error, [](const Error& error) {
    return error.hint() == "did you mean 'rand_augment'?";
  });
}

BOOST_AUTO_TEST_CASE(a_value_out_of_range_is_refused_with_field_range_and_value) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  check_refused({.horizontal_flip = 1.5}, "augment: horizontal_flip: expected 0 to 1, found 1.5");
  check_refused({.horizontal_flip = kNan}, "augment: horizontal_flip: expected 0 to 1, found nan");
  check_refused({.vertical_flip = -0.5}, "augment: vertical_flip: expected 0 to 1, found -0.5");
  check_refused({.rotation_range = 361},
                "augment: rotation_range: expected 0 to 360 degrees, found 361");
  check_refused({.rotation_range = kNan},
                "augment: rotation_range: expected 0 to 360 degrees, found nan");
  check_refused({.shear_range = 90}, "augment: shear_range: expected 0 to 89 degrees, found 90");
  check_refused({.center_crop = 1.01}, "augment: center_crop: expected 0 to 1, found 1.01");
  check_refused({.width_shift_range = -0.1},
                "augment: width_shift_range: expected 0 to 16384, found -0.1");
  check_refused({.height_shift_range = kInfinity},
                "augment: height_shift_range: expected 0 to 16384, found inf");
  check_refused({.zoom_range = {.lo = 0}}, "augment: zoom_range.lo: expected 0.01 to 100, found 0");
  check_refused({.zoom_range = {.lo = 1, .hi = kNan}},
                "augment: zoom_range.hi: expected 0.01 to 100, found nan");
  check_refused({.zoom_range = {.lo = 1.25, .hi = 0.5}},
                "augment: zoom_range.hi: expected at least zoom_range.lo = 1.25, found 0.5");
  check_refused({.random_resized_crop_scale = {.lo = 0, .hi = 1}},
                "augment: random_resized_crop_scale.lo: expected 0.0001 to 1, found 0");
  check_refused({.random_resized_crop_scale = {.lo = 0.5, .hi = 1.5}},
                "augment: random_resized_crop_scale.hi: expected 0.0001 to 1, found 1.5");
  check_refused({.random_resized_crop_ratio = {.lo = 2, .hi = 1}},
                "augment: random_resized_crop_ratio.hi: expected at least "
                "random_resized_crop_ratio.lo = 2, found 1");
  check_refused({.random_crop_padding = 16385},
                "augment: random_crop_padding: expected 0 to 16384, found 16385");
  check_refused({.channel_shift_range = 256},
                "augment: channel_shift_range: expected 0 to 255, found 256");
  check_refused({.channel_shift_range = kNan},
                "augment: channel_shift_range: expected 0 to 255, found nan");
  check_refused({.brightness_range = {.lo = -0.5, .hi = 1}},
                "augment: brightness_range.lo: expected 0 to 10, found -0.5");
  check_refused({.contrast_range = {.lo = 1, .hi = 11}},
                "augment: contrast_range.hi: expected 0 to 10, found 11");
  check_refused({.saturation_range = {.lo = 1.5, .hi = 1.25}},
                "augment: saturation_range.hi: expected at least saturation_range.lo = 1.5, "
                "found 1.25");
  check_refused({.hue_range = 0.51}, "augment: hue_range: expected 0 to 0.5, found 0.51");
  check_refused({.hue_range = -0.1}, "augment: hue_range: expected 0 to 0.5, found -0.1");
  check_refused({.random_erasing = 1.5}, "augment: random_erasing: expected 0 to 1, found 1.5");
  check_refused({.random_erasing_scale = {.lo = 0, .hi = 1}},
                "augment: random_erasing_scale.lo: expected 0.0001 to 1, found 0");
  check_refused({.random_erasing_ratio = {.lo = 2, .hi = 1}},
                "augment: random_erasing_ratio.hi: expected at least random_erasing_ratio.lo = 2, "
                "found 1");
  check_refused({.random_erasing_value = kInfinity},
                "augment: random_erasing_value: expected -1e9 to 1e9, found inf");
  check_refused({.rand_augment_ops = 0}, "augment: rand_augment_ops: expected 1 to 7, found 0");
  check_refused({.rand_augment_ops = 8}, "augment: rand_augment_ops: expected 1 to 7, found 8");
  check_refused({.rand_augment_magnitude = 31},
                "augment: rand_augment_magnitude: expected 0 to 30, found 31");
  check_refused({.auto_augment = static_cast<AutoAugment>(3)},
                "augment: auto_augment: expected one of none, trivial_augment_wide, rand_augment, "
                "found 3");
  check_refused({.mixup = -0.1}, "augment: mixup: expected 0 to 1000, found -0.1");
  check_refused({.mixup = kNan}, "augment: mixup: expected 0 to 1000, found nan");
  check_refused({.cutmix = 1001}, "augment: cutmix: expected 0 to 1000, found 1001");
  check_refused({.cval = 256}, "augment: cval: expected 0 to 255, found 256");
  check_refused({.rescale = 0}, "augment: rescale: expected 1e-9 to 1e9, found 0");
  check_refused({.mean = {0, kNan, 0}}, "augment: mean[1]: expected -1e9 to 1e9, found nan");
  check_refused({.std = {1, 1, 0}}, "augment: std[2]: expected 1e-6 to 1e9, found 0");
}

// What lies beside the picture comes into sight by moving it, but for half a pixel of a small one's edge,
// where wrapping would blend the other edge in.
BOOST_AUTO_TEST_CASE(without_randomness_keeps_all_but_what_is_random_and_what_fills) {
  AugmentConfig config = AugmentConfig::preset("standard");
  config.random_resized_crop = true;
  config.random_resized_crop_scale.lo = 0.5;
  config.random_resized_crop_ratio.hi = 2;
  config.random_crop_padding = 4;
  config.vertical_flip = 0.5;
  config.rotation_range = 20;
  config.shear_range = 5;
  config.channel_shift_range = 10;
  config.brightness_range.hi = 2;
  config.contrast_range.hi = 2;
  config.saturation_range.hi = 2;
  config.hue_range = 0.1;
  config.random_erasing = 0.5;
  config.random_erasing_scale.lo = 0.1;
  config.random_erasing_ratio.lo = 0.5;
  config.random_erasing_value = 1;
  config.mixup = 0.2;
  config.cutmix = 1;
  config.center_crop = 0.875;
  config.auto_augment = AutoAugment::kRandAugment;
  config.rand_augment_ops = 3;
  config.rand_augment_magnitude = 12;
  config.fill_mode = FillMode::kConstant;
  config.cval = 7;
  config.rescale = 0.5;
  config.mean = {1, 2, 3};
  config.std = {4, 5, 6};
  config.interpolation = Interpolation::kBicubic;
  config.decode_scaling = DecodeScaling::kOff;
  const AugmentConfig expected = {.center_crop = 0.875,
                                  .rescale = 0.5,
                                  .mean = {1, 2, 3},
                                  .std = {4, 5, 6},
                                  .interpolation = Interpolation::kBicubic,
                                  .decode_scaling = DecodeScaling::kOff};
  BOOST_TEST((config.without_randomness() == expected));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
