// What an earlier process left in RUN: which checkpoint a run goes on from, and when it does not.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <vector>

#include "fixtures/damage.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/train/run/resumed_run.h"
#include "train/run/folder/run_folder.h"
#include "train/store/checkpoint_folder.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;

BOOST_FIXTURE_TEST_SUITE(resume_folder, tests::ResumedRun)

BOOST_AUTO_TEST_CASE(a_damaged_newest_checkpoint_falls_back_to_the_one_before_and_says_so) {
  const tests::LeftBehind& expected = unbroken();
  RunConfig config = net();
  config.checkpoint.every_steps = 1;
  stop_after(config, 6);
  const std::vector<fs::path> before = checkpoints();
  BOOST_REQUIRE(before.size() >= 2u);
  fixtures::flip_byte(before[0] / "model.safetensors",
                      fs::file_size(before[0] / "model.safetensors") / 2);
  resume(config);
  BOOST_REQUIRE(notes.size() == 2u);
  BOOST_TEST(contains(notes[0], "checkpoint " + before[0].filename().native() + " is damaged ("));
  BOOST_TEST(contains(notes[0], "model.safetensors"));
  BOOST_TEST(contains(notes[1], "after step 5 ("));
  check_equal(tests::LeftBehind(out), expected);
  BOOST_TEST(!fs::exists(before[0]));
}

BOOST_AUTO_TEST_CASE(checkpoints_that_are_all_damaged_are_refused) {
  stop_after(net(), 2);
  for (const fs::path& checkpoint : checkpoints()) {
    fixtures::truncate_file(checkpoint / "state.json", 100);
  }
  const Error error = refusal_of(net(), RunStart::kResume);
  BOOST_TEST((error.code() == ErrorCode::kCorruptData));
  BOOST_TEST(contains(error.what(), "expected a whole checkpoint, found 1 damaged"));
}

BOOST_AUTO_TEST_CASE(a_run_without_a_checkpoint_starts_from_the_beginning) {
  const tests::LeftBehind& expected = unbroken();
  {
    RunFolder begun(net());
    begun.keep();  // killed before its first checkpoint
  }
  const RunOutcome outcome = resume(net());
  BOOST_TEST(contains(notes[0], "the run has no checkpoint yet"));
  BOOST_TEST(outcome.num_steps > 0u);
  check_equal(tests::LeftBehind(out), expected);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_not_there_is_begun) {
  const tests::LeftBehind& expected = unbroken();
  resume(net());
  BOOST_TEST(notes.empty());
  check_equal(tests::LeftBehind(out), expected);
}

BOOST_AUTO_TEST_CASE(a_stop_before_it_goes_on_leaves_a_run_as_it_is) {
  const RunOutcome stopped = stop_after(net(), 6);
  BOOST_REQUIRE(stopped.num_epochs == 1u);
  BOOST_REQUIRE(stopped.partial.has_value());
  const tests::LeftBehind before(out);
  const std::string settings = read_text_file(out / kRunFileName);
  stop.request_stop();
  RunConfig longer = net();
  longer.epochs = 4;
  watcher = {};
  const RunOutcome outcome = train(longer, RunStart::kResume, stop.get_token());
  BOOST_TEST(outcome.was_stopped);
  BOOST_TEST(!outcome.was_set_up);
  BOOST_TEST(outcome.has_weights);
  BOOST_TEST(outcome.num_epochs == 1u);
  BOOST_TEST(outcome.num_steps == 6u);
  BOOST_TEST((outcome.checkpoint_step == std::optional<std::uint64_t>(6)));
  BOOST_REQUIRE(outcome.partial.has_value());
  BOOST_TEST(outcome.partial->train.num_steps == stopped.partial->train.num_steps);
  BOOST_TEST(outcome.partial->train.was_stopped);
  check_equal(tests::LeftBehind(out), before);
  BOOST_TEST(read_text_file(out / kRunFileName) == settings);
}

BOOST_AUTO_TEST_CASE(a_dataset_that_is_elsewhere_now_is_named_with_the_line_that_goes_on) {
  RunConfig moved = net();
  stop_after(moved, 2);
  moved.dataset = folder.path() / "gone.ds";
  const Error error = refusal_of(moved, RunStart::kResume);
  BOOST_TEST((error.code() == ErrorCode::kNotFound));
  BOOST_TEST(error.hint() ==
             "where the dataset is now: penstock train NEWPLACE -o " + out.native() + " --resume");
  moved.out = folder.path() / "other";
  BOOST_TEST(refusal_of(moved, RunStart::kNew).hint() == "check the path");
}

