// The sample path allocates nothing once it is warm: counted at malloc, that of libjpeg, libpng,
// zlib and the C++ library included.
#include <boost/test/unit_test.hpp>
#include <memory>
#include <optional>

#include <opencv2/imgcodecs.hpp>

#include "augment/augment_transform.h"
#include "streamer/pipeline/chain_transform.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/loader_memory.h"
#include "tests/malloc_counter.h"
#include "tests/streamer/small_dataset.h"
#include "tests/streamer/tinted_transforms.h"
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

LoaderConfig config_of(std::uint32_t num_threads, CacheForm cache = CacheForm::kNone) {
  return {.batch = {.batch = 16, .height_px = 48, .width_px = 48},
          .num_epochs = std::nullopt,
          .num_readers = num_threads,
          .num_workers = num_threads,
          .cache = cache,
          .cache_bytes = cache == CacheForm::kNone ? 0u : kCacheBytes};
}

std::shared_ptr<const SampleTransform> standard_augment() {
  return std::make_shared<augment::AugmentTransform>(augment::AugmentConfig::preset("standard"));
}

struct Epochs {
  std::uint64_t num_warm_up = 0;  // until every worker has met every kind of picture
  std::uint64_t num_counted = 0;
};

tests::MallocCounts count_mallocs(
    const DatasetSplit& split, const LoaderConfig& config, std::uint64_t limit_bytes,
    const Epochs& epochs,
    const std::shared_ptr<const SampleTransform>& transform = standard_augment()) {
  MemoryBudget budget(limit_bytes);
  Loader loader(split, config, transform, budget);
  std::size_t num_events = 0;
  const auto pass_epochs = [&](std::uint64_t num_epochs) {
    for (std::uint64_t i = 0; i < num_epochs * loader.num_batches_per_epoch(); ++i) {
      num_events += loader.next()->events.size();
    }
  };
  pass_epochs(epochs.num_warm_up);
  // On a busy machine oneTBB starts a worker late, and glibc allocates for its thread. What the sample path
  // allocates it allocates every time.
  constexpr int kMostTimes = 3;
  tests::MallocCounts counts;
  for (int time = 0; time < kMostTimes && (time == 0 || counts.own > 0); ++time) {
    tests::start_counting_mallocs();
    pass_epochs(epochs.num_counted);
    counts = tests::stop_counting_mallocs();
  }
  BOOST_TEST_MESSAGE(config.num_readers << " readers, " << config.num_workers
                                        << " workers: by oneTBB " << counts.tbb);
  BOOST_TEST(num_events == 0u);
  const CacheStats cache = loader.detailed_stats().cache;
  BOOST_TEST((cache.num_hits > 0) == (config.cache != CacheForm::kNone));
  BOOST_TEST((cache.num_hits == 0 || cache.num_hits < cache.num_places));
  return counts;
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_from_epoch_to_epoch) {
  const tests::TemporaryFolder folder;
  const Dataset dataset =
      tests::write_small_dataset(folder.path() / "d", samples_of_every_codec(), 50);
  for (const std::uint32_t num_threads : {1u, 2u}) {
    const tests::MallocCounts counts =
        count_mallocs(dataset.split("train"), config_of(num_threads), 256u << 20,
                      {.num_warm_up = 10, .num_counted = 20});
    BOOST_TEST(counts.own == 0u, "the last of " << counts.own << " by " << counts.last_own_caller);
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_by_a_chain_of_transforms) {
  const tests::TemporaryFolder folder;
  const Dataset dataset =
      tests::write_small_dataset(folder.path() / "d", samples_of_every_codec(), 50);
  const auto chain = std::make_shared<ChainTransform>(
      ChainConfig{.first = std::make_shared<tests::FlippedBits>(), .second = standard_augment()});
  const tests::MallocCounts counts = count_mallocs(dataset.split("train"), config_of(2), 256u << 20,
                                                   {.num_warm_up = 10, .num_counted = 20}, chain);
  BOOST_TEST(counts.own == 0u, "the last of " << counts.own << " by " << counts.last_own_caller);
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_where_some_samples_come_from_a_cache) {
  const tests::TemporaryFolder folder;
  const Dataset dataset =
      tests::write_small_dataset(folder.path() / "d", samples_of_every_codec(), 50);
  for (const CacheForm cache : {CacheForm::kEncoded, CacheForm::kDecoded}) {
    const tests::MallocCounts counts =
        count_mallocs(dataset.split("train"), config_of(2, cache), 256u << 20,
                      {.num_warm_up = 10, .num_counted = 20});
    BOOST_TEST(counts.own == 0u, "the last of " << counts.own << " by " << counts.last_own_caller);
  }
}

// Read and hashed in pieces of 256 KiB.
BOOST_AUTO_TEST_CASE(nothing_is_allocated_for_samples_of_more_than_one_read) {
  const tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples;
  for (std::uint32_t i = 0; i < 12; ++i) samples.push_back(tests::raw_sample(400, 300 + i, i));
  samples.push_back(tests::jpeg_sample(900, 800, 1, {.quality = 95}));
  for (const auto& sample : samples) BOOST_REQUIRE(sample.encoded.size() > 256u << 10);
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", samples);
  const tests::MallocCounts counts = count_mallocs(dataset.split("train"), config_of(2), 256u << 20,
                                                   {.num_warm_up = 20, .num_counted = 20});
  BOOST_TEST(counts.own == 0u, "the last of " << counts.own << " by " << counts.last_own_caller);
}

// More than an eighth of the limit's 8 MiB: 16,385 records.
BOOST_AUTO_TEST_CASE(nothing_is_allocated_for_the_pages_of_an_index) {
  const tests::TemporaryFolder folder;
  const std::vector<tests::SmallSample> samples(16'400, tests::raw_sample(4, 4, 1));
  const DatasetSplit split =
      tests::write_small_dataset(folder.path() / "d", samples, 9000).split("train");
  constexpr std::uint64_t kLimitBytes = 8u << 20;
  LoaderConfig config = config_of(1);
  config.num_slots = 2;
  BOOST_REQUIRE(!plan_loader_memory(split, config, *standard_augment(),
                                    {.limit_bytes = kLimitBytes, .left_bytes = kLimitBytes})
                     .index.is_resident());
  const tests::MallocCounts counts =
      count_mallocs(split, config, kLimitBytes, {.num_warm_up = 1, .num_counted = 1});
  BOOST_TEST(counts.own == 0u, "the last of " << counts.own << " by " << counts.last_own_caller);
}

// An epoch's own order is made anew, in five tables (WindowedOrder and the list of pieces that it is
// made from): an allocation an epoch each, none a sample.
BOOST_AUTO_TEST_CASE(a_windowed_order_allocates_its_tables_once_an_epoch_and_nothing_else) {
  const tests::TemporaryFolder folder;
  const Dataset dataset =
      tests::write_small_dataset(folder.path() / "d", samples_of_every_codec(), 50);
  LoaderConfig config = config_of(2);
  config.order = SampleOrder::kWindowed;
  config.window_bytes = 262'144;
  config.piece_bytes = 65'536;
  const Epochs epochs{.num_warm_up = 10, .num_counted = 20};
  const tests::MallocCounts counts =
      count_mallocs(dataset.split("train"), config, 256u << 20, epochs);
  // Admission is ahead of the consumer by the ring at most, less than an epoch.
  BOOST_TEST(counts.own <= 5 * (epochs.num_counted + 1),
             counts.own << ", the last by " << counts.last_own_caller);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
