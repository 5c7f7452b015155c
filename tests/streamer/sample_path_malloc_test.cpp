// The sample path allocates nothing once it is warm: counted at malloc, that of libjpeg, libpng,
// zlib and the C++ library included.
#include <boost/test/unit_test.hpp>
#include <memory>
#include <optional>

#include <opencv2/imgcodecs.hpp>

#include "augment/augment_transform.h"
#include "streamer/pipeline/loader.h"
#include "tests/malloc_counter.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

tests::SmallSample png_sample(std::uint32_t width_px, std::uint32_t height_px, std::uint64_t seed) {
  auto pixels = tests::noisy_picture(width_px, height_px, 3, seed);
  const cv::Mat image(static_cast<int>(height_px), static_cast<int>(width_px), CV_8UC3,
                      pixels.data());
  std::vector<std::uint8_t> encoded;
  cv::imencode(".png", image, encoded);
  const auto bytes = std::as_bytes(std::span(encoded));
  tests::SmallSample sample{.encoded = {bytes.begin(), bytes.end()}, .record = {}};
  sample.record.width_px = width_px;
  sample.record.height_px = height_px;
  sample.record.codec = static_cast<std::uint8_t>(Codec::kPng);
  sample.record.class_idx = 0;
  return sample;
}

std::vector<tests::SmallSample> samples_of_every_codec() {
  auto samples = tests::mixed_samples(120);
  for (std::uint32_t i = 0; i < 20; ++i) {
    samples.push_back(tests::raw_sample(32 + i, 32, i));
    samples.push_back(png_sample(40 + i, 30, i));
  }
  return samples;
}

// A part of the samples, in either form.
constexpr std::uint64_t kCacheBytes = 200u << 10;

BOOST_AUTO_TEST_SUITE(sample_path_malloc)

BOOST_AUTO_TEST_CASE(the_counter_sees_malloc_and_operator_new) {
  tests::start_counting_mallocs();
  const auto number = std::make_unique<int>(3);
  std::vector<std::byte> bytes(100 + *number);
  const tests::MallocCounts counts = tests::stop_counting_mallocs();
  BOOST_TEST(counts.own == 2u);
  BOOST_TEST(bytes.size() == 103u);
}

void check_nothing_is_allocated(CacheForm cache) {
  const tests::TemporaryFolder folder;
  const Dataset dataset =
      tests::write_small_dataset(folder.path() / "d", samples_of_every_codec(), 50);
  for (const std::uint32_t num_threads : {1u, 2u}) {
    MemoryBudget budget(256u << 20);
    Loader loader(
        dataset.split("train"),
        {.batch = {.batch = 16, .height_px = 48, .width_px = 48},
         .num_epochs = std::nullopt,
         .num_readers = num_threads,
         .num_augmenters = num_threads,
         .cache = cache,
         .cache_bytes = cache == CacheForm::kNone ? 0u : kCacheBytes},
        std::make_shared<augment::AugmentTransform>(augment::AugmentConfig::preset("standard")),
        budget);
    std::size_t num_events = 0;
    const auto pass_epochs = [&](std::uint64_t num_epochs) {
      for (std::uint64_t i = 0; i < num_epochs * loader.num_batches_per_epoch(); ++i) {
        num_events += loader.next()->events.size();
      }
    };
    pass_epochs(10);  // every reader has met every kind of picture, queues are as long as they get
    tests::start_counting_mallocs();
    pass_epochs(20);
    const tests::MallocCounts counts = tests::stop_counting_mallocs();
    BOOST_TEST_MESSAGE(num_threads << " readers, " << num_threads << " augmenters: by oneTBB "
                                   << counts.tbb);
    BOOST_TEST(counts.own == 0u, "the last of " << counts.own << " by " << counts.last_own_caller);
    BOOST_TEST(num_events == 0u);
    const CacheStats stats = loader.detailed_stats().cache;
    if (cache == CacheForm::kNone) continue;
    BOOST_TEST(stats.num_hits > 0u);
    BOOST_TEST(stats.num_hits < stats.num_places);
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_from_epoch_to_epoch) {
  check_nothing_is_allocated(CacheForm::kNone);
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_where_some_samples_come_from_a_cache) {
  for (const CacheForm cache : {CacheForm::kEncoded, CacheForm::kDecoded}) {
    BOOST_TEST_CONTEXT(cache_form_name(cache)) { check_nothing_is_allocated(cache); }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
