// Crops through their kernel against the same pictures through the CPU's transform, with the same draws; mixed ones
// against the slow twin of a mixed batch.
#include "train/backend/cuda/kernels/crop_kernels.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "augment/batch_mix.h"
#include "augment/crop_transform.h"
#include "augment/mix/mix_draws.h"
#include "augment/mix/reference_mix.h"
#include "streamer/core/crop_record.h"
#include "tests/augment/test_picture.h"
#include "tests/train/backend/cuda/kernels/kernel_values.h"

namespace penstock::train::cuda {
namespace {

using augment::AugmentConfig;
using augment::AugmentTransform;
using augment::CropTransform;
using augment::FillMode;
using augment::Interpolation;
using augment::SizePx;
using augment::TestPicture;
using tests::KernelValues;

constexpr FillMode kFillModes[] = {FillMode::kNearest, FillMode::kConstant, FillMode::kReflect,
                                   FillMode::kWrap};
/// A pixel of 255 more, normalised by the test's configurations, is at most so much more.
constexpr double kMostGain = 1.0 / 255 / 0.2;

/// A picture as a decoder hands it on.
struct Decoded {
  TestPicture picture;
  SampleInfo info;
  std::uint32_t scale = 1;

  DecodedView view() const { return picture.decoded(scale); }
};

/// A batch of crops in aligned memory, and how its kernel is asked.
struct CropBatch {
  explicit CropBatch(const BatchSpec& s) : spec(s), bytes(s.pixels_bytes() / sizeof(Line)) {}

  std::byte* place(std::size_t i) { return bytes[0].bytes + i * spec.crop_bytes; }

  void write(std::size_t i, const CropTransform& transform, const Decoded& decoded,
             const Draws& draws) {
    const SamplePlan plan = transform.plan(decoded.info, spec, draws);
    std::vector<std::byte> scratch(plan.scratch_bytes);
    std::memset(place(i), 0xA5, spec.crop_bytes);  // of a batch before
    transform.apply(decoded.view(), plan, scratch, {&spec, place(i)});
  }

  CropRecord record(std::size_t i) {
    CropRecord record;
    std::memcpy(&record, place(i), sizeof(record));
    return record;
  }

  /// The values of some samples.
  KernelValues run(ValueType type, std::uint32_t stored_channels, std::size_t first,
                   std::size_t count, bool is_aligned = true) {
    KernelValues values(type, count * spec.height_px * spec.width_px * stored_channels, is_aligned);
    KernelValues means(ValueType::kFloat32, num_crop_means(count));
    BOOST_TEST(crop_values({.value_type = type,
                            .num_samples = count,
                            .crop_bytes = spec.crop_bytes,
                            .height_px = spec.height_px,
                            .width_px = spec.width_px,
                            .channels = spec.channels,
                            .stored_channels = stored_channels,
                            .places = place(first),
                            .means = means.floats(),
                            .values = values.data()},
                           nullptr)
                   .is_ok());
    BOOST_TEST(values.is_kept_behind());
    BOOST_TEST(means.is_kept_behind());
    return values;
  }
  std::vector<double> floats() {
    return run(ValueType::kFloat32, spec.channels, 0, spec.batch).values();
  }

  struct alignas(64) Line {
    std::byte bytes[64];
  };
  BatchSpec spec;
  std::vector<Line> bytes;
};

struct Fixture {
  std::mt19937_64 random{17};

  double uniform(double lo, double hi) {
    return std::uniform_real_distribution<double>(lo, hi)(random);
  }
  bool is_heads() { return random() % 2 == 0; }
  std::uint32_t side(std::uint32_t lo, std::uint32_t hi) {
    return lo + static_cast<std::uint32_t>(random() % (hi - lo + 1));
  }

  Decoded picture(std::uint32_t channels, SizePx size) {
    Decoded decoded{.picture = {}, .info = augment::info_of(size), .scale = is_heads() ? 2u : 1u};
    decoded.info.orientation = static_cast<std::uint8_t>(1 + random() % 8);
    decoded.picture =
        augment::noise_picture(augment::decoded_size(size, decoded.scale), channels, random);
    return decoded;
  }

