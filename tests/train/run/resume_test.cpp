// Runs that are cut off and go on: what comes of them is what would have come without.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "fixtures/damage.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/train/run/resumed_run.h"
#include "train/run/run_status.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;

BOOST_FIXTURE_TEST_SUITE(resume, tests::ResumedRun)

BOOST_AUTO_TEST_CASE(a_run_stopped_after_any_step_comes_to_the_same_weights_and_figures) {
  const tests::LeftBehind& expected = unbroken();
  bool was_stopped = true;
  std::uint64_t num_stops = 0;
  for (std::uint64_t step = 1; was_stopped; ++step) {
    BOOST_TEST_CONTEXT("stopped after step " << step) {
      fs::remove_all(out);
      const RunOutcome stopped = stop_after(net(), step);
      was_stopped = stopped.was_stopped;
      if (!was_stopped) break;  // it was the last one
      ++num_stops;
      BOOST_TEST(stopped.num_steps == step);
      BOOST_REQUIRE(stopped.checkpoint_step.has_value());
      BOOST_TEST(*stopped.checkpoint_step == step);
      const RunOutcome done = resume(net());
      BOOST_TEST(!done.was_stopped);
      BOOST_TEST(done.last->train.is_each_once());
      BOOST_REQUIRE(notes.size() == 1u);
      BOOST_TEST(contains(notes[0], "after step " + std::to_string(step) + " ("));
      BOOST_TEST(contains(notes[0], ": continues bit for bit"));
      check_equal(tests::LeftBehind(out), expected);
    }
  }
  BOOST_TEST(num_stops > 8u);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_at_every_second_step_comes_to_the_same) {
  const tests::LeftBehind& expected = unbroken();
  RunOutcome outcome = stop_after(net(), 2);
  int num_processes = 1;
  for (; outcome.was_stopped && num_processes < 100; ++num_processes) {
    outcome = stop_after(net(), 2, RunStart::kResume);
  }
  BOOST_TEST(num_processes > 5);
  check_equal(tests::LeftBehind(out), expected);
}

