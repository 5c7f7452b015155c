#include "augment/batch_mix.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include "augment/augment_transform.h"
#include "augment/element_bits.h"
#include "augment/mix/mix_draws.h"
#include "augment/mix/reference_mix.h"
#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock::augment {
namespace {

double load(const BatchSpec& spec, const std::byte* values, std::size_t i) {
  return static_cast<double>(read_element(spec.element, values + i * element_bytes(spec.element)));
}

/// A batch in the test's memory: noise, with a failed sample, one without a label, and padding.
struct NoiseBatch {
  NoiseBatch(const BatchSpec& s, std::uint32_t valid, std::mt19937_64& random)
      : spec(s),
        num_valid(valid),
        pixels(s.pixels_bytes()),
        targets(std::size_t{s.batch} * s.num_targets),
        class_idx(s.batch, kUnlabelled),
        weights(s.batch, 0.0f) {
    const std::size_t num_values = s.sample_bytes() / element_bytes(s.element);
    for (std::uint32_t place = 0; place < valid; ++place) {
      weights[place] = 1;
      class_idx[place] = static_cast<std::uint32_t>(random() % s.num_targets);
      for (std::size_t i = 0; i < num_values; ++i) {
        store(place * num_values + i, static_cast<float>(random() % 256));
      }
    }
    if (valid > 4) {
      class_idx[1] = kUnlabelled;
      const std::uint32_t failed = valid - 1;
      weights[failed] = 0;
      std::fill_n(pixels.begin() + static_cast<std::ptrdiff_t>(failed * s.sample_bytes()),
                  s.sample_bytes(), std::byte{0});
    }
    for (std::uint32_t place = 0; place < valid; ++place) {
      if (class_idx[place] == kUnlabelled || weights[place] == 0) continue;
      targets[place * s.num_targets + class_idx[place]] = 1;
    }
  }

  void store(std::size_t i, float value) {
    write_element(spec.element, value, pixels.data() + i * element_bytes(spec.element));
  }

  BatchContent content(const Draws& draws) {
    return {.spec = &spec,
            .pixels = pixels.data(),
            .targets = targets,
            .class_idx = class_idx,
            .weights = weights,
            .num_valid = num_valid,
            .draws = draws,
            .stop = nullptr};
  }

  ReferenceBatch reference() const {
    ReferenceBatch batch{.spec = spec, .num_valid = num_valid};
    const std::size_t num_values = spec.pixels_bytes() / element_bytes(spec.element);
    for (std::size_t i = 0; i < num_values; ++i)
      batch.pixels.push_back(load(spec, pixels.data(), i));
    batch.targets.assign(targets.begin(), targets.end());
    batch.weights.assign(weights.begin(), weights.end());
    for (std::uint32_t place = 0; place < spec.batch; ++place) {
      batch.takes_part.push_back(weights[place] > 0 && class_idx[place] != kUnlabelled);
    }
    return batch;
  }

