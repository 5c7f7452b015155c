#include "augment/simd_target.h"

#include <hwy/targets.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"
#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

/// Gives the choice back.
struct ForcedTarget {
  explicit ForcedTarget(std::string_view name) { force_simd_target(name); }
  ForcedTarget(const ForcedTarget&) = delete;
  ForcedTarget& operator=(const ForcedTarget&) = delete;
  ~ForcedTarget() { force_simd_target("auto"); }
};

template <class T>
T one_of(std::mt19937_64& random, std::initializer_list<T> values) {
  return values.begin()[random() % values.size()];
}

AugmentConfig random_config(std::mt19937_64& random) {
  const auto is_one_in = [&](std::uint64_t count) { return random() % count == 0; };
  AugmentConfig config{.horizontal_flip = one_of(random, {0.0, 0.5}),
                       .vertical_flip = one_of(random, {0.0, 0.5}),
                       .width_shift_range = one_of(random, {0.0, 0.2, 3.0}),
                       .height_shift_range = one_of(random, {0.0, 0.2, 3.0}),
                       .mean = {0.485, 0.456, 0.406},
                       .std = {0.229, 0.224, 0.225}};
  config.fill_mode = static_cast<FillMode>(random() % 4);
  config.cval = 77;
  if (is_one_in(2)) config.zoom_range = {.lo = 0.6, .hi = 1.7};
  if (is_one_in(2)) config.rotation_range = 40;
  if (is_one_in(3)) config.shear_range = 20;
  if (is_one_in(2)) config.random_resized_crop = true;
  if (is_one_in(3)) config.decode_scaling = DecodeScaling::kOff;
  return config;
}

BOOST_AUTO_TEST_SUITE(simd_target)

// Shapes from nothing to rows of several vectors; all that a configuration can bring together.
BOOST_AUTO_TEST_CASE(every_target_gives_the_same_bytes_for_whole_configurations) {
  constexpr std::uint64_t kSeed = 88001;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  const auto between = [&](std::uint32_t lo, std::uint32_t hi) {
    return lo + static_cast<std::uint32_t>(random() % (hi - lo + 1));
  };
  for (std::uint64_t trial = 0; trial < 400; ++trial) {
    const AugmentTransform transform(random_config(random));
    const std::uint32_t channels = one_of(random, {1u, 3u});
    const TestPicture picture =
        noise_picture({between(1, 200), between(1, 60)}, random() % 4 == 0 ? 1 : channels, random);
    const BatchSpec spec = spec_of({between(1, 90), between(1, 30)}, channels,
                                   random() % 2 == 0 ? PixelLayout::kNchw : PixelLayout::kNhwc);
    const SampleInfo info = info_of(picture.size, static_cast<std::uint8_t>(between(1, 8)));
    const Draws draws({.seed = kSeed, .position = trial});
    const auto run = [&](std::string_view name) {
      const ForcedTarget forced(name);
      return transform_picture(transform, picture.decoded(), info, spec, draws);
    };
    const std::vector<float> expected = run("scalar");
    for (const SimdTarget& target : simd_targets()) {
      if (!target.is_supported) continue;
      BOOST_REQUIRE_MESSAGE(run(target.name) == expected, target.name << ", trial " << trial);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_list_ends_with_the_twin_and_stays_while_one_is_forced) {
  const std::vector<SimdTarget> targets = simd_targets();
  BOOST_TEST(targets.back().name == "scalar");
  BOOST_TEST(std::ranges::all_of(targets, [](const SimdTarget& t) {
    return std::ranges::none_of(t.name, [](char c) { return c >= 'A' && c <= 'Z'; });
  }));
  for (const SimdTarget& target : targets) {
    if (!target.is_supported) continue;
    const ForcedTarget forced(target.name);
    BOOST_TEST(is_scalar_forced() == (target.name == "scalar"));
    const std::vector<SimdTarget> again = simd_targets();
    BOOST_TEST(std::ranges::equal(targets, again, {}, &SimdTarget::is_supported,
                                  &SimdTarget::is_supported));
  }
  BOOST_TEST(!is_scalar_forced());
}

// Highway's own account of what it would take.
BOOST_AUTO_TEST_CASE(a_forced_target_is_all_that_highway_sees) {
  const std::int64_t machine = hwy::SupportedTargets();
  for (const SimdTarget& target : simd_targets()) {
    if (!target.is_supported || target.name == "scalar") continue;
    const ForcedTarget forced(target.name);
    const std::int64_t left = hwy::SupportedTargets();
    BOOST_TEST((left & ~machine) == 0);
    for (std::int64_t bits = left; bits != 0; bits &= bits - 1) {
      const std::string name = hwy::TargetName(bits & -bits);
      BOOST_TEST((target.name == "avx512" ? name.starts_with("AVX3")
                                          : name[0] == std::toupper(target.name[0])),
                 name << " for " << target.name);
    }
  }
  BOOST_TEST(hwy::SupportedTargets() == machine);
}

BOOST_AUTO_TEST_CASE(what_is_unknown_or_not_there_is_refused_in_words) {
  const std::array<SimdTarget, 3> targets = {SimdTarget{"avx512", false}, SimdTarget{"avx2", true},
                                             SimdTarget{"scalar", true}};
  check_simd_target("avx2", targets);
  BOOST_CHECK_EXCEPTION(check_simd_target("avx512", targets), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()) ==
               "simd: expected what this machine has, found avx512, which it lacks" &&
           error.hint() == "it has avx2, scalar";
  });
  BOOST_CHECK_EXCEPTION(check_simd_target("avx3", targets), Error, [](const Error& error) {
    return std::string(error.what()) == "simd: expected auto, avx512, avx2, scalar, found 'avx3'" &&
           error.hint() == "did you mean 'avx2'?";
  });
  BOOST_CHECK_THROW(force_simd_target("AVX2"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
