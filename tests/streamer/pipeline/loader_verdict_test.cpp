// Loaders that are slow on purpose, one stage at a time, and what their figures say.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

#include "streamer/pipeline/loader.h"
#include "tests/streamer/slow_disk.h"
#include "tests/streamer/slow_transform.h"
#include "tests/streamer/small_dataset.h"
#include "tests/streamer/wait_until.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

BOOST_AUTO_TEST_SUITE(loader_verdict)

const BatchSpec kSpec{.batch = 8, .height_px = 8, .width_px = 8};

struct Setup {
  std::vector<tests::SmallSample> samples;
  std::uint32_t num_batches = 30;
  microseconds consumer_pause{0};
  microseconds transform_pause{0};
  microseconds read_delay{0};
};

// What a loader's figures are after `num_batches`.
LoaderStats stats_of(const Setup& setup) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", setup.samples);
  const DatasetSplit split = dataset.split("train");
  const tests::SlowDisk disk(setup.read_delay);
  MemoryBudget budget(256u << 20);
  Loader loader(split, {.batch = kSpec, .num_epochs = {}, .num_readers = 1, .num_workers = 1},
                std::make_shared<tests::SlowTransform>(setup.transform_pause), budget);
  for (std::uint32_t i = 0; i < setup.num_batches; ++i) {
    const BatchLease lease = loader.next();
    std::this_thread::sleep_for(setup.consumer_pause);
  }
  return loader.detailed_stats();
}

std::vector<tests::SmallSample> tiny_samples() {
  std::vector<tests::SmallSample> samples;
  for (std::uint64_t i = 0; i < 16; ++i) samples.push_back(tests::raw_sample(8, 8, i));
  return samples;
}

void check(const LoaderStats& stats, Bottleneck expected) {
  const Verdict found = verdict(stats);
  BOOST_TEST_MESSAGE(found.text);
  BOOST_TEST_CONTEXT(found.text) {
    BOOST_CHECK(found.bottleneck == expected);
  }
}