  /// Anything that a record can say, but for contrast.
  AugmentConfig config() {
    AugmentConfig config;
    config.fill_mode = kFillModes[random() % 4];
    config.cval = 77.25;
    config.interpolation = is_heads() ? Interpolation::kBilinear : Interpolation::kNearest;
    config.mean = {0.45, 0.4, 0.35};
    config.std = {0.2, 0.3, 0.25};
    if (is_heads()) config.horizontal_flip = 0.5;
    if (is_heads()) config.vertical_flip = 0.5;
    if (is_heads()) config.width_shift_range = config.height_shift_range = 0.6;
    if (is_heads()) config.zoom_range = {.lo = 0.5, .hi = 2.5};
    if (is_heads()) config.rotation_range = 180;
    if (is_heads()) config.shear_range = 30;
    if (is_heads()) config.random_resized_crop = true;
    if (is_heads()) config.random_crop_padding = 3;
    if (is_heads()) config.brightness_range = {.lo = 0.4, .hi = 1.8};
    if (is_heads()) config.saturation_range = {.lo = 0, .hi = 2};
    if (is_heads()) config.channel_shift_range = 60;
    if (is_heads()) config.random_erasing = 0.7;
    config.random_erasing_value = -1.5;
    return config;
  }

  static BatchSpec spec_of(SizePx output, std::uint32_t channels, std::uint32_t batch = 1) {
    BatchSpec spec = augment::spec_of(output, channels);
    spec.batch = batch;
    return spec;
  }
  /// The same batches as crops, which all fit.
  static BatchSpec crops_of(BatchSpec spec, std::uint64_t most_pixels) {
    const std::uint64_t bytes = sizeof(CropRecord) + most_pixels * spec.channels;
    spec.crop_bytes = static_cast<std::uint32_t>((bytes + 63) / 64 * 64);
    return spec;
  }

