// Runs that wait for a reader are asked for ahead; which bytes that are: read_ahead_test.cpp.
#include <boost/test/unit_test.hpp>

#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/slow_disk.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_read_ahead)

// 30 KB each: far above the shortest range that is asked for.
constexpr std::uint64_t kNumSamples = 96;

std::uint64_t num_read_aheads(SampleOrder order) {
  const tests::TemporaryFolder folder;
  const std::vector<tests::SmallSample> samples(kNumSamples, tests::raw_sample(100, 100, 1));
  const DatasetSplit split =
      tests::write_small_dataset(folder.path() / "d", samples).split("train");
  const tests::SlowDisk disk(std::chrono::milliseconds(1));
  MemoryBudget budget(64u << 20);
  Loader loader(split,
                {.batch = {.batch = 8, .height_px = 8, .width_px = 8},
                 .order = order,
                 .num_readers = 1,
                 .num_workers = 1},
                std::make_shared<ResizeTransform>(), budget);
  while (loader.next()) {
  }
  return disk.num_read_aheads();
}

// One reader and a slow disk: all runs but the first ones wait.
BOOST_AUTO_TEST_CASE(samples_at_random_places_are_asked_for_while_they_wait) {
  const std::uint64_t found = num_read_aheads(SampleOrder::kShuffle);
  BOOST_TEST_MESSAGE(found << " ranges of " << kNumSamples << " samples");
  BOOST_TEST(found > kNumSamples / 4);
  BOOST_TEST(found <= kNumSamples);
}

BOOST_AUTO_TEST_CASE(samples_that_lie_back_to_back_are_left_to_the_system) {
  BOOST_TEST(num_read_aheads(SampleOrder::kSequential) <= 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
