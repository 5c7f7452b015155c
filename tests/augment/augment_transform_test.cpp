#include "augment/augment_transform.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <random>
#include <set>
#include <string>

#include "streamer/core/error.h"
#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

BOOST_AUTO_TEST_SUITE(augment_transform)

// By hand: (102 / 255 - 0.5) / 0.25 and so on; constant fill is normalised like a pixel.
BOOST_AUTO_TEST_CASE(channels_are_rescaled_and_normalised_each_by_its_own) {
  const TestPicture picture{{0, 102, 255}, {1, 1}, 3};
  const AugmentTransform transform({.mean = {0.5, 0.5, 0.25}, .std = {0.5, 0.25, 0.125}});
  const std::vector<float> out = transform_picture(transform, picture.decoded(), info_of({1, 1}),
                                                   spec_of({1, 1}, 3), Draws({}));
  BOOST_TEST(out[0] == -1.0f, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(out[1] == -0.4f, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(out[2] == 6.0f, boost::test_tools::tolerance(1e-6f));

  // Shown 100 times smaller, one pixel of 3 x 1 is the picture, its neighbours are fill.
  const AugmentTransform filling({.zoom_range = {.lo = 100, .hi = 100},
                                  .fill_mode = FillMode::kConstant,
                                  .cval = 51,
                                  .mean = {0.1, 0.2, 0.3},
                                  .std = {1, 0.5, 2}});
  const std::vector<float> filled =
      transform_picture(filling, picture.decoded(), info_of({1, 1}), spec_of({3, 1}, 3), Draws({}));
  BOOST_TEST(filled[0] == 0.1f, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(std::abs(filled[1]) < 1e-6f);
  BOOST_TEST(filled[8] == -0.05f, boost::test_tools::tolerance(1e-6f));
}

BOOST_AUTO_TEST_CASE(a_gray_picture_serves_all_channels) {
  const TestPicture picture = gray_picture({2, 1}, {40, 80});
  const AugmentTransform transform({.rescale = 1});
  const std::vector<float> expected = {40, 40, 40, 80, 80, 80};
  const std::vector<float> out = transform_picture(transform, picture.decoded(), info_of({2, 1}),
                                                   spec_of({2, 1}, 3), Draws({}));
  BOOST_TEST(out == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_same_place_gives_the_same_bytes_and_others_differ) {
  std::mt19937_64 random(1);
  const TestPicture picture = noise_picture({40, 30}, 3, random);
  const AugmentTransform transform(AugmentConfig::preset("standard"));
  const AugmentTransform again(AugmentConfig::preset("standard"));
  const BatchSpec spec = spec_of({24, 24}, 3);
  const auto run = [&](const AugmentTransform& t, const Draws& draws) {
    return transform_picture(t, picture.decoded(), info_of({40, 30}), spec, draws);
  };
  const auto first = run(transform, Draws({.seed = 1, .epoch = 2, .position = 3}));
  BOOST_TEST((first == run(again, Draws({.seed = 1, .epoch = 2, .position = 3}))));
  BOOST_TEST((first != run(transform, Draws({.seed = 9, .epoch = 2, .position = 3}))));
  BOOST_TEST((first != run(transform, Draws({.seed = 1, .epoch = 9, .position = 3}))));
  BOOST_TEST((first != run(transform, Draws({.seed = 1, .epoch = 2, .position = 9}))));
}

BOOST_AUTO_TEST_CASE(without_randomness_every_place_gives_the_same_bytes) {
  std::mt19937_64 random(2);
  const TestPicture picture = noise_picture({40, 30}, 3, random);
  const AugmentTransform transform(AugmentConfig::preset("standard").without_randomness());
  const AugmentTransform none(AugmentConfig::preset("none"));
  const BatchSpec spec = spec_of({24, 24}, 3);
  const auto expected =
      transform_picture(none, picture.decoded(), info_of({40, 30}), spec, Draws({}));
  for (std::uint64_t position = 0; position < 20; ++position) {
    BOOST_REQUIRE(transform_picture(transform, picture.decoded(), info_of({40, 30}), spec,
                                    Draws({.seed = position, .position = position})) == expected);
  }
}

// A ramp of two levels a pixel, and the same averaged by two, as a decoder at 1/2 would give it:
// half-pixel centres in all steps make both sample the same places. Off the edges they agree.
BOOST_AUTO_TEST_CASE(scaled_decoding_samples_the_same_places) {
  TestPicture full = gray_picture({100, 2}, {});
  TestPicture half = gray_picture({50, 1}, {});
  for (int y = 0; y < 2; ++y) {
    for (int x = 0; x < 100; ++x) full.bytes.push_back(static_cast<std::uint8_t>(2 * x));
  }
  for (int x = 0; x < 50; ++x) half.bytes.push_back(static_cast<std::uint8_t>(4 * x + 1));
  const BatchSpec spec = spec_of({40, 1}, 1);
  const AugmentTransform transform({.rescale = 1});
  BOOST_TEST(transform.plan(info_of({100, 2}), spec, Draws({})).decode_scale == 2u);
  const auto from_full =
      transform_picture(transform, full.decoded(1), info_of({100, 2}), spec, Draws({}));
  const auto from_half =
      transform_picture(transform, half.decoded(2), info_of({100, 2}), spec, Draws({}));
  for (std::size_t x = 0; x < 40; ++x) {
    // By hand: (x + 0.5) * 2.5 - 0.5 pixels, two levels each.
    BOOST_TEST(from_full[x] == 5.0f * static_cast<float>(x) + 1.5f,
               boost::test_tools::tolerance(1e-5f));
    BOOST_TEST(from_half[x] == from_full[x], boost::test_tools::tolerance(1e-5f));
  }
}

BOOST_AUTO_TEST_CASE(no_plan_asks_for_a_finer_scale_than_announced) {
  std::mt19937_64 random(6);
  const AugmentTransform shifting(
      {.horizontal_flip = 0.5, .width_shift_range = 0.3, .zoom_range = {.lo = 0.5, .hi = 2}});
  const AugmentTransform cropping(
      {.random_resized_crop = true, .random_resized_crop_scale = {.lo = 0.4, .hi = 1}});
  const AugmentTransform turning({.vertical_flip = 0.5,
                                  .zoom_range = {.lo = 0.9, .hi = 1.1},
                                  .rotation_range = 180,
                                  .shear_range = 40});
  const AugmentTransform centred({.rotation_range = 5, .center_crop = 0.7});
  const AugmentTransform trivial({.auto_augment = AutoAugment::kTrivialAugmentWide});
  const AugmentTransform rand({.shear_range = 5,
                               .auto_augment = AutoAugment::kRandAugment,
                               .rand_augment_ops = 3,
                               .rand_augment_magnitude = 30});
  const std::array all = {&shifting, &cropping, &turning, &centred, &trivial, &rand};
  bool was_reached = false;
  for (std::uint64_t trial = 0; trial < 12'000; ++trial) {
    const AugmentTransform& transform = *all[trial % all.size()];
    const SampleInfo info = info_of({1 + static_cast<std::uint32_t>(random() % 600),
                                     1 + static_cast<std::uint32_t>(random() % 600)},
                                    static_cast<std::uint8_t>(1 + random() % 8));
    const BatchSpec spec = spec_of({32, 20}, 3);
    const std::uint32_t finest = transform.finest_decode_scale(info, spec);
    const std::uint32_t planned =
        transform.plan(info, spec, Draws({.position = trial})).decode_scale;
    BOOST_REQUIRE(planned >= finest);
    was_reached = was_reached || (finest > 1 && planned == finest);
  }
  BOOST_TEST(was_reached);
  const AugmentTransform off({.decode_scaling = DecodeScaling::kOff});
  BOOST_TEST(off.finest_decode_scale(info_of({6000, 6000}), spec_of({32, 32}, 3)) == 1u);
}

BOOST_AUTO_TEST_CASE(no_plan_asks_for_more_scratch_than_the_worst_case) {
  std::vector<AugmentConfig> configs = {
      AugmentConfig::preset("standard"),
      {.channel_shift_range = 1},
      {.brightness_range = {.lo = 0.5, .hi = 1}},
      {.contrast_range = {.lo = 1, .hi = 2}},
      {.saturation_range = {.lo = 0, .hi = 2}},
      {.hue_range = 0.1},
      {.auto_augment = AutoAugment::kRandAugment, .rand_augment_ops = 7}};
  for (const Interpolation interpolation :
       {Interpolation::kNearest, Interpolation::kBilinearAntialias, Interpolation::kBicubic}) {
    configs.push_back(AugmentConfig::preset("standard"));
    configs.back().interpolation = interpolation;
    configs.push_back({.hue_range = 0.1, .interpolation = interpolation});
  }
  for (const AugmentConfig& config : configs) {
    const AugmentTransform transform(config);
    for (const SizePx output : {SizePx{1, 1}, SizePx{96, 96}, SizePx{16384, 1}}) {
      for (const ElementType element : {ElementType::kFloat32, ElementType::kUint8}) {
        BatchSpec spec = spec_of(output, 3);
        spec.element = element;
        const SamplePlan plan = transform.plan(info_of({65500, 65500}), spec, Draws({}));
        BOOST_TEST(plan.scratch_bytes <= transform.worst_case_scratch_bytes(spec));
      }
    }
  }
}

// A canvas of 16384 x 16384 x 3 floats is 3 GiB; the reduced picture that a turned map sees is as long
// and as wide as the output's diagonal: two bytes a value of the output, 1.5 GiB.
BOOST_AUTO_TEST_CASE(scratch_beyond_four_gibibytes_is_counted_in_full) {
  const AugmentTransform transform(
      {.rotation_range = 20, .hue_range = 0.1, .interpolation = Interpolation::kBilinearAntialias});
  const BatchSpec spec = spec_of({16384, 16384}, 3);
  constexpr std::size_t kSidePx = 16384;
  const SamplePlan plan = transform.plan(info_of({65500, 65500}), spec, Draws({}));
  BOOST_TEST(plan.scratch_bytes == transform.worst_case_scratch_bytes(spec));
  BOOST_TEST(plan.scratch_bytes > kSidePx * kSidePx * 3 * (sizeof(float) + 2));
}

BOOST_AUTO_TEST_CASE(batches_it_cannot_fill_are_refused_before_the_start) {
  const AugmentTransform transform{AugmentConfig{}};
  transform.accept(spec_of({96, 96}, 3, PixelLayout::kNchw));
  transform.accept(spec_of({1, 1}, 1));
  BOOST_CHECK_EXCEPTION(transform.accept(spec_of({96, 96}, 4)), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument;
  });
  BOOST_CHECK_THROW(AugmentTransform({.horizontal_flip = 2}), Error);
}

BOOST_AUTO_TEST_CASE(settings_that_an_element_type_cannot_hold_are_refused) {
  const auto check = [](ElementType element, const AugmentConfig& config,
                        const std::string& message, const std::string& hint) {
    BatchSpec spec = spec_of({96, 96}, 3);
    spec.element = element;
    BOOST_CHECK_EXCEPTION(AugmentTransform(config).accept(spec), Error, [&](const Error& error) {
      BOOST_TEST(error.what() == message);
      BOOST_TEST(error.hint() == hint);
      return error.code() == ErrorCode::kInvalidArgument;
    });
  };
  const std::string pixels = "let the consumer normalise, or take ElementType::kFloat32";
  check(ElementType::kUint8, {.mean = {0, 0.5, 0}},
        "augment: mean[1]: expected 0 with uint8 batches, found 0.5", pixels);
  check(ElementType::kUint8, {.std = {1, 1, 0.5}},
        "augment: std[2]: expected 1 with uint8 batches, found 0.5", pixels);
  check(ElementType::kUint8, {.random_erasing_value = 256},
        "augment: random_erasing_value: expected 0 to 255 with uint8 batches, found 256", pixels);
  const std::string range = "take ElementType::kBfloat16 or ElementType::kFloat32";
  check(ElementType::kFloat16, {.std = {1, 1e-5, 1}},
        "augment: std[1]: expected values of at most 65504 in float16 batches, found "
        "99999.99999999999",
        range);
  check(ElementType::kFloat16, {.random_erasing_value = -65505},
        "augment: random_erasing_value: expected values of at most 65504 in float16 batches, found "
        "-65505",
        range);
  for (const ElementType element : {ElementType::kUint8, ElementType::kFloat16,
                                    ElementType::kBfloat16, ElementType::kFloat32}) {
    BatchSpec spec = spec_of({96, 96}, 3);
    spec.element = element;
    AugmentTransform(AugmentConfig::preset("standard")).accept(spec);
  }
}

BOOST_AUTO_TEST_CASE(the_identity_tells_every_setting_apart) {
  std::vector<AugmentConfig> configs(1);
  const auto add = [&](auto change) {
    AugmentConfig config;
    change(config);
    configs.push_back(config);
  };
  add([](AugmentConfig& c) { c.horizontal_flip = 0.1; });
  add([](AugmentConfig& c) { c.width_shift_range = 0.1; });
  add([](AugmentConfig& c) { c.height_shift_range = 0.1; });
  add([](AugmentConfig& c) { c.zoom_range.lo = 0.9; });
  add([](AugmentConfig& c) { c.zoom_range.hi = 1.1; });
  add([](AugmentConfig& c) { c.zoom_range.hi = std::nextafter(1.1, 2); });
  add([](AugmentConfig& c) { c.random_resized_crop = true; });
  add([](AugmentConfig& c) {
    c.random_resized_crop = true;
    c.random_resized_crop_scale.lo = 0.1;
  });
  add([](AugmentConfig& c) {
    c.random_resized_crop = true;
    c.random_resized_crop_scale.hi = 0.9;
  });
  add([](AugmentConfig& c) {
    c.random_resized_crop = true;
    c.random_resized_crop_ratio.lo = 0.7;
  });
  add([](AugmentConfig& c) {
    c.random_resized_crop = true;
    c.random_resized_crop_ratio.hi = 1.4;
  });
  add([](AugmentConfig& c) { c.random_crop_padding = 4; });
  add([](AugmentConfig& c) { c.vertical_flip = 0.1; });
  add([](AugmentConfig& c) { c.rotation_range = 10; });
  add([](AugmentConfig& c) { c.shear_range = 10; });
  add([](AugmentConfig& c) { c.center_crop = 1; });
  add([](AugmentConfig& c) { c.channel_shift_range = 10; });
  add([](AugmentConfig& c) { c.brightness_range.lo = 0.5; });
  add([](AugmentConfig& c) { c.brightness_range.hi = 1.5; });
  add([](AugmentConfig& c) { c.contrast_range.lo = 0.5; });
  add([](AugmentConfig& c) { c.contrast_range.hi = 1.5; });
  add([](AugmentConfig& c) { c.saturation_range.lo = 0.5; });
  add([](AugmentConfig& c) { c.saturation_range.hi = 1.5; });
  add([](AugmentConfig& c) { c.hue_range = 0.1; });
  const auto add_erasing = [&](auto change) {
    add([change](AugmentConfig& c) {
      c.random_erasing = 0.25;
      change(c);
    });
  };
  add_erasing([](AugmentConfig&) {});
  add_erasing([](AugmentConfig& c) { c.random_erasing = 0.5; });
  add_erasing([](AugmentConfig& c) { c.random_erasing_scale.lo = 0.1; });
  add_erasing([](AugmentConfig& c) { c.random_erasing_scale.hi = 0.4; });
  add_erasing([](AugmentConfig& c) { c.random_erasing_ratio.lo = 0.5; });
  add_erasing([](AugmentConfig& c) { c.random_erasing_ratio.hi = 2; });
  add_erasing([](AugmentConfig& c) { c.random_erasing_value = 1; });
  add([](AugmentConfig& c) { c.auto_augment = AutoAugment::kTrivialAugmentWide; });
  add([](AugmentConfig& c) { c.auto_augment = AutoAugment::kRandAugment; });
  add([](AugmentConfig& c) {
    c.auto_augment = AutoAugment::kRandAugment;
    c.rand_augment_ops = 3;
  });
  add([](AugmentConfig& c) {
    c.auto_augment = AutoAugment::kRandAugment;
    c.rand_augment_magnitude = 10;
  });
  add([](AugmentConfig& c) { c.fill_mode = FillMode::kConstant; });
  add([](AugmentConfig& c) { c.fill_mode = FillMode::kReflect; });
  add([](AugmentConfig& c) { c.fill_mode = FillMode::kWrap; });
  add([](AugmentConfig& c) { c.cval = 1; });
  add([](AugmentConfig& c) { c.rescale = 1; });
  for (std::size_t channel = 0; channel < 3; ++channel) {
    add([channel](AugmentConfig& c) { c.mean[channel] = 0.5; });
    add([channel](AugmentConfig& c) { c.std[channel] = 0.5; });
  }
  add([](AugmentConfig& c) { c.interpolation = Interpolation::kNearest; });
  add([](AugmentConfig& c) { c.interpolation = Interpolation::kBilinearAntialias; });
  add([](AugmentConfig& c) { c.interpolation = Interpolation::kBicubic; });
  add([](AugmentConfig& c) { c.decode_scaling = DecodeScaling::kOff; });
  std::set<std::string> identities;
  for (const AugmentConfig& config : configs) {
    identities.insert(AugmentTransform(config).identity());
  }
  BOOST_TEST(identities.size() == configs.size());
  const std::string standard = AugmentTransform(AugmentConfig::preset("standard")).identity();
  BOOST_TEST(standard.find("\naugment.zoom_range.hi=1.1\n") != std::string::npos);
  BOOST_TEST(standard.find("\naugment.fill_mode=nearest\n") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