  static Draws draws_of(std::uint64_t position) {
    return Draws({.seed = 4, .epoch = 1, .position = position});
  }
};

std::vector<double> as_doubles(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  BOOST_REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    largest = difference <= largest ? largest : difference;  // NaN is larger
  }
  return largest;
}

BOOST_FIXTURE_TEST_SUITE(cuda_crop_kernels, Fixture)

// The kernel does the CPU's float32 operations in its order, so that no tolerance is needed.
BOOST_AUTO_TEST_CASE(a_crop_becomes_what_the_cpus_transform_makes_of_it_to_the_bit) {
  int num_turned = 0;
  int num_partial = 0;
  int num_coloured = 0;
  for (std::uint64_t trial = 0; trial < 400; ++trial) {
    const std::uint32_t channels = trial % 4 == 0 ? 1 : 3;
    const BatchSpec spec = spec_of({side(1, 40), side(1, 33)}, channels);
    const Decoded decoded = picture(is_heads() ? 1 : channels, {side(1, 90), side(1, 70)});
    const AugmentConfig settings = config();
    const CropTransform transform(settings);
    CropBatch batch(crops_of(spec, 90 * 70));
    BOOST_REQUIRE_NO_THROW(
        transform.accept(crops_of(spec, std::max<std::uint64_t>(90 * 70, spec.sample_bytes()))));
    batch.write(0, transform, decoded, draws_of(trial));
    const CropRecord record = batch.record(0);
    num_turned += record.is_stepped != 0 ? 1 : 0;
    num_partial += record.x.length < decoded.picture.size.width ? 1 : 0;
    num_coloured += record.has_mix != 0 ? 1 : 0;
    const std::vector<float> expected = augment::transform_picture(
        AugmentTransform(settings), decoded.view(), decoded.info, spec, draws_of(trial));
    BOOST_TEST(largest_difference(batch.floats(), as_doubles(expected)) == 0, "trial " << trial);
  }
  BOOST_TEST(num_turned > 100);
  BOOST_TEST(num_partial > 50);
  BOOST_TEST(num_coloured > 100);
}

// Means are added up in another order, in float32 on the CPU: off by 128 roundings of a sum at most, 255 * 2^-18 of
// a level, times a factor of 3 of the test's contrast, and a rounding of each operation behind.
BOOST_AUTO_TEST_CASE(contrast_is_about_the_mean_of_the_sampled_picture) {
  for (std::uint64_t trial = 0; trial < 60; ++trial) {
    const std::uint32_t channels = trial % 4 == 0 ? 1 : 3;
    const BatchSpec spec = spec_of({side(1, 40), side(1, 33)}, channels);
    const Decoded decoded = picture(is_heads() ? 1 : channels, {side(1, 90), side(1, 70)});
    AugmentConfig settings = config();
    settings.contrast_range = {.lo = 0, .hi = 3};
    CropBatch batch(crops_of(spec, 90 * 70));
    batch.write(0, CropTransform(settings), decoded, draws_of(trial));
    BOOST_TEST(batch.record(0).needs_means == 1u);
    const std::vector<float> expected = augment::transform_picture(
        AugmentTransform(settings), decoded.view(), decoded.info, spec, draws_of(trial));
    BOOST_TEST(largest_difference(batch.floats(), as_doubles(expected)) < 0.005 * kMostGain,
               "trial " << trial);
  }
}

BOOST_AUTO_TEST_CASE(halves_are_those_of_the_cpus_batches_and_channels_beyond_are_0) {
  for (std::uint64_t trial = 0; trial < 40; ++trial) {
    const BatchSpec spec = spec_of({side(1, 40), side(1, 33)}, 3);
    const Decoded decoded = picture(3, {side(1, 90), side(1, 70)});
    const AugmentConfig settings = config();
    CropBatch batch(crops_of(spec, 90 * 70));
    batch.write(0, CropTransform(settings), decoded, draws_of(trial));
    const std::size_t num_pixels = std::size_t{spec.height_px} * spec.width_px;
    for (const ValueType type : tests::kValueTypes) {
      BatchSpec of_type = spec;
      of_type.element = type == ValueType::kFloat32   ? ElementType::kFloat32
                        : type == ValueType::kFloat16 ? ElementType::kFloat16
                                                      : ElementType::kBfloat16;
      const std::vector<std::byte> expected = augment::transform_bytes(
          AugmentTransform(settings), decoded.view(), decoded.info, of_type, draws_of(trial));
      const std::size_t size = element_bytes(of_type.element);
      for (const auto& [stored_channels, is_aligned] :
           {std::pair{3u, true}, {4u, true}, {4u, false}, {8u, true}}) {
        KernelValues values = batch.run(type, stored_channels, 0, 1, is_aligned);
        const auto* const found = static_cast<const std::byte*>(values.data());
        int num_other = 0;
        for (std::size_t i = 0; i < num_pixels; ++i) {
          num_other += std::memcmp(found + i * stored_channels * size, &expected[i * 3 * size],
                                   3 * size) == 0
                           ? 0
                           : 1;
          for (std::size_t c = 3; c < stored_channels; ++c) {
            num_other += values[i * stored_channels + c] == 0 ? 0 : 1;
          }
        }
        BOOST_TEST(num_other == 0, tests::name_of(type) << ", " << stored_channels);
      }
    }
  }
}

// Sampled on the CPU into bytes: at most a level from the exact, half of it for the rounding, the rest for blends in
// whole numbers (augment/warp). Brightness up to 1.8, saturation up to 2 and shifts make 3.6 of it.
BOOST_AUTO_TEST_CASE(a_crop_that_does_not_fit_is_sampled_before) {
  int num_sampled = 0;
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    const BatchSpec spec = spec_of({side(1, 40), side(1, 33)}, 3);
    const Decoded decoded = picture(is_heads() ? 1 : 3, {side(1, 90), side(1, 70)});
    AugmentConfig settings = config();
    settings.cval = 77;
    CropBatch batch(crops_of(spec, std::uint64_t{spec.width_px} * spec.height_px));
    batch.write(0, CropTransform(settings), decoded, draws_of(trial));
    const CropRecord record = batch.record(0);
    const bool is_sampled = record.fill == CropFill::kNearest && record.map[0] == 1 &&
                            record.x.length == spec.width_px && record.y.length == spec.height_px;
    num_sampled += is_sampled ? 1 : 0;
    const std::vector<float> expected = augment::transform_picture(
        AugmentTransform(settings), decoded.view(), decoded.info, spec, draws_of(trial));
    BOOST_TEST(largest_difference(batch.floats(), as_doubles(expected)) <
                   (is_sampled ? 1.01 * 3.6 * kMostGain : 1e-30),
               "trial " << trial);
  }
  BOOST_TEST(num_sampled > 50);
}

BOOST_AUTO_TEST_CASE(a_place_without_a_picture_becomes_zeros) {
  const BatchSpec spec = crops_of(spec_of({8, 5}, 3, 4), 400);
  CropBatch batch(spec);
  const CropTransform transform(AugmentConfig{.mean = {0.5, 0.5, 0.5}});
  const Decoded decoded = picture(3, {20, 20});
  for (std::size_t i = 0; i < 4; ++i) batch.write(i, transform, decoded, draws_of(i));
  std::memset(batch.place(1), 0, spec.crop_bytes);
  // What its place cannot hold is none either, whatever the record says.
  CropRecord record = batch.record(2);
  record.y.length = 4000;
  std::memcpy(batch.place(2), &record, sizeof(record));
  record = batch.record(3);
  record.mark = 1;
  std::memcpy(batch.place(3), &record, sizeof(record));
  const std::vector<double> values = batch.floats();
  const auto size = static_cast<std::ptrdiff_t>(spec.height_px * spec.width_px * 3);
  BOOST_TEST(std::count(values.begin() + size, values.end(), 0.0) == 3 * size);
  BOOST_TEST(std::count(values.begin(), values.begin() + size, 0.0) < size / 10);
}

