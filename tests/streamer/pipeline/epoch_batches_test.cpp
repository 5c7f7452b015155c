#include "streamer/pipeline/epoch_batches.h"

#include <boost/test/unit_test.hpp>
#include <ranges>

#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

static_assert(std::ranges::input_range<EpochBatches>);

// 30 samples in batches of 8 are 4 batches an epoch.
struct Fixture {
  tests::TemporaryFolder folder;
  Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(30));
  MemoryBudget budget{256u << 20};

  Loader make(LoaderConfig config) {
    config.batch = {.batch = 8, .height_px = 16, .width_px = 16};
    config.num_slots = 2;  // a range that held a lease beside the body's would end here
    return {dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget};
  }
};

struct Walk {
  std::vector<std::uint64_t> batch_idx;
  std::vector<std::uint32_t> epochs;
};

Walk walk(EpochBatches batches) {
  Walk walked;
  for (BatchLease batch : batches) {
    walked.batch_idx.push_back(batch->batch_idx);
    walked.epochs.push_back(batch->epoch);
  }
  return walked;
}

using Indices = std::vector<std::uint64_t>;

// Refused with InvalidArgument and this text.
auto refusal(std::string text) {
  return [text = std::move(text)](const Error& error) {
    BOOST_TEST(error.what() == text);
    BOOST_TEST(!error.hint().empty());
    return error.code() == ErrorCode::kInvalidArgument;
  };
}

BOOST_FIXTURE_TEST_SUITE(epoch_batches, Fixture)

BOOST_AUTO_TEST_CASE(each_epoch_is_a_range_of_its_own_batches_in_order) {
  Loader loader = make({.num_epochs = 3});
  for (std::uint32_t epoch = 0; epoch < 3; ++epoch) {
    const Walk walked = walk(loader.epoch(epoch));
    BOOST_TEST(
        (walked.batch_idx == Indices{epoch * 4u, epoch * 4u + 1, epoch * 4u + 2, epoch * 4u + 3}));
    BOOST_TEST((walked.epochs == std::vector<std::uint32_t>(4, epoch)));
  }
  BOOST_TEST(!loader.next());
}

BOOST_AUTO_TEST_CASE(an_epoch_that_does_not_come_next_is_refused_with_the_one_that_does) {
  Loader loader = make({.num_epochs = 2});
  BOOST_CHECK_EXCEPTION(loader.epoch(1), Error,
                        refusal("loader: epoch: expected 0, which comes next, found 1"));
  walk(loader.epoch(0));
  BOOST_CHECK_EXCEPTION(loader.epoch(0), Error,
                        refusal("loader: epoch: expected 1, which comes next, found 0"));
  walk(loader.epoch(1));
  BOOST_CHECK_EXCEPTION(loader.epoch(2), Error,
                        refusal("loader: epoch: expected none, all 2 are delivered, found 2"));
}

BOOST_AUTO_TEST_CASE(a_loop_left_early_loses_nothing) {
  Loader loader = make({.num_epochs = 2});
  for (BatchLease batch : loader.epoch(0)) {
    if (batch->batch_idx == 1) break;
  }
  BOOST_CHECK_EXCEPTION(loader.epoch(1), Error,
                        refusal("loader: epoch: expected 0, which comes next, found 1"));
  BOOST_TEST(loader.next()->batch_idx == 2u);
  BOOST_TEST((walk(loader.epoch(0)).batch_idx == Indices{3}));
  BOOST_TEST((walk(loader.epoch(1)).batch_idx == Indices{4, 5, 6, 7}));
}

BOOST_AUTO_TEST_CASE(a_range_ends_where_next_has_taken_its_last_batches) {
  Loader loader = make({.num_epochs = {}});
  EpochBatches batches = loader.epoch(0);
  for (int i = 0; i < 4; ++i) loader.next();
  BOOST_TEST(walk(batches).batch_idx.empty());
  BOOST_TEST((walk(loader.epoch(1)).epochs == std::vector<std::uint32_t>(4, 1)));
}

// One of the two slots is held outside: an iterator that kept the other could not go on.
BOOST_AUTO_TEST_CASE(a_lease_that_is_not_taken_is_given_back_and_one_that_is_may_be_kept) {
  Loader loader = make({});
  const EpochBatches batches = loader.epoch(0);
  auto it = batches.begin();
  const BatchLease kept = *it;
  std::vector<std::uint64_t> rest;
  while (++it != std::default_sentinel) rest.push_back(kept->batch_idx);
  BOOST_TEST((rest == Indices{0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(a_resumed_epoch_is_a_range_of_what_is_left_of_it) {
  LoaderConfig config{.num_epochs = 2};
  {
    Loader loader = make(config);
    walk(loader.epoch(0));
    config.resume_from = loader.state_after(loader.next().view());
  }
  Loader loader = make(config);
  BOOST_CHECK_EXCEPTION(loader.epoch(0), Error,
                        refusal("loader: epoch: expected 1, which comes next, found 0"));
  BOOST_TEST((walk(loader.epoch(1)).epochs == std::vector<std::uint32_t>(3, 1)));
  BOOST_TEST((walk(loader.epoch(2)).epochs == std::vector<std::uint32_t>(4, 2)));
}

// 6 samples are left, fewer than a batch, and short batches are dropped.
BOOST_AUTO_TEST_CASE(a_resumed_epoch_of_which_nothing_is_left_is_an_empty_range) {
  LoaderConfig config{.num_epochs = 2, .drop_remainder = true};
  {
    Loader loader = make(config);
    config.resume_from = loader.state_after(loader.next().view());
  }
  config.resume_from->next_position = 24;
  Loader loader = make(config);
  BOOST_TEST(walk(loader.epoch(0)).epochs.empty());
  BOOST_TEST((walk(loader.epoch(1)).epochs == std::vector<std::uint32_t>(3, 1)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