BOOST_AUTO_TEST_CASE(a_slow_consumer_is_told) {
  stats_of({.samples = tiny_samples()});  // the first use of everything takes longer
  const LoaderStats stats =
      stats_of({.samples = tiny_samples(), .consumer_pause = milliseconds(20)});
  check(stats, Bottleneck::kConsumer);
  BOOST_TEST(stats.consumer_busy_us >= 30u * 20'000u);
  BOOST_TEST(stats.admission_slot_wait_us > stats.elapsed_us / 2);
  BOOST_TEST(stats.reader_wait_us > stats.elapsed_us / 2);
}

BOOST_AUTO_TEST_CASE(a_slow_transform_is_told) {
  const LoaderStats stats =
      stats_of({.samples = tiny_samples(), .transform_pause = milliseconds(1)});
  check(stats, Bottleneck::kAugment);
  // The runs of the batches that came; those under way may not have been counted yet.
  BOOST_TEST(stats.augment_busy_us >= 30u * 8u * 1000u);
  BOOST_TEST(stats.to_fill.most_bytes > 0u);
}

BOOST_AUTO_TEST_CASE(a_slow_disk_is_told) {
  const LoaderStats stats = stats_of({.samples = tiny_samples(), .read_delay = milliseconds(1)});
  check(stats, Bottleneck::kDisk);
  BOOST_TEST(stats.to_read.most_bytes > 0u);
}

BOOST_AUTO_TEST_CASE(pictures_that_are_hard_to_decode_are_told) {
  std::vector<tests::SmallSample> samples;
  samples.push_back(tests::jpeg_sample(800, 600, 1, {.is_progressive = true}));
  for (int i = 0; i < 7; ++i) samples.push_back(samples.front());
  check(stats_of({.samples = samples, .num_batches = 8}), Bottleneck::kDecode);
}

BOOST_AUTO_TEST_CASE(queues_are_told_in_bytes_now_and_at_most) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tiny_samples());
  MemoryBudget budget(64u << 20);
  Loader loader(dataset.split("train"), {.batch = kSpec, .num_epochs = {}, .num_slots = 3},
                std::make_shared<ResizeTransform>(), budget);
  const std::uint64_t batch_bytes = std::uint64_t{8} * 8 * 8 * 3 * 4;
  tests::wait_until([&] { return loader.detailed_stats().ready.now_bytes == 3 * batch_bytes; });
  {
    const BatchLease a = loader.next();
    const BatchLease b = loader.next();
    const LoaderStats stats = loader.detailed_stats();
    BOOST_TEST(stats.lent.now_bytes == 2 * batch_bytes);
    BOOST_TEST(stats.ready.now_bytes == batch_bytes);
  }
  tests::wait_until([&] { return loader.detailed_stats().ready.now_bytes == 3 * batch_bytes; });
  const LoaderStats stats = loader.detailed_stats();
  BOOST_TEST(stats.lent.now_bytes == 0u);
  BOOST_TEST(stats.lent.most_bytes == 2 * batch_bytes);
  BOOST_TEST(stats.ready.most_bytes == 3 * batch_bytes);
  BOOST_TEST(stats.in_flight.now_bytes == 0u);
  BOOST_TEST(stats.in_flight.most_bytes >= 2u * 192u);  // a picture, encoded and decoded
  BOOST_TEST(stats.to_read.now_bytes == 0u);
  BOOST_TEST(stats.to_fill.now_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(figures_add_up_and_stand_still_once_the_stream_has_ended) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(60));
  MemoryBudget budget(64u << 20);
  Loader loader(dataset.split("train"),
                {.batch = kSpec, .num_epochs = 5, .num_readers = 2, .num_workers = 1},
                std::make_shared<ResizeTransform>(), budget);
  while (loader.next()) {
  }
  const LoaderStats stats = loader.detailed_stats();
  BOOST_TEST(stats.source.num_samples == 300u);
  BOOST_TEST(stats.source.consumer_wait_us + stats.consumer_busy_us <= stats.elapsed_us);
  BOOST_TEST(stats.source.consumer_wait_us + stats.consumer_busy_us + 2 >= stats.elapsed_us);
  BOOST_TEST(stats.first_batch_wait_us <= stats.source.consumer_wait_us);
  const std::uint64_t readers_busy_us = stats.read_busy_us + stats.checksum_busy_us;
  BOOST_TEST(stats.read_busy_us > 0u);
  BOOST_TEST(readers_busy_us + stats.reader_wait_us <= 2 * stats.elapsed_us + 10);
  const std::uint64_t workers_busy_us = stats.decode_busy_us + stats.augment_busy_us;
  BOOST_TEST(stats.decode_busy_us > 0u);
  BOOST_TEST(stats.augment_busy_us > 0u);
  BOOST_TEST(workers_busy_us + stats.worker_wait_us <= stats.elapsed_us + 10);
  BOOST_TEST(stats.admission_busy_us + stats.admission_slot_wait_us +
                 stats.admission_memory_wait_us <=
             stats.elapsed_us + 10);
  std::this_thread::sleep_for(milliseconds(20));
  const LoaderStats later = loader.detailed_stats();
  BOOST_TEST(later.elapsed_us == stats.elapsed_us);
  BOOST_TEST(later.consumer_busy_us == stats.consumer_busy_us);
}

BOOST_AUTO_TEST_CASE(depth_is_told_as_set_or_as_ruled) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tiny_samples());
  MemoryBudget budget(256u << 20);
  const auto depth_of = [&](const LoaderConfig& config) {
    return Loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget)
        .detailed_stats()
        .depth;
  };
  // 24 places are in flight beside a batch lent out: 4 for each of two runs of three readers.
  const LoaderDepth set = depth_of(
      {.batch = kSpec, .num_readers = 3, .num_workers = 1, .num_slots = 4, .work_bytes = 7u << 20});
  BOOST_CHECK((set == LoaderDepth{.num_readers = 3,
                                  .num_workers = 1,
                                  .num_slots = 4,
                                  .max_run_samples = 4,
                                  .max_run_bytes = 1u << 20,
                                  .work_bytes = 7u << 20}));
  const LoaderDepth ruled = depth_of({.batch = kSpec});
  BOOST_TEST(ruled.num_readers >= 1u);
  BOOST_TEST(ruled.num_readers == ruled.num_workers);
  BOOST_TEST(ruled.work_bytes == 16u << 20);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
