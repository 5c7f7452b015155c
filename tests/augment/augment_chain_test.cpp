// A user's transform before and after the fused pass, as the loader runs them.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <memory>
#include <string>

#include "augment/augment_transform.h"
#include "streamer/core/error.h"
#include "streamer/pipeline/chain_transform.h"
#include "streamer/pipeline/loader.h"
#include "tests/streamer/batch_hash.h"
#include "tests/streamer/small_dataset.h"
#include "tests/streamer/tinted_transforms.h"
#include "tests/temporary_folder.h"

namespace penstock::augment {
namespace {

using Transform = std::shared_ptr<const SampleTransform>;

const BatchSpec kSpec{.batch = 8, .height_px = 32, .width_px = 40};
constexpr std::uint64_t kSeed = 5;

Transform turning() {
  return std::make_shared<AugmentTransform>(
      AugmentConfig{.horizontal_flip = 0.5,
                    .zoom_range = {.lo = 0.8, .hi = 1.2},
                    .rotation_range = 20,
                    .brightness_range = {.lo = 0.5, .hi = 1}});
}

Transform chain(Transform first, Transform second) {
  return std::make_shared<ChainTransform>(
      ChainConfig{.first = std::move(first), .second = std::move(second)});
}

/// All places of two epochs in the order of the stream, and hashes of the batches.
struct Streamed {
  std::vector<std::byte> places;
  std::vector<Draws::Place> draws;
  std::vector<std::uint64_t> sample_ids;
  std::vector<std::string> hashes;
};

Streamed stream(const Dataset& dataset, const Transform& transform, const BatchSpec& spec,
                std::uint32_t num_threads = 2) {
  MemoryBudget budget(64u << 20);
  Loader loader(dataset.split("train"),
                {.batch = spec,
                 .seed = kSeed,
                 .num_epochs = 2,
                 .num_readers = num_threads,
                 .num_workers = num_threads},
                transform, budget);
  Streamed streamed;
  while (const BatchLease lease = loader.next()) {
    BOOST_TEST(lease->events.empty());
    streamed.hashes.push_back(tests::hash_batch(lease.view()));
    streamed.places.insert(streamed.places.end(), lease->pixels,
                           lease->pixels + lease->num_valid * spec.sample_bytes());
    for (std::uint32_t i = 0; i < lease->num_valid; ++i) {
      streamed.draws.push_back(
          {.seed = kSeed, .epoch = lease->epoch, .position = lease->positions[i]});
      streamed.sample_ids.push_back(lease->sample_ids[i]);
    }
  }
  return streamed;
}

struct Fixture {
  tests::TemporaryFolder folder;
  Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(37));
};

BatchSpec in_bytes() {
  BatchSpec bytes = kSpec;
  bytes.element = ElementType::kUint8;
  return bytes;
}

BOOST_FIXTURE_TEST_SUITE(augment_chain, Fixture)

// By hand: batches of bytes from the fused pass alone, times the gain of each place.
BOOST_AUTO_TEST_CASE(what_stands_after_the_pass_gets_its_bytes) {
  const Streamed found =
      stream(dataset, chain(turning(), std::make_shared<tests::DrawnGain>()), kSpec);
  const Streamed augmented = stream(dataset, turning(), in_bytes());
  BOOST_REQUIRE(found.draws.size() == 74u);
  BOOST_REQUIRE(found.places.size() == augmented.places.size() * sizeof(float));
  BOOST_TEST(found.sample_ids == augmented.sample_ids);
  const auto* values = reinterpret_cast<const float*>(found.places.data());
  const std::size_t num_values = kSpec.sample_bytes() / sizeof(float);
  for (std::size_t i = 0; i < augmented.places.size(); ++i) {
    const float gain = tests::DrawnGain::drawn(Draws(found.draws[i / num_values]));
    const float expected =
        gain * static_cast<float>(std::to_integer<std::uint8_t>(augmented.places[i]));
    BOOST_REQUIRE(values[i] == expected);
  }
}

// By hand: batches of bytes from the first alone, each given to the fused pass.
BOOST_AUTO_TEST_CASE(what_stands_before_the_pass_makes_its_pictures) {
  const Transform bits = std::make_shared<tests::FlippedBits>();
  const Streamed found = stream(dataset, chain(bits, turning()), kSpec);
  const Streamed pictures = stream(dataset, bits, in_bytes());
  const Transform pass = turning();
  const std::size_t picture_bytes = in_bytes().sample_bytes();
  for (std::size_t place = 0; place < found.draws.size(); ++place) {
    const SamplePlan plan = pass->plan(
        {.width_px = kSpec.width_px, .height_px = kSpec.height_px, .max_decode_scale = 1}, kSpec,
        Draws(found.draws[place]));
    std::vector<std::byte> scratch(plan.scratch_bytes);
    std::vector<std::byte> expected(kSpec.sample_bytes());
    const auto* pixels =
        reinterpret_cast<const std::uint8_t*>(&pictures.places[place * picture_bytes]);
    pass->apply({.image = {.pixels_hwc = pixels,
                           .width_px = kSpec.width_px,
                           .height_px = kSpec.height_px,
                           .channels = 3,
                           .pixel_stride_bytes = 3,
                           .row_stride_bytes = std::size_t{kSpec.width_px} * 3},
                 .region = {0, 0, kSpec.width_px, kSpec.height_px}},
                plan, scratch, {.spec = &kSpec, .pixels = expected.data()});
    BOOST_REQUIRE(
        std::memcmp(expected.data(), &found.places[place * expected.size()], expected.size()) == 0);
  }
}

BOOST_AUTO_TEST_CASE(threads_change_no_byte_on_either_side) {
  const Transform bits = std::make_shared<tests::FlippedBits>();
  const Transform gain = std::make_shared<tests::DrawnGain>();
  for (const Transform& transform : {chain(bits, turning()), chain(turning(), gain)}) {
    const auto expected = stream(dataset, transform, kSpec, 1).hashes;
    BOOST_TEST(expected.size() == 10u);
    for (const std::uint32_t num_threads : {2u, 8u}) {
      BOOST_TEST((stream(dataset, transform, kSpec, num_threads).hashes == expected));
    }
  }
}

BOOST_AUTO_TEST_CASE(two_passes_that_draw_are_refused) {
  const Transform gain = std::make_shared<tests::DrawnGain>();
  // Sides, crops and colours of their own, and nothing drawn.
  const Transform still = std::make_shared<AugmentTransform>(
      AugmentConfig{.center_crop = 0.8, .fill_mode = FillMode::kWrap, .cval = 3});
  chain(turning(), still)->accept(kSpec);
  chain(still, turning())->accept(kSpec);
  chain(chain(still, turning()), gain)->accept(kSpec);
  for (const Transform& twice :
       {chain(turning(), turning()), chain(chain(turning(), gain), turning()),
        chain(turning(), chain(gain, turning()))}) {
    BOOST_CHECK_EXCEPTION(twice->accept(kSpec), Error, [](const Error& error) {
      return std::string(error.what()) ==
             "chain: second: expected no draws of DrawPurpose::kSample, which first takes, found a "
             "transform that takes them too";
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