BOOST_AUTO_TEST_CASE(something_of_another_kind_in_the_place_of_a_file_is_said_with_a_way_on) {
  stop_after(net(), 2);
  fs::remove(out / kMetricsName);
  fs::create_directory(out / kMetricsName);
  BOOST_TEST(refusal_of(net(), RunStart::kResume).hint() ==
             "move what is there out of " + out.native() + ", then the same command again");
  fs::remove(out / kMetricsName);
  fs::remove_all(out / kCheckpointsName);
  publish_file(out / kCheckpointsName, "");
  BOOST_TEST(contains(refusal_of(net(), RunStart::kResume).hint(),
                      "its weights are whole and can begin another run: "));
}

BOOST_AUTO_TEST_CASE(weights_without_a_checkpoint_are_not_trained_over) {
  train(net(), RunStart::kNew);
  fs::remove_all(out / kCheckpointsName);
  const Error error = refusal_of(net(), RunStart::kResume);
  BOOST_TEST((error.code() == ErrorCode::kNotFound));
  BOOST_TEST(load_model(out).record.num_epochs == 3u);
}

BOOST_AUTO_TEST_CASE(a_finished_run_that_is_resumed_stays_as_it_is) {
  train(net(), RunStart::kNew);
  const tests::LeftBehind before(out);
  const RunOutcome outcome = resume(net());
  BOOST_TEST(outcome.num_epochs == 3u);
  BOOST_TEST(outcome.has_weights);
  check_equal(tests::LeftBehind(out), before);
}

BOOST_AUTO_TEST_CASE(the_newest_checkpoints_stay_and_the_best_one) {
  RunConfig config = net();
  config.epochs = 6;
  config.num_checkpoints_kept = 1;
  std::map<std::uint32_t, double> losses;
  watcher.at_epoch = [&](const EpochReport& done) {
    losses[done.epoch_idx] = done.validation->totals.loss();
  };
  train(config, RunStart::kNew);
  const auto best = std::ranges::min_element(
      losses, [](const auto& a, const auto& b) { return a.second < b.second; });
  const CheckpointState state = CheckpointReader::open(checkpoints().front()).state();
  BOOST_REQUIRE(state.best.has_value());
  BOOST_TEST(state.best->epoch_idx == best->first);
  BOOST_TEST(state.best->value == best->second);
  BOOST_TEST(checkpoints().size() == (best->first == 5u ? 1u : 2u));
  BOOST_TEST(fs::exists(out / kCheckpointsName / state.best->checkpoint));
}

// A file where the folder of checkpoints would be.
BOOST_AUTO_TEST_CASE(a_checkpoint_that_cannot_be_stored_is_a_warning) {
  const tests::LeftBehind& expected = unbroken();
  watcher.at_train_step = [&](const EpochReport&) {
    if (!fs::exists(out / kCheckpointsName)) publish_file(out / kCheckpointsName, "x");
  };
  const RunOutcome outcome = train(net(), RunStart::kNew);
  BOOST_TEST(outcome.num_epochs == 3u);
  BOOST_TEST(!outcome.checkpoint_step.has_value());
  BOOST_TEST(watcher.warnings.size() >= 3u);
  BOOST_TEST(contains(watcher.warnings.front(), "checkpoint: "));
  check_equal(tests::LeftBehind(out), expected);
}

BOOST_AUTO_TEST_CASE(two_processes_do_not_train_one_run) {
  watcher.at_epoch = [&](const EpochReport&) {
    tests::Watcher second;
    try {
      train_run(net(), second, {}, RunStart::kResume);
      BOOST_ERROR("two at once");
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kAlreadyExists));
      BOOST_TEST(contains(error.what(), "expected no process that trains it, found one"));
    }
  };
  train(net(), RunStart::kNew);
  watcher = {};
  resume(net());  // the lock ended with the run
}

BOOST_AUTO_TEST_CASE(a_folder_with_a_run_is_refused_with_the_way_on) {
  stop_after(net(), 5);
  Error error = refusal_of(net(), RunStart::kNew);
  BOOST_TEST((error.code() == ErrorCode::kAlreadyExists));
  BOOST_TEST(contains(error.what(), "found an unfinished run: "));
  BOOST_TEST(error.hint() == "penstock train -o " + out.native() + " --resume");
  resume(net());
  error = refusal_of(net(), RunStart::kNew);
  BOOST_TEST(contains(error.what(), "found a finished run of 3 epochs"));
  BOOST_TEST(contains(error.hint(), " --resume --epochs 6; or choose another folder with -o"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
