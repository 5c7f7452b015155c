// The transform as the loader runs it.
#include <boost/test/unit_test.hpp>
#include <memory>

#include "augment/augment_transform.h"
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
