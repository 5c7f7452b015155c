// Where a stream goes on: from a state, with other settings, with nothing left.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/batch_hash.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::hash_all;

BOOST_AUTO_TEST_SUITE(loader_resume)

constexpr std::uint64_t kBudgetBytes = 256u << 20;
const BatchSpec kSpec{.batch = 8, .height_px = 16, .width_px = 20};

BOOST_AUTO_TEST_CASE(a_loader_resumed_from_a_state_delivers_exactly_the_rest) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(29));
  const LoaderConfig config{.batch = kSpec, .seed = 9, .num_epochs = 2};
  const auto whole = hash_all(dataset, config);
  for (std::size_t stop_after = 1; stop_after <= whole.size(); ++stop_after) {
    BOOST_TEST_INFO("stopped after batch " << stop_after);
    LoaderConfig rest = config;
    {
      MemoryBudget budget(kBudgetBytes);
      Loader loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget);
      for (std::size_t i = 0; i + 1 < stop_after; ++i) loader.next();
      const BatchLease last = loader.next();
      const LoaderState state = loader.state_after(last.view());
      rest.resume_from = loader_state_from_json(to_json(state));
      rest.num_epochs = 2 - state.epoch;  // after the last batch: 0, and nothing comes
    }
    rest.num_readers = 3;
    BOOST_REQUIRE(
        (hash_all(dataset, rest) ==
         std::vector<std::string>(whole.begin() + static_cast<long>(stop_after), whole.end())));
  }
}

// 30 samples in batches of 8 on one rank; resumed on two ranks with 6 samples left, fewer than their
// batch of 16: with drop_remainder nothing is left of the epoch.
BOOST_AUTO_TEST_CASE(an_epoch_of_which_nothing_is_left_ends_at_once) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(30));
  LoaderConfig config{.batch = kSpec, .drop_remainder = true};
  {
    MemoryBudget budget(kBudgetBytes);
    Loader loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget);
    loader.next();
    loader.next();
    config.resume_from = loader.state_after(loader.next().view());
  }
  config.resume_from->epoch = 0;  // where an interrupted third batch would have left it
  config.resume_from->next_position = 24;
  config.rank = {.index = 0, .world = 2};
  MemoryBudget budget(kBudgetBytes);
  Loader loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget);
  BOOST_TEST(!loader.next());
}

BOOST_AUTO_TEST_CASE(a_state_of_other_settings_is_refused) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(10));
  LoaderConfig config{.batch = kSpec, .seed = 9};
  {
    MemoryBudget budget(kBudgetBytes);
    Loader loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget);
    config.resume_from = loader.state_after(loader.next().view());
  }
  config.seed = 10;
  MemoryBudget budget(kBudgetBytes);
  BOOST_CHECK_THROW(
      Loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget), Error);
  config.seed = 9;
  config.resume_from->dataset_id = "another";
  BOOST_CHECK_THROW(
      Loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