  BatchSpec spec;
  std::uint32_t num_valid;
  std::vector<std::byte> pixels;
  std::vector<float> targets;
  std::vector<std::uint32_t> class_idx;
  std::vector<float> weights;
};

Draws draws_at(std::uint64_t position) {
  return Draws({.seed = 3, .epoch = 1, .position = position, .purpose = DrawPurpose::kBatch});
}

// Values are 0 to 256: half a step of bytes; 2^-11 and 2^-8 of a value for the shorter floats.
double tolerance_of(ElementType type) {
  return type == ElementType::kUint8     ? 0.501
         : type == ElementType::kFloat32 ? 1e-4
                                         : 256 * (type == ElementType::kFloat16 ? 0x1p-11 : 0x1p-8);
}

BOOST_AUTO_TEST_SUITE(batch_mix)

BOOST_AUTO_TEST_CASE(batches_equal_the_slow_twins_for_any_layout_type_and_number) {
  constexpr std::uint64_t kSeed = 5150;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  int num_mixup = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const bool is_large = trial % 60 < 2;  // pixels are blended in blocks
    const BatchSpec spec{
        .batch = static_cast<std::uint32_t>(1 + random() % 9),
        .height_px = is_large ? 153 : static_cast<std::uint32_t>(1 + random() % 12),
        .width_px = is_large ? 161 : static_cast<std::uint32_t>(1 + random() % 12),
        .channels = random() % 3 == 0 ? 1u : 3u,
        .element = static_cast<ElementType>(random() % 4),
        .layout = random() % 2 == 0 ? PixelLayout::kNchw : PixelLayout::kNhwc,
        .label_form = LabelForm::kTargets,
        .num_targets = static_cast<std::uint32_t>(1 + random() % 20)};
    NoiseBatch batch(spec, static_cast<std::uint32_t>(1 + random() % spec.batch), random);
    const AugmentConfig config{.mixup = trial % 3 == 0 ? 0.0 : 0.5,
                               .cutmix = trial % 3 == 1 ? 0.0 : 1};
    if (trial % 2 == 0) {
      for (float& weight : batch.weights) weight *= static_cast<float>(random() % 5) / 2;
    }
    const Draws draws = draws_at(random() % 10'000);
    const MixDraws drawn = draw_mix(config, {spec.width_px, spec.height_px}, draws);
    num_mixup += drawn.kind == MixKind::kMixup ? 1 : 0;
    const ReferenceBatch expected = reference_mix(batch.reference(), drawn);

    BatchMix(config).apply(batch.content(draws));

    for (std::size_t i = 0; i < expected.pixels.size(); ++i) {
      const double found = load(spec, batch.pixels.data(), i);
      const double tolerance = drawn.kind == MixKind::kCutmix ? 0 : tolerance_of(spec.element);
      BOOST_REQUIRE_MESSAGE(std::abs(found - expected.pixels[i]) <= tolerance,
                            "trial " << trial << ", value " << i << ": " << found << ", expected "
                                     << expected.pixels[i]);
    }
    for (std::size_t i = 0; i < expected.targets.size(); ++i) {
      BOOST_REQUIRE(std::abs(static_cast<double>(batch.targets[i]) - expected.targets[i]) < 1e-6);
    }
    for (std::size_t i = 0; i < expected.weights.size(); ++i) {
      BOOST_REQUIRE(std::abs(static_cast<double>(batch.weights[i]) - expected.weights[i]) < 2e-6);
    }
  }
  BOOST_TEST(num_mixup > 50);
  BOOST_TEST(num_mixup < 250);
}

// Five gray samples of two pixels, the second failed: pairs are 0 with 4, and 1 with 3, which stays as it
// is; 2 is its own.
BOOST_AUTO_TEST_CASE(mirrors_are_mixed_and_who_has_no_partner_is_not) {
  const BatchSpec spec{.batch = 6,
                       .height_px = 1,
                       .width_px = 2,
                       .channels = 1,
                       .label_form = LabelForm::kTargets,
                       .num_targets = 2};
  std::vector<float> pixels = {10, 20, 0, 0, 50, 60, 70, 80, 90, 100, 0, 0};
  std::vector<float> targets = {1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0};
  const std::vector<std::uint32_t> class_idx = {0, 1, 0, 1, 1, kUnlabelled};
  std::vector<float> weights = {1, 0, 1, 1, 1, 0};
  const Draws draws = draws_at(64);
  const auto l = static_cast<float>(draw_mix({.mixup = 1}, {2, 1}, draws).share);
  BOOST_REQUIRE((l > 0.01f && l < 0.99f));
  BatchMix({.mixup = 1})
      .apply({.spec = &spec,
              .pixels = reinterpret_cast<std::byte*>(pixels.data()),
              .targets = targets,
              .class_idx = class_idx,
              .weights = weights,
              .num_valid = 5,
              .draws = draws,
              .stop = nullptr});
  const float r = 1 - l;
  const std::vector<float> expected = {l * 10 + r * 90, l * 20 + r * 100, 0, 0, 50, 60, 70, 80,
                                       l * 90 + r * 10, l * 100 + r * 20, 0, 0};
  BOOST_TEST(pixels == expected, boost::test_tools::per_element());
  const std::vector<float> mixed = {l, r, 0, 0, 1, 0, 0, 1, r, l, 0, 0};
  BOOST_TEST(targets == mixed, boost::test_tools::per_element());
}

// Two samples of weights 3 and 1, as a loop in PyTorch has it: l w CE(t) + (1 - l) w' CE(t').
BOOST_AUTO_TEST_CASE(a_part_of_a_mixture_keeps_the_weight_of_its_sample) {
  const BatchSpec spec{.batch = 4,
                       .height_px = 1,
                       .width_px = 1,
                       .channels = 1,
                       .label_form = LabelForm::kTargets,
                       .num_targets = 2};
  std::vector<float> pixels = {10, 20, 30, 40};
  std::vector<float> targets = {1, 0, 0, 1, 1, 0, 0, 1};
  const std::vector<std::uint32_t> class_idx = {0, 1, 0, 1};
  std::vector<float> weights = {3, 2, 0, 1};  // 2 is paired with what counts nowhere
  const Draws draws = draws_at(64);
  const double l = draw_mix({.mixup = 1}, {1, 1}, draws).share;
  BatchMix({.mixup = 1})
      .apply({.spec = &spec,
              .pixels = reinterpret_cast<std::byte*>(pixels.data()),
              .targets = targets,
              .class_idx = class_idx,
              .weights = weights,
              .num_valid = 4,
              .draws = draws,
              .stop = nullptr});
  const std::vector<double> parts = {l * 3, (1 - l) * 1, 0, 2, 0, 0, (1 - l) * 3, l * 1};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const double part = static_cast<double>(weights[i / 2]) * static_cast<double>(targets[i]);
    BOOST_TEST(std::abs(part - parts[i]) < 1e-6, "part " << i << ": " << part);
  }
  BOOST_TEST(pixels[1] == 20.0f);
  BOOST_TEST(pixels[2] == 30.0f);
  BOOST_TEST(targets[0] + targets[1] == 1.0f, boost::test_tools::tolerance(1e-6f));
}

