// A loader stops within 100 ms whatever its threads are in: stop_time.h says how that is held on a
// machine that is busy. Left alone, each state here would last much longer.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <future>
#include <optional>
#include <thread>

#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "tests/streamer/slow_disk.h"
#include "tests/streamer/slow_transform.h"
#include "tests/streamer/small_dataset.h"
#include "tests/streamer/stop_time.h"
#include "tests/streamer/wait_until.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

BOOST_AUTO_TEST_SUITE(loader_interrupt)

const BatchSpec kSmall{.batch = 2, .height_px = 8, .width_px = 8};

// How long a loader's destruction takes.
double ms_to_destroy(std::optional<Loader>& loader) {
  const tests::StopClock clock;
  loader.reset();
  return clock.ms();
}

// A dataset of one picture `count` times.
struct Pictures {
  explicit Pictures(const tests::SmallSample& sample, std::size_t count = 8)
      : split(tests::write_small_dataset(folder.path() / "d",
                                         std::vector<tests::SmallSample>(count, sample))
                  .split("train")) {}

  tests::TemporaryFolder folder;
  DatasetSplit split;
};

tests::SmallSample flat_raw_sample(std::uint32_t width_px, std::uint32_t height_px) {
  tests::SmallSample sample = tests::raw_sample(1, 1, 0);
  sample.encoded.assign(std::size_t{width_px} * height_px * 3, std::byte{77});
  sample.record.width_px = width_px;
  sample.record.height_px = height_px;
  return sample;
}

BOOST_AUTO_TEST_CASE(within_the_read_of_a_large_sample) {
  const Pictures pictures(flat_raw_sample(4096, 2048), 2);  // 24 MiB: 96 reads, 1.9 s
  MemoryBudget budget(256u << 20);
  tests::check_stops_in_time("pread of a large sample", [&] {
    const tests::SlowDisk disk(milliseconds(20));
    std::optional<Loader> loader;
    loader.emplace(pictures.split, LoaderConfig{.batch = kSmall, .num_readers = 1},
                   std::make_shared<ResizeTransform>(), budget);
    const std::uint64_t before = disk.num_reads();  // of the index
    tests::wait_until([&] { return disk.num_reads() >= before + 2; });
    const double ms = ms_to_destroy(loader);
    BOOST_TEST(disk.num_reads() < before + 96);
    return ms;
  });
}

BOOST_AUTO_TEST_CASE(within_the_decode_of_a_large_picture) {
  for (const bool is_progressive : {false, true}) {
    const Pictures pictures(tests::jpeg_sample(6000, 4000, 1, {.is_progressive = is_progressive}),
                            8);
    MemoryBudget budget(512u << 20);
    tests::check_stops_in_time(is_progressive ? "decode, progressive" : "decode, baseline", [&] {
      std::optional<Loader> loader;
      loader.emplace(pictures.split, LoaderConfig{.batch = kSmall, .num_readers = 2},
                     std::make_shared<ResizeTransform>(ResizeConfig{.decode_scaling = false}),
                     budget);
      // One is done: the other worker is within the next, this one about to begin another.
      tests::wait_until([&] { return loader->detailed_stats().decode_busy_us > 0; });
      return ms_to_destroy(loader);
    });
  }
}

BOOST_AUTO_TEST_CASE(within_the_augmentation_of_a_large_output) {
  const Pictures pictures(tests::raw_sample(64, 64, 1));
  MemoryBudget budget(512u << 20);
  tests::check_stops_in_time("augment of a large output", [&] {
    const auto transform = std::make_shared<tests::SlowTransform>(microseconds(0));
    std::optional<Loader> loader;
    // A few seconds of work for each.
    loader.emplace(pictures.split,
                   LoaderConfig{.batch = {.batch = 1,
                                          .height_px = 12'000,
                                          .width_px = 12'000,
                                          .channels = 1,
                                          .element = ElementType::kUint8},
                                .num_readers = 1,
                                .num_workers = 1,
                                .num_slots = 2},
                   transform, budget);
    tests::wait_until([&] { return transform->num_begun() >= 1; });
    return ms_to_destroy(loader);
  });
}

