// Runs that leave out what whole steps leave over of a pass: 80 samples of pets().
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/train/run/tiny_run.h"
#include "train/run/trial/learning_rate_search.h"
#include "train/run/trial/run_rehearsal.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

using penstock::tests::contains;

struct Fixture : tests::TinyRun {
  std::vector<EpochReport> epochs;
  std::vector<std::set<std::uint64_t>> taken{1};  // ids, by pass over the data
  RunOverview overview;

  RunConfig dropping(std::uint32_t batch_size) const {
    RunConfig config = TinyRun::config();
    config.batch_size = batch_size;
    config.drop_remainder = true;
    return config;
  }
  RunOutcome train(const RunConfig& config) {
    watcher.at_start = [&](const RunOverview& known) { overview = known; };
    watcher.at_train_batch = [&](const BatchView& batch) {
      for (std::uint32_t i = 0; i < batch.num_valid; ++i) taken.back().insert(batch.sample_ids[i]);
      if (batch.ends_epoch) taken.emplace_back();
    };
    watcher.at_epoch = [&](const EpochReport& report) { epochs.push_back(report); };
    return train_run(config, watcher, stop.get_token());
  }
};

BOOST_FIXTURE_TEST_SUITE(dropped_remainder, Fixture)

// By hand: 80 = 6 x 12 + 8.
BOOST_AUTO_TEST_CASE(what_whole_steps_leave_over_is_left_out_and_counted) {
  const RunOutcome outcome = train(dropping(12));
  BOOST_TEST(outcome.num_steps == 18u);
  BOOST_REQUIRE(epochs.size() == 3u);
  for (const EpochReport& epoch : epochs) {
    BOOST_TEST(epoch.train.num_steps == 6u);
    BOOST_TEST(epoch.train.num_samples == 72u);
    BOOST_TEST(epoch.train.num_left_out == 8u);
    BOOST_TEST(epoch.train.is_each_once());
    BOOST_TEST(epoch.validation->num_left_out == 0u);
  }
  for (std::size_t pass = 0; pass < 3; ++pass) BOOST_TEST(taken[pass].size() == 72u);
  BOOST_TEST((taken[0] != taken[1]));
  // One-cycle ends at 0.1 / 25 / 1e4 (README of optim) after step 18, and is as good as there at the last one.
  BOOST_TEST(epochs[2].train.learning_rate < 0.1 / 25);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_out_where_steps_are_whole) {
  train(dropping(8));
  for (const EpochReport& epoch : epochs) {
    BOOST_TEST(epoch.train.num_samples == 80u);
    BOOST_TEST(epoch.train.num_left_out == 0u);
  }
  const std::string dropped = read_text_file(out / kWeightsName);
  RunConfig kept = dropping(8);
  kept.drop_remainder = false;
  kept.out = folder.path() / "kept";
  train(kept);
  BOOST_TEST((read_text_file(kept.out / kWeightsName) == dropped));
}

// By hand: 80 = 2 x 32 + 16, which would be two more batches of 8 as they are delivered.
BOOST_AUTO_TEST_CASE(steps_of_several_batches_are_dropped_as_a_whole) {
  RunConfig parts = dropping(32);
  parts.micro_batch = 8;
  const RunOutcome outcome = train(parts);
  BOOST_TEST(outcome.num_steps == 6u);
  BOOST_TEST(epochs[0].train.num_samples == 64u);
  BOOST_TEST(epochs[0].train.num_left_out == 16u);
}

// By hand: passes of six steps are cut after three, so every other epoch ends one.
BOOST_AUTO_TEST_CASE(epochs_of_given_steps_leave_out_what_the_passes_in_them_leave_out) {
  RunConfig cut = dropping(12);
  cut.steps_per_epoch = 3;
  train(cut);
  std::vector<std::uint64_t> left_out;
  for (const EpochReport& epoch : epochs) {
    BOOST_TEST(epoch.train.num_samples == 36u);
    BOOST_TEST(epoch.train.num_expected == 36u);
    left_out.push_back(epoch.train.num_left_out);
  }
  BOOST_TEST((left_out == std::vector<std::uint64_t>{0, 8, 0}));
}