// What has a state, or a place, of its own.
BOOST_AUTO_TEST_CASE(every_kind_of_run_that_is_stopped_comes_to_the_same) {
  struct Kind {
    const char* name;
    void (*set)(RunConfig&);
  };
  const std::vector<Kind> kinds = {
      {"epochs of given steps", [](RunConfig& run) { run.steps_per_epoch = 3; }},
      {"validations within epochs",
       [](RunConfig& run) {
         run.validate_every_steps = 3;
         run.validation_batch_size = 5;
       }},
      {"means of the weights",
       [](RunConfig& run) {
         run.optimizer.ema_decay = 0.9;
         run.optimizer.ema_warmup = true;
       }},
      {"parts of a batch", [](RunConfig& run) { run.micro_batch = 7; }},
      {"a remainder that is left out",
       [](RunConfig& run) {
         run.batch_size = 24;
         run.drop_remainder = true;
       }},
      {"a remainder that is left out of steps of several batches",
       [](RunConfig& run) {
         run.batch_size = 24;
         run.micro_batch = 8;
         run.augment.mixup = 0;
         run.steps_per_epoch = 4;
         run.drop_remainder = true;
       }},
      {"an epoch as one batch",
       [](RunConfig& run) {
         run.batch_size = kWholeEpoch;
         run.micro_batch = 20;
       }},
      {"weights that learn later",
       [](RunConfig& run) {
         run.param_groups = {{.pattern = "head"}, {.pattern = "*", .first_trainable_epoch = 1}};
       }},
      {"a rate that falls on a plateau",
       [](RunConfig& run) {
         run.reduce_on_plateau.factor = 0.5;
         run.reduce_on_plateau.patience = 0;
         run.reduce_on_plateau.min_delta = 0.9;  // nothing is better by so much
       }},
  };
  for (const Kind& kind : kinds) {
    BOOST_TEST_CONTEXT(kind.name) {
      RunConfig whole = net_at(folder.path() / "whole");
      RunConfig cut = net();
      kind.set(whole);
      kind.set(cut);
      fs::remove_all(whole.out);
      fs::remove_all(out);
      train(whole, RunStart::kNew);
      RunOutcome outcome = stop_after(cut, 2);
      int num_processes = 1;
      for (; outcome.was_stopped && num_processes < 100; ++num_processes) {
        outcome = stop_after(cut, 2, RunStart::kResume);
        BOOST_TEST(contains(notes.back(), ": continues bit for bit"), notes.back());
      }
      BOOST_TEST(num_processes > 1);
      check_equal(tests::LeftBehind(out), tests::LeftBehind(whole.out));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_run_goes_on_without_the_weights_that_it_began_with) {
  const RunConfig first = net_at(folder.path() / "first");
  train(first, RunStart::kNew);
  RunConfig whole = net_at(folder.path() / "whole");
  whole.init_from = first.out;
  whole.seed = 3;
  train(whole, RunStart::kNew);
  RunConfig cut = whole;
  cut.out = out;
  stop_after(cut, 2);
  fs::remove_all(first.out);
  resume(cut);
  BOOST_TEST(contains(notes.back(), ": continues bit for bit"), notes.back());
  check_equal(tests::LeftBehind(out), tests::LeftBehind(whole.out));
}

// As a crash leaves it: nothing is stored in the end but what was stored on the way.
BOOST_AUTO_TEST_CASE(a_run_that_crashed_goes_on_from_the_checkpoint_before) {
  const tests::LeftBehind& expected = unbroken();
  RunConfig config = net();
  config.checkpoint.every_steps = 3;
  config.checkpoint.every_epoch = false;
  watcher.at_train_step = [](const EpochReport& so_far) {
    if (so_far.epoch_idx == 1 && so_far.train.num_steps == 2) throw Error(ErrorCode::kIo, "crash");
  };
  BOOST_CHECK_THROW(train_run(config, watcher, {}), Error);
  BOOST_TEST(checkpoints().size() > 0u);
  BOOST_TEST(checkpoints().size() <= 2u);
  resume(config);
  BOOST_TEST(!contains(notes[0], "(0 epochs)"));
  check_equal(tests::LeftBehind(out), expected);
}

BOOST_AUTO_TEST_CASE(a_stop_in_a_validation_is_made_up_for_first) {
  const tests::LeftBehind& expected = unbroken();
  for (const std::uint32_t epoch_idx : {0u, 2u}) {
    fs::remove_all(out);
    std::stop_source source;
    watcher = {};
    watcher.at_validation_step = [&](const EpochReport& done) {
      if (done.epoch_idx == epoch_idx) source.request_stop();
    };
    const RunOutcome stopped = train(net(), RunStart::kNew, source.get_token());
    BOOST_TEST(stopped.was_stopped);
    const auto status = read_run_status(out);
    BOOST_REQUIRE(status.has_value());
    BOOST_TEST(status->num_epochs == stopped.num_epochs);
    BOOST_TEST(status->num_epochs == epoch_idx + 1);
    BOOST_TEST(status->is_validation_left);
    BOOST_TEST(contains(refusal_of(net(), RunStart::kNew).what(),
                        std::to_string(epoch_idx + 1) + " of 3 epochs done, the last one not "
                                                        "validated"));
    BOOST_TEST(!status->is_finished());
    resume(net());
    check_equal(tests::LeftBehind(out), expected);
  }
}

BOOST_AUTO_TEST_CASE(skipped_samples_are_listed_once_as_in_the_unbroken_run) {
  RunConfig damaged = net();
  damaged.dataset = folder.path() / "damaged";
  fs::copy(tests::pets(), damaged.dataset);
  const fs::path shard = damaged.dataset / "train-00000.h5";
  const std::size_t first_picture = read_text_file(shard).find("\xFF\xD8\xFF");
  BOOST_REQUIRE(first_picture != std::string::npos);
  fixtures::flip_byte(shard, first_picture + 400);
  RunConfig whole = damaged;
  whole.out = folder.path() / "whole";
  train(whole, RunStart::kNew);
  const std::string expected = read_text_file(whole.out / kSkippedName);
  BOOST_TEST(std::ranges::count(expected, '\n') == 2);
  for (const std::uint64_t step : {1u, 3u, 5u}) {
    fs::remove_all(out);
    stop_after(damaged, step);
    resume(damaged);
    BOOST_TEST(read_text_file(out / kSkippedName) == expected);
    BOOST_TEST(tests::figures_of(out) == tests::figures_of(whole.out));
  }
}

BOOST_AUTO_TEST_CASE(out_of_time_the_run_is_stored_and_ends) {
  const tests::LeftBehind& expected = unbroken();
  RunConfig hurried = net();
  hurried.checkpoint.max_minutes = 1.0 / 60;  // less than a checkpoint is taken to last
  const RunOutcome outcome = train(hurried, RunStart::kNew);
  BOOST_TEST(outcome.was_stopped);
  BOOST_TEST(outcome.ran_out_of_time);
  BOOST_TEST(outcome.num_steps == 1u);
  BOOST_TEST(checkpoints().size() == 1u);
  resume(net());
  BOOST_TEST(contains(notes[0], ": continues bit for bit"));
  check_equal(tests::LeftBehind(out), expected);
}

// By hand: 3 epochs of 4 steps, and 3 validations that the end of max_time cut before they began.
BOOST_AUTO_TEST_CASE(processes_without_time_come_to_the_end_of_the_run) {
  for (const std::uint32_t every_steps : {0u, 3u}) {
    fs::remove_all(out);
    RunConfig whole = net_at(folder.path() / ("whole" + std::to_string(every_steps)));
    whole.validate_every_steps = every_steps;
    train(whole, RunStart::kNew);
    RunConfig hurried = whole;
    hurried.out = out;
    hurried.checkpoint.max_minutes = 1.0 / 60;  // less than a checkpoint is taken to last
    RunOutcome outcome = train(hurried, RunStart::kNew);
    std::uint32_t num_processes = 1;
    while (outcome.was_stopped && num_processes < 40) {
      outcome = resume(hurried);
      ++num_processes;
    }
    BOOST_TEST(num_processes == 15u);
    BOOST_TEST(!outcome.was_stopped);
    check_equal(tests::LeftBehind(out), tests::LeftBehind(whole.out));
  }
}

BOOST_AUTO_TEST_CASE(lines_of_epochs_that_come_again_are_forgotten) {
  const tests::LeftBehind& expected = unbroken();
  RunConfig config = net();
  stop_after(config, 8);
  // Lines as a later checkpoint would have left them, which is then lost; the last one cut in writing.
  std::string metrics = read_text_file(out / kMetricsName);
  const std::size_t num_lines = static_cast<std::size_t>(std::ranges::count(metrics, '\n'));
  BOOST_TEST(num_lines == 2u);  // names, and the first epoch of four steps
  metrics += "2,8,0.5\n3,12,0.5\n3,1";
  publish_file(out / kMetricsName, metrics);
  publish_file(out / kMetricEventsName,
               read_text_file(out / kMetricEventsName) +
                   "{\"event\": \"epoch\", \"epoch\": 2, \"step\": 8}\n{\"e");
  resume(config);
  check_equal(tests::LeftBehind(out), expected);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
