#include "augment/colour/finish_kernel.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <random>
#include <vector>

#include "tests/augment/test_canvas.h"

namespace penstock::augment {
namespace {

using Bytes = std::vector<std::byte>;

constexpr ElementType kElements[] = {ElementType::kUint8, ElementType::kFloat16,
                                     ElementType::kBfloat16, ElementType::kFloat32};

BatchSpec spec_for(const Canvas& canvas, ElementType element, PixelLayout layout) {
  return {.batch = 1,
          .height_px = canvas.height_px,
          .width_px = canvas.width_px,
          .channels = canvas.channels,
          .element = element,
          .layout = layout};
}

/// Runs a job into memory of its own, 64-byte aligned or a little beside.
template <class Finish>
Bytes finished(const Finish& finish_job, FinishJob job, const BatchSpec& spec,
               std::size_t offset_bytes = 0) {
  constexpr std::size_t kGuardBytes = 64;
  Bytes memory(spec.sample_bytes() + 64 + offset_bytes + kGuardBytes, std::byte{0xA5});
  void* first = memory.data();
  std::size_t room = memory.size();
  std::align(64, 1, first, room);
  std::byte* const place = static_cast<std::byte*>(first) + offset_bytes;
  job.slot = {&spec, place};
  finish_job(job);
  for (const std::byte* beyond = place + spec.sample_bytes(); beyond != &memory.back(); ++beyond) {
    BOOST_REQUIRE(*beyond == std::byte{0xA5});
  }
  return {place, place + spec.sample_bytes()};
}

std::array<ChannelScale, 3> random_scales(std::mt19937_64& random) {
  std::uniform_real_distribution<float> real(-2, 2);
  std::array<ChannelScale, 3> scales;
  for (ChannelScale& scale : scales)
    scale = {.gain = 0.001f + 0.05f * std::abs(real(random)), .bias = real(random)};
  return scales;
}

ColourTail random_tail(std::mt19937_64& random, const Canvas& canvas) {
  return apply_colour_steps(random_steps(random).steps(), canvas, {});
}

BOOST_AUTO_TEST_SUITE(finish_kernel)

// By hand: (10, 20, 30) and (40, 50, 60), normalised by 0.5 x + 1 and so on; laid out as planes or
// pixels.
BOOST_AUTO_TEST_CASE(pixels_are_normalised_and_laid_out) {
  const TestCanvas owned({.width = 2, .height = 1}, 3);
  const std::vector<float> planes = {10, 40, 20, 50, 30, 60};
  std::ranges::copy(planes, owned.canvas().values);
  const FinishJob job{
      .canvas = owned.canvas(),
      .channels = {{{.gain = 0.5f, .bias = 1}, {.gain = 2}, {.gain = 1, .bias = -30}}}};
  const auto run = [&](PixelLayout layout) {
    const Bytes bytes = finished(finish, job, spec_for(job.canvas, ElementType::kFloat32, layout));
    std::vector<float> values(6);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  };
  BOOST_TEST(run(PixelLayout::kNchw) == std::vector<float>({6, 21, 40, 100, 0, 30}),
             boost::test_tools::per_element());
  BOOST_TEST(run(PixelLayout::kNhwc) == std::vector<float>({6, 40, 0, 21, 100, 30}),
             boost::test_tools::per_element());
}

// By hand: 100 * 2 + 60 is 260, held at 255; 255 / 51 - 1 is 4. What was held is not held again.
BOOST_AUTO_TEST_CASE(the_clamp_lies_between_the_colours_and_the_normalisation) {
  const TestCanvas owned({.width = 3, .height = 1}, 1);
  std::ranges::copy(std::vector<float>({100, 10, 0}), owned.canvas().values);
  ColourTail tail;
  tail.matrix.emplace(1);
  tail.matrix->append({ColourStepKind::kBrightness, 2}, {});
  tail.matrix->append({ColourStepKind::kChannelShift, 60}, {});
  const FinishJob job{
      .canvas = owned.canvas(), .tail = tail, .channels = {{{.gain = 1.0f / 51, .bias = -1}}}};
  const BatchSpec spec = spec_for(job.canvas, ElementType::kFloat32, PixelLayout::kNchw);
  const Bytes bytes = finished(finish, job, spec);
  std::vector<float> values(3);
  std::memcpy(values.data(), bytes.data(), bytes.size());
  BOOST_TEST(values[0] == 4.0f, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(values[1] == 80.0f / 51 - 1, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(values[2] == 60.0f / 51 - 1, boost::test_tools::tolerance(1e-6f));
}

BOOST_AUTO_TEST_CASE(every_vector_unit_gives_the_bytes_of_single_pixels) {
  constexpr std::uint64_t kSeed = 81;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  for (int trial = 0; trial < 300; ++trial) {
    const TestCanvas owned = random_canvas(random);
    FinishJob job{.canvas = owned.canvas(), .channels = random_scales(random)};
    if (random() % 2 == 0) job.tail = random_tail(random, job.canvas);
    const std::size_t offset_bytes = random() % 2 == 0 ? 0 : 4 * (random() % 16);
    for (const ElementType element : kElements) {
      for (const PixelLayout layout : {PixelLayout::kNchw, PixelLayout::kNhwc}) {
        const BatchSpec spec = spec_for(job.canvas, element, layout);
        const Bytes expected = finished(finish_pixel_by_pixel, job, spec);
        for_each_target(
            [&] { BOOST_REQUIRE(finished(finish, job, spec, offset_bytes) == expected); });
      }
    }
  }
}

// Lines of whole vectors in a batch of many are written past the caches.
BOOST_AUTO_TEST_CASE(fixed_canvases_give_the_bytes_of_single_pixels_on_every_vector_unit) {
  constexpr std::uint64_t kSeed = 83;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<float> factor(0, 1.5f);
  for (int trial = 0; trial < 200; ++trial) {
    const auto side = [&] { return static_cast<std::uint32_t>(1 + random() % 60); };
    const bool is_large = trial / 3 % 3 == 2;
    const TestCanvas owned({.width = is_large ? 64 * (1 + side() % 2) : side(), .height = side()},
                           3);
    std::vector<std::int16_t> values(3 * owned.canvas().plane_px());
    for (std::int16_t& value : values) value = static_cast<std::int16_t>(random() % 32641);
    FinishJob job{.canvas = owned.canvas(),
                  .fixed = {.values = values.data(), .plane_px = owned.canvas().plane_px()},
                  .channels = random_scales(random)};
    ColourSteps steps;
    if (trial % 3 != 0) steps.add({ColourStepKind::kBrightness, factor(random)});
    if (trial % 3 == 1) steps.add({ColourStepKind::kContrast, factor(random)});
    if (trial % 3 == 1) steps.add({ColourStepKind::kSaturation, factor(random)});
    steps.add({ColourStepKind::kHue, factor(random) / 3});
    job.tail = fixed_canvas_tail(steps.steps(), job.fixed);
    for (const ElementType element : kElements) {
      for (const PixelLayout layout : {PixelLayout::kNchw, PixelLayout::kNhwc}) {
        BatchSpec spec = spec_for(job.canvas, element, layout);
        const Bytes expected = finished(finish_pixel_by_pixel, job, spec);
        if (is_large) spec.batch = 1u << 20;
        for_each_target([&] { BOOST_REQUIRE(finished(finish, job, spec) == expected); });
      }
    }
  }
}

// Places of 224 x 224 in a batch of many are written past the caches.
BOOST_AUTO_TEST_CASE(large_batches_get_the_same_bytes) {
  std::mt19937_64 random(82);
  for (const std::uint32_t width : {224u, 221u}) {
    const TestCanvas owned({.width = width, .height = 32}, 3);
    fill_randomly(owned.canvas(), random);
    FinishJob job{.canvas = owned.canvas(), .channels = random_scales(random)};
    for (int trial = 0; trial < 6; ++trial) {
      if (trial > 0) job.tail = random_tail(random, job.canvas);
      for (const ElementType element : kElements) {
        for (const PixelLayout layout : {PixelLayout::kNchw, PixelLayout::kNhwc}) {
          BatchSpec spec = spec_for(job.canvas, element, layout);
          const Bytes expected = finished(finish_pixel_by_pixel, job, spec);
          spec.batch = 1000;
          for_each_target([&] { BOOST_REQUIRE(finished(finish, job, spec) == expected); });
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_abandoned_slot_is_left_at_once) {
  const TestCanvas owned({.width = 64, .height = 64}, 3);
  const BatchSpec spec = spec_for(owned.canvas(), ElementType::kUint8, PixelLayout::kNchw);
  Bytes bytes(spec.sample_bytes(), std::byte{7});
  std::stop_source stop;
  stop.request_stop();
  const std::stop_token token = stop.get_token();
  finish({.canvas = owned.canvas(), .slot = {&spec, bytes.data(), &token}});
  BOOST_TEST((bytes.front() == std::byte{7}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
