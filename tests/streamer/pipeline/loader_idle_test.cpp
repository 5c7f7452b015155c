// A loader that is ahead of its consumer sleeps.
#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/small_dataset.h"
#include "tests/streamer/wait_until.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_idle)

const BatchSpec kSpec{.batch = 16, .height_px = 16, .width_px = 16};

// User and system time of all threads.
double cpu_ms() {
  rusage usage{};
  BOOST_REQUIRE(::getrusage(RUSAGE_SELF, &usage) == 0);
  const auto ms = [](const timeval& time) {
    return 1e3 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_usec);
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

struct RunningLoader {
  RunningLoader() {
    std::vector<tests::SmallSample> samples;
    for (std::uint64_t i = 0; i < 64; ++i) samples.push_back(tests::raw_sample(32, 32, i));
    const Dataset dataset = tests::write_small_dataset(folder.path() / "d", samples);
    loader.emplace(
        dataset.split("train"),
        LoaderConfig{
            .batch = kSpec, .num_epochs = {}, .num_readers = 4, .num_workers = 4, .num_slots = 4},
        std::make_shared<ResizeTransform>(), budget);
  }

  void wait_until_full() {
    tests::wait_until(
        [&] { return loader->detailed_stats().ready.now_bytes == 4 * kSpec.pixels_bytes(); });
  }

  tests::TemporaryFolder folder;
  MemoryBudget budget{64u << 20};
  std::optional<Loader> loader;
};

BOOST_AUTO_TEST_CASE(a_full_ring_costs_no_cpu_time) {
  RunningLoader running;
  running.wait_until_full();
  const double before = cpu_ms();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const double spent = cpu_ms() - before;
  BOOST_TEST_MESSAGE("idle for 1 s: " << spent << " ms of CPU time");
  BOOST_TEST(spent < 200);
}

// Batches of 16 tiny pictures, 0.2 ms of work each. Threads that spin when they run out of it, as
// oneTBB's do, take ten times as much when a batch is asked for every 10 ms; waking them up, twice.
BOOST_AUTO_TEST_CASE(a_slow_consumer_costs_what_its_samples_need) {
  RunningLoader running;
  const auto cpu_ms_of_50 = [&](std::chrono::milliseconds pause) {
    running.wait_until_full();
    const double before = cpu_ms();
    for (int i = 0; i < 50; ++i) {
      running.loader->next();
      std::this_thread::sleep_for(pause);
    }
    return cpu_ms() - before;
  };
  cpu_ms_of_50(std::chrono::milliseconds(0));  // warms up
  const double fast = cpu_ms_of_50(std::chrono::milliseconds(0));
  const double slow = cpu_ms_of_50(std::chrono::milliseconds(10));
  BOOST_TEST_MESSAGE("50 batches: " << fast << " ms of CPU time; in 0.5 s: " << slow << " ms");
  BOOST_TEST(slow < 4 * fast + 10);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
