// What the stages and the ceilings work on is what the loader streams.
#include "tools/bench/sample_window.h"

#include <boost/test/unit_test.hpp>

#include "augment/augment_transform.h"
#include "streamer/core/checksum.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"
#include "tools/bench/loader_run.h"

namespace penstock::tools::bench {
namespace {

BOOST_AUTO_TEST_CASE(a_window_holds_the_samples_on_the_loaders_clock_in_order) {
  const tests::TemporaryFolder folder;
  const auto samples = tests::mixed_samples(12);
  const Dataset dataset = tests::write_small_dataset(folder.path() / "mixed.ds", samples);
  const Stream stream{.split = dataset.split("train"),
                      .spec = {.batch = 4, .height_px = 24, .width_px = 24, .channels = 3},
                      .transform = std::make_shared<augment::AugmentTransform>(
                          augment::AugmentConfig{.random_resized_crop = true}),
                      .seed = 3,
                      .memory_bytes = 64u << 20,
                      .num_warm_batches = 1,
                      .num_batches = 5};
  const LoaderThreads one{.num_readers = 1, .num_workers = 1, .num_slots = 3};
  const LoaderThreads more{.num_readers = 2, .num_workers = 2, .num_slots = 4};
  const auto places = record_places(stream, one);
  BOOST_REQUIRE(places.size() == 20u);
  BOOST_TEST(places.front().position == 4u);  // behind the batch that warms
  const auto again = record_places(stream, more);
  SampleWindow window(stream, places);
  window.read_samples();
  BOOST_REQUIRE(window.size() == 20u);
  std::size_t longest = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    BOOST_TEST(again[i].sample_id == places[i].sample_id);
    const auto& stored = samples[places[i].sample_id].encoded;
    const auto encoded = window.encoded(i);
    BOOST_TEST(std::equal(stored.begin(), stored.end(), encoded.begin(), encoded.end()));
    BOOST_TEST(xxh3_64(encoded) == window.tasks()[i].record.xxh3);
    longest = std::max(longest, stored.size());
  }
  BOOST_TEST(window.max_encoded_bytes() == longest);
  BOOST_TEST(window.are_all(Codec::kJpeg));
  BOOST_TEST(!window.are_all(Codec::kRaw));
}

BOOST_AUTO_TEST_CASE(a_run_counts_the_samples_on_its_clock) {
  const tests::TemporaryFolder folder;
  const Dataset dataset =
      tests::write_small_dataset(folder.path() / "mixed.ds", tests::mixed_samples(12));
  const Stream stream{
      .split = dataset.split("train"),
      .spec = {.batch = 4, .height_px = 24, .width_px = 24, .channels = 3},
      .transform = std::make_shared<augment::AugmentTransform>(augment::AugmentConfig{}),
      .memory_bytes = 64u << 20,
      .num_warm_batches = 2,
      .num_batches = 7};
  const LoaderTimes times = run_loader(stream, {});
  BOOST_TEST(times.num_samples == 28u);
  BOOST_TEST(times.time.seconds > 0);
  BOOST_TEST(times.stats.source.high_water_bytes > 0u);
  BOOST_TEST(times.stats.source.high_water_bytes <= stream.memory_bytes);
}

}  // namespace
}  // namespace penstock::tools::bench
