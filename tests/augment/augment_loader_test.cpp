// The transform as the loader runs it.
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <memory>
#include <vector>

#include "augment/augment_transform.h"
#include "augment/element_bits.h"
#include "streamer/pipeline/loader.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock::augment {
namespace {

BOOST_AUTO_TEST_SUITE(augment_loader)

// A raw sample can be had at full size only, however much smaller the batch is.
BOOST_AUTO_TEST_CASE(raw_pictures_of_twice_the_batchs_size_and_more_come_through) {
  const tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples;
  for (std::uint64_t i = 0; i < 10; ++i) {
    const auto side_px = static_cast<std::uint32_t>(64 + 30 * i);
    samples.push_back(tests::raw_sample(side_px, side_px, i));
  }
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", samples);
  MemoryBudget budget(64u << 20);
  Loader loader(dataset.split("train"), {.batch = {.batch = 4, .height_px = 32, .width_px = 32}},
                std::make_shared<AugmentTransform>(AugmentConfig::preset("standard")), budget);
  std::uint64_t num_samples = 0;
  while (const BatchLease lease = loader.next()) {
    num_samples += lease->num_valid;
    for (const SampleEvent& event : lease->events) BOOST_TEST(event.fault.detail() == "");
    for (std::uint32_t i = 0; i < lease->num_valid; ++i) BOOST_TEST(lease->weights[i] == 1.0f);
  }
  BOOST_TEST(num_samples == 10u);
}

// A batch of another element type holds the float32 batch's values, rounded (element_bits_test has the
// rounding): colours, erasing and normalisation come before it. uint8 holds them before normalisation, and
// without colours from blends in whole numbers: now and then the other neighbour of a half.
BOOST_AUTO_TEST_CASE(batches_of_every_element_type_hold_the_same_values) {
  const tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples;
  for (std::uint64_t i = 0; i < 9; ++i) samples.push_back(tests::raw_sample(40, 30, i));
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", samples);
  AugmentConfig plain = AugmentConfig::preset("standard");
  plain.fill_mode = FillMode::kConstant;
  plain.cval = 33;
  plain.rescale = 1;
  AugmentConfig coloured = plain;
  coloured.brightness_range = {.lo = 0.7, .hi = 1.3};
  coloured.contrast_range = {.lo = 0.7, .hi = 1.3};
  coloured.saturation_range = {.lo = 0.7, .hi = 1.3};
  coloured.random_erasing = 0.5;
  coloured.random_erasing_value = 100;
  const auto run = [&](const AugmentConfig& config, ElementType element) {
    MemoryBudget budget(64u << 20);
    Loader loader(dataset.split("train"),
                  {.batch = {.batch = 4, .height_px = 33, .width_px = 32, .element = element}},
                  std::make_shared<AugmentTransform>(config), budget);
    std::vector<std::byte> bytes;
    while (const BatchLease lease = loader.next()) {
      for (const SampleEvent& event : lease->events) BOOST_TEST(event.fault.detail() == "");
      const std::size_t size = lease->spec->sample_bytes() * lease->num_valid;
      bytes.insert(bytes.end(), lease->pixels, lease->pixels + size);
    }
    return bytes;
  };
  // Without colours batches are written straight, otherwise over a canvas.
  for (const AugmentConfig& config : {plain, coloured}) {
    const std::vector<std::byte> floats = run(config, ElementType::kFloat32);
    const std::size_t num_values = floats.size() / sizeof(float);
    BOOST_REQUIRE(num_values == 9u * 33 * 32 * 3);
    for (const ElementType element :
         {ElementType::kFloat16, ElementType::kBfloat16, ElementType::kUint8}) {
      const std::vector<std::byte> found = run(config, element);
      const std::size_t size = element_bytes(element);
      BOOST_REQUIRE(found.size() == num_values * size);
      std::array<std::byte, 4> expected{};
      std::size_t num_different = 0;
      for (std::size_t i = 0; i < num_values; ++i) {
        float value = 0;
        std::memcpy(&value, &floats[i * sizeof value], sizeof value);
        write_element(element, value, expected.data());
        if (std::memcmp(&found[i * size], expected.data(), size) == 0) continue;
        ++num_different;
        if (element == ElementType::kUint8) {
          BOOST_REQUIRE(
              std::abs(std::to_integer<int>(found[i]) - std::to_integer<int>(expected[0])) == 1);
        }
      }
      const bool is_fixed_point = element == ElementType::kUint8 && config == plain;
      BOOST_TEST(num_different <= (is_fixed_point ? num_values / 200 : 0));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