BOOST_AUTO_TEST_CASE(batches_without_targets_and_settings_that_mix_nothing_are_refused) {
  const BatchSpec spec{.batch = 2, .height_px = 4, .width_px = 4};
  BOOST_CHECK_EXCEPTION(BatchMix({.mixup = 0.2}).accept(spec), Error, [](const Error& error) {
    BOOST_TEST(error.what() ==
               std::string("batch mix: label_form: expected targets, which samples share when they "
                           "are mixed, found class indices"));
    return error.code() == ErrorCode::kInvalidArgument;
  });
  BOOST_CHECK_EXCEPTION(BatchMix({}), Error, [](const Error& error) {
    return error.what() ==
           std::string("batch mix: mixup, cutmix: expected one above 0, found both 0");
  });
  BOOST_CHECK_THROW(BatchMix({.mixup = -1}), Error);
  BOOST_TEST((make_batch_mix({}) == nullptr));
  BOOST_TEST((make_batch_mix({.cutmix = 1}) != nullptr));
  BOOST_TEST(
      (make_batch_mix(AugmentConfig{.mixup = 1, .cutmix = 1}.without_randomness()) == nullptr));
}

BOOST_AUTO_TEST_CASE(identity_names_what_is_on) {
  BOOST_TEST(BatchMix({.mixup = 0.2}).identity() ==
             "batch_transform=mix\nbatch_mix.revision=1\naugment.mixup=0.2\n");
  BOOST_TEST(BatchMix({.mixup = 0.2, .cutmix = 1}).identity() ==
             "batch_transform=mix\nbatch_mix.revision=1\naugment.mixup=0.2\naugment.cutmix=1\n");
}

// Through the loader: what comes is what the twin makes of the batches that come without mixing.
BOOST_AUTO_TEST_CASE(a_loader_delivers_what_the_twin_makes_whatever_its_threads) {
  const tests::TemporaryFolder folder;
  const Dataset dataset =
      tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(27), 9);
  const DatasetSplit split = dataset.split("train");
  MemoryBudget budget(64u << 20);
  AugmentConfig config = AugmentConfig::preset("standard");
  config.mixup = 0.4;
  config.cutmix = 1;
  const auto load_with = [&](std::shared_ptr<const BatchTransform> mix, std::uint32_t num_threads) {
    return Loader(split,
                  {.batch = {.batch = 8,
                             .height_px = 24,
                             .width_px = 20,
                             .label_form = LabelForm::kTargets,
                             .num_targets = 2},
                   .batch_transform = std::move(mix),
                   .seed = 21,
                   .num_epochs = 3,
                   .num_readers = num_threads,
                   .num_workers = num_threads},
                  std::make_shared<AugmentTransform>(config), budget);
  };
  Loader plain = load_with(nullptr, 1);
  Loader one = load_with(make_batch_mix(config), 1);
  Loader many = load_with(make_batch_mix(config), 8);
  int num_soft = 0;
  while (const BatchLease was = plain.next()) {
    const BatchLease is = one.next();
    const BatchLease again = many.next();
    const BatchSpec& spec = *is->spec;
    BOOST_REQUIRE(std::memcmp(is->pixels, again->pixels, spec.pixels_bytes()) == 0);
    BOOST_REQUIRE(std::ranges::equal(is->targets, again->targets));
    BOOST_REQUIRE(std::ranges::equal(is->class_idx, was->class_idx));
    const std::size_t num_values = spec.pixels_bytes() / sizeof(float);
    ReferenceBatch batch{.spec = spec,
                         .pixels = {was->pixels_f32(), was->pixels_f32() + num_values},
                         .targets = {was->targets.begin(), was->targets.end()},
                         .takes_part = std::vector<bool>(spec.batch, true),
                         .num_valid = was->num_valid};
    const Draws draws({.seed = 21,
                       .epoch = was->epoch,
                       .position = was->positions[0],
                       .purpose = DrawPurpose::kBatch});
    const ReferenceBatch expected =
        reference_mix(batch, draw_mix(config, {spec.width_px, spec.height_px}, draws));
    for (std::size_t i = 0; i < num_values; ++i) {
      BOOST_REQUIRE(std::abs(static_cast<double>(is->pixels_f32()[i]) - expected.pixels[i]) < 1e-6);
    }
    for (std::size_t i = 0; i < is->targets.size(); ++i) {
      BOOST_REQUIRE(std::abs(static_cast<double>(is->targets[i]) - expected.targets[i]) < 1e-6);
      num_soft += is->targets[i] > 0 && is->targets[i] < 1 ? 1 : 0;
    }
  }
  BOOST_TEST(num_soft > 10);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