BOOST_AUTO_TEST_CASE(while_admission_waits_for_a_slot_or_for_memory) {
  const Pictures pictures(tests::raw_sample(64, 64, 1), 64);
  MemoryBudget budget(64u << 20);
  tests::check_stops_in_time("the wait for a slot", [&] {
    std::optional<Loader> loader;
    loader.emplace(pictures.split, LoaderConfig{.batch = kSmall, .num_epochs = {}, .num_slots = 3},
                   std::make_shared<ResizeTransform>(), budget);
    const std::uint64_t ring_bytes = 3 * std::uint64_t{kSmall.pixels_bytes()};
    tests::wait_until([&] { return loader->detailed_stats().ready.now_bytes == ring_bytes; });
    return ms_to_destroy(loader);
  });
  tests::check_stops_in_time("the wait for memory", [&] {
    const tests::SlowDisk disk(milliseconds(20));
    std::optional<Loader> loader;
    loader.emplace(pictures.split,
                   LoaderConfig{.batch = kSmall,
                                .num_epochs = {},
                                .num_readers = 1,
                                .num_slots = 8,
                                .work_bytes = 25u << 10},  // one picture of 2 x 12 KiB
                   std::make_shared<ResizeTransform>(), budget);
    tests::wait_until([&] { return loader->detailed_stats().admission_memory_wait_us > 0; });
    return ms_to_destroy(loader);
  });
}

BOOST_AUTO_TEST_CASE(a_consumer_that_waits_in_next_is_woken_with_stopped) {
  const Pictures pictures(flat_raw_sample(4096, 2048), 2);
  MemoryBudget budget(256u << 20);
  tests::check_stops_in_time("next()", [&] {
    const tests::SlowDisk disk(milliseconds(20));
    Loader loader(pictures.split, {.batch = kSmall, .num_readers = 1},
                  std::make_shared<ResizeTransform>(), budget);
    std::promise<bool> is_woken_with_stopped;
    const std::jthread consumer([&] {
      try {
        loader.next();
        is_woken_with_stopped.set_value(false);
      } catch (const Error& error) {
        is_woken_with_stopped.set_value(error.code() == ErrorCode::kStopped);
      }
    });
    tests::wait_until([&] {
      return disk.num_reads() >= 1 && loader.detailed_stats().source.consumer_wait_us > 0;
    });
    const tests::StopClock clock;
    loader.request_stop();
    BOOST_TEST(is_woken_with_stopped.get_future().get());
    return clock.ms();
  });
}

BOOST_AUTO_TEST_CASE(after_a_stop_next_throws_stopped_at_once_and_leases_stay) {
  const Pictures pictures(tests::raw_sample(8, 8, 1), 64);
  MemoryBudget budget(64u << 20);
  Loader loader(pictures.split, {.batch = kSmall, .num_epochs = {}, .num_slots = 3},
                std::make_shared<ResizeTransform>(), budget);
  const BatchLease lease = loader.next();
  tests::wait_until(
      [&] { return loader.detailed_stats().ready.now_bytes == 2 * kSmall.pixels_bytes(); });
  loader.request_stop();
  loader.request_stop();
  for (int i = 0; i < 2; ++i) {
    BOOST_CHECK_EXCEPTION(loader.next(), Error, [](const Error& error) {
      return error.code() == ErrorCode::kStopped &&
             std::string(error.what()) == "loader: next batch: stopped on request";
    });
  }
  BOOST_TEST(loader.detailed_stats().ready.now_bytes == 0u);
  BOOST_TEST(lease->num_valid == 2u);
}

BOOST_AUTO_TEST_CASE(a_stream_that_has_ended_stays_ended_after_a_stop) {
  const Pictures pictures(tests::raw_sample(8, 8, 1), 4);
  MemoryBudget budget(64u << 20);
  Loader loader(pictures.split, {.batch = kSmall}, std::make_shared<ResizeTransform>(), budget);
  while (loader.next()) {
  }
  loader.request_stop();
  BOOST_TEST(!loader.next());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