// A batch norm over one value of each sample takes no batch of one: 80 = 79 + 1.
BOOST_AUTO_TEST_CASE(no_program_is_prepared_for_what_is_left_over) {
  RunConfig config = dropping(79);
  config.model_layers =
      "[[layer]]\ntype = \"global_avg_pool\"\n[[layer]]\ntype = \"batch_norm\"\n"
      "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
  RunConfig kept = config;
  kept.drop_remainder = false;
  const Error refused = failure_of(kept);
  BOOST_TEST(contains(refused.what(), "the last batch of an epoch has 1 sample (80 = 1 x 79 + 1)"));
  BOOST_TEST(refused.hint() == "--batch-size 78, or --drop-remainder true");
  BOOST_TEST(train(config).num_steps == 3u);
  BOOST_TEST(epochs[0].train.num_left_out == 1u);
}

BOOST_AUTO_TEST_CASE(a_split_smaller_than_a_step_is_refused_with_one_that_works) {
  const Error error = failure_of(dropping(81));
  BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
  BOOST_TEST(std::string(error.what()) ==
             "run: drop_remainder: expected a training split of at least one batch of 81 samples, "
             "found 80: all of them would be left out");
  BOOST_TEST(error.hint() == "--batch-size 80, or --drop-remainder false");
  BOOST_TEST(!std::filesystem::exists(out));
  BOOST_TEST(train(dropping(80)).num_steps == 3u);
}

BOOST_AUTO_TEST_CASE(a_step_that_is_an_epoch_leaves_nothing_over_and_says_so) {
  RunConfig whole = dropping(kWholeEpoch);
  whole.micro_batch = 30;
  train(whole);
  BOOST_TEST(epochs[0].train.num_samples == 80u);
  BOOST_TEST(epochs[0].train.num_left_out == 0u);
  const std::vector<std::string> expected = {
      "drop_remainder true does nothing: batch_size is \"all\""};
  BOOST_TEST(overview.idle == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_forecast_counts_the_steps_that_are_taken) {
  const RunForecast forecast = rehearse_run(
      dropping(12), RunStart::kNew, {.num_warm_up = 2, .min_timed = 2, .enough_s = 0}, {}, {});
  BOOST_TEST(forecast.ahead.steps_per_epoch == 6u);
  BOOST_TEST(forecast.ahead.num_steps() == 18u);
  BOOST_TEST(forecast.ahead.samples_per_step == 12.0);
}

BOOST_AUTO_TEST_CASE(a_search_for_a_learning_rate_goes_over_the_ends_of_passes) {
  const LearningRateSearch search =
      search_learning_rate(dropping(32), {.low = 1e-6, .high = 1e-5, .num_steps = 20}, {}, {});
  BOOST_TEST(search.points.size() == 20u);
}

// A pass that is cut is none that left something out, and a setting that decides the samples stays inside it.
BOOST_AUTO_TEST_CASE(inside_an_epoch_it_cannot_be_changed) {
  std::stop_source source;
  watcher.at_train_step = [&](const EpochReport&) { source.request_stop(); };
  const RunOutcome stopped = train_run(dropping(12), watcher, source.get_token());
  BOOST_TEST(stopped.partial->train.num_left_out == 0u);
  BOOST_TEST(stopped.partial->train.num_expected == 72u);
  watcher = {};
  RunConfig kept = dropping(12);
  kept.drop_remainder = false;
  try {
    train_run(kept, watcher, {}, RunStart::kResume);
    BOOST_ERROR("went on");
  } catch (const Error& error) {
    BOOST_TEST(contains(error.what(), "run.drop_remainder: expected true, found false"),
               error.what());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