/// A batch of crops and the same one as the CPU makes it, both mixed.
struct MixedTrial {
  MixedTrial(Fixture& fixture, const AugmentConfig& config, std::uint32_t num_valid)
      : spec(batches_of_8()), crops(Fixture::crops_of(batches_of_8(), 40 * 40)) {
    whole = {.spec = spec,
             .pixels = std::vector<double>(spec.pixels_bytes() / sizeof(float)),
             .targets = std::vector<double>(8 * 5),
             .weights = std::vector<double>(8, 0.0),
             .takes_part = std::vector<bool>(8, false),
             .num_valid = num_valid};
    weights.assign(8, 0.0f);
    targets.assign(8 * 5, 0.0f);
    class_idx.assign(8, kUnlabelled);
    const std::size_t values = whole.pixels.size() / 8;
    for (std::uint32_t i = 0; i < num_valid; ++i) {
      const bool has_failed = i == 1;
      weights[i] = has_failed ? 0.0f : 1.0f;
      class_idx[i] = i == 2 ? kUnlabelled : i % 5;
      whole.takes_part[i] = !has_failed && class_idx[i] != kUnlabelled;
      whole.weights[i] = static_cast<double>(weights[i]);
      if (whole.takes_part[i])
        whole.targets[i * 5 + class_idx[i]] = targets[i * 5 + class_idx[i]] = 1;
      const Decoded decoded = fixture.picture(3, {40, 30});
      if (has_failed) continue;
      crops.write(i, CropTransform(config), decoded, Fixture::draws_of(i));
      BatchSpec one = spec;
      one.batch = 1;
      const std::vector<float> pixels = augment::transform_picture(
          AugmentTransform(config), decoded.view(), decoded.info, one, Fixture::draws_of(i));
      std::ranges::copy(pixels, whole.pixels.begin() + static_cast<std::ptrdiff_t>(i * values));
    }
  }

  static BatchSpec batches_of_8() {
    BatchSpec spec = Fixture::spec_of({11, 9}, 3, 8);
    spec.label_form = LabelForm::kTargets;
    spec.num_targets = 5;
    return spec;
  }

  BatchSpec spec;
  CropBatch crops;
  augment::ReferenceBatch whole;
  std::vector<float> weights;
  std::vector<float> targets;
  std::vector<std::uint32_t> class_idx;
};

// Two products and a sum in float32 of values below 4: 3 roundings of 2^-22, and contrast's as above.
BOOST_AUTO_TEST_CASE(mixed_crops_are_the_mixed_batch_also_in_parts) {
  int num_boxed = 0;
  for (std::uint64_t trial = 0; trial < 40; ++trial) {
    AugmentConfig settings = config();
    settings.contrast_range = {.lo = 0.5, .hi = 2};
    settings.mixup = trial % 3 == 0 ? 0 : 0.8;
    settings.cutmix = trial % 3 == 1 ? 0 : 1;
    MixedTrial mixed(*this, settings, trial % 2 == 0 ? 8 : 7);
    const Draws draws({.seed = 4, .position = trial * 8, .purpose = DrawPurpose::kBatch});
    const augment::BatchMix mix(settings);
    mix.accept(mixed.crops.spec);
    mix.apply({.spec = &mixed.crops.spec,
               .pixels = mixed.crops.place(0),
               .targets = mixed.targets,
               .class_idx = mixed.class_idx,
               .weights = mixed.weights,
               .num_valid = mixed.whole.num_valid,
               .draws = draws});
    const augment::MixDraws drawn = augment::draw_mix(settings, {11, 9}, draws);
    num_boxed += drawn.kind == augment::MixKind::kCutmix ? 1 : 0;
    const augment::ReferenceBatch expected = augment::reference_mix(mixed.whole, drawn);
    BOOST_TEST_CONTEXT("trial " << trial) {
      BOOST_TEST(largest_difference(as_doubles(mixed.targets), expected.targets) < 1e-6);
      const std::vector<double> at_once = mixed.crops.floats();
      BOOST_TEST(largest_difference(at_once, expected.pixels) < 0.005 * kMostGain);
      std::vector<double> in_parts;
      for (const std::size_t first : {0, 2, 4, 6}) {
        const std::vector<double> part = mixed.crops.run(ValueType::kFloat32, 3, first, 2).values();
        in_parts.insert(in_parts.end(), part.begin(), part.end());
      }
      BOOST_TEST(largest_difference(in_parts, at_once) == 0);
    }
  }
  BOOST_TEST(num_boxed > 10);
  BOOST_TEST(num_boxed < 30);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
