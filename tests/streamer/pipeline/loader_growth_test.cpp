// 200 short epochs, each of a loader of its own, with a cache or without, some read to their end,
// some left early, some stopped: nothing grows.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iostream>

#include "streamer/core/draws.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/sanitizer.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_growth)

struct Holdings {
  std::size_t rss_bytes = 0;
  std::size_t num_descriptors = 0;
  std::size_t num_threads = 0;
};

Holdings holdings() {
  std::ifstream statm("/proc/self/statm");  // man 5 proc: size, then resident, in pages
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return {.rss_bytes = resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)),
          .num_descriptors = tests::count_entries("/proc/self/fd"),
          .num_threads = tests::count_entries("/proc/self/task")};
}

void run_epoch(const std::filesystem::path& folder, std::uint32_t epoch) {
  const Dataset dataset = Dataset::open(folder);
  MemoryBudget budget(64u << 20);
  const auto words = Draws({.seed = 1, .epoch = epoch}).block(0);
  Loader loader(dataset.split("train"),
                {.batch = {.batch = 8, .height_px = 32, .width_px = 32},
                 .first_epoch = epoch,
                 .num_readers = 2,
                 .num_workers = 2,
                 .cache = static_cast<CacheForm>(words[2] % 3)},
                std::make_shared<ResizeTransform>(), budget);
  const std::uint32_t num_taken = words[0] % 10;  // of 8; above: to the end of the stream
  for (std::uint32_t i = 0; i < num_taken && loader.next(); ++i) {
  }
  if (words[1] % 3 == 0) loader.request_stop();
}

BOOST_AUTO_TEST_CASE(two_hundred_short_epochs_leave_nothing_behind) {
  const tests::TemporaryFolder folder;
  tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(61), 20);
  constexpr std::uint32_t kNumWarmUp = 50;
  Holdings warm;
  for (std::uint32_t epoch = 0; epoch < kNumWarmUp; ++epoch) {
    run_epoch(folder.path() / "d", epoch);
    warm = holdings();
  }
  for (std::uint32_t epoch = kNumWarmUp; epoch < 200; ++epoch) {
    run_epoch(folder.path() / "d", epoch);
    BOOST_REQUIRE(holdings().num_descriptors == warm.num_descriptors);
    BOOST_REQUIRE(holdings().num_threads == warm.num_threads);
  }
  const Holdings after = holdings();
  BOOST_TEST_MESSAGE("resident after " << kNumWarmUp << " epochs " << warm.rss_bytes
                                       << " bytes, after 200 " << after.rss_bytes);
  if (tests::kHasSanitizer) {
    std::cout << "SKIPPED: resident memory: sanitizers keep what was freed\n";
    return;
  }
  // malloc's arenas differ from thread to thread by less; a batch leaked in each epoch would be
  // 14 MiB, one slot's bookkeeping 1 MiB and more.
  BOOST_TEST(after.rss_bytes <= warm.rss_bytes + (1u << 20));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
