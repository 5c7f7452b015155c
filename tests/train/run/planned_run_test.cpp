// Runs whose steps do not go through the network in one piece, from the settings to what is stored.
#include <boost/test/unit_test.hpp>

#include <string>

#include "tests/contains.h"
#include "tests/train/run/tiny_run.h"
#include "tests/train/run/wide_net.h"
#include "train/run/settings/run_file.h"
#include "train/run/settings/run_keys.h"

namespace penstock::train {
namespace {

using penstock::tests::contains;

struct Seen {
  std::string note;
  std::string memory_note;
  std::string steps_note;
  std::uint64_t num_steps = 0;
  RunConfig config;
};

struct Fixture : tests::TinyRun {
  Seen run_with(const RunConfig& config) {
    Seen seen;
    watcher.at_start = [&](const RunOverview& overview) {
      seen.note = overview.batch_note;
      seen.memory_note = overview.memory_note;
      seen.steps_note = overview.steps_note;
      seen.config = overview.config;
    };
    watcher.at_epoch = [&](const EpochReport& report) { seen.num_steps = report.train.num_steps; };
    train_run(config, watcher, stop.get_token());
    return seen;
  }
  std::string weights() const { return read_text_file(out / kWeightsName); }
  RunConfig wide() const {
    RunConfig wide = tests::with_wide_net(config());
    wide.batch_size = 32;
    return wide;
  }
};

BOOST_FIXTURE_TEST_SUITE(planned_run, Fixture)

BOOST_AUTO_TEST_CASE(a_whole_epoch_is_one_step) {
  RunConfig all = config();
  all.batch_size = kWholeEpoch;
  all.micro_batch = 8;
  const Seen seen = run_with(all);
  BOOST_TEST(seen.num_steps == 1u);
  BOOST_TEST(contains(seen.note, " in parts of 8, as asked for"));
  // model.json says how many samples the network is run on at once.
  BOOST_TEST(record()["batch_size"] == 8);
}

BOOST_AUTO_TEST_CASE(a_step_that_does_not_fit_is_cut_and_the_stored_run_is_cut_the_same) {
  RunConfig wide_run = wide();
  wide_run.memory_bytes = 28u << 20;
  const Seen seen = run_with(wide_run);
  BOOST_TEST_MESSAGE(seen.note);
  BOOST_TEST(contains(seen.note, "batch 32 in parts of "));
  BOOST_TEST(contains(seen.note, "; batch norm sees "));
  const std::string expected = weights();
  RunConfig stored = read_run_file(out / kRunFileName);
  BOOST_TEST(stored.micro_batch == seen.config.micro_batch);
  BOOST_TEST(stored.micro_batch < 32u);
  // What changes no bit is chosen anew.
  BOOST_TEST((stored.recompute == RecomputeWish::kAuto));
  // More memory changes nothing: it is the stored choice that counts.
  stored.memory_bytes = 512u << 20;
  stored.out = out = folder.path() / "again";
  BOOST_TEST(run_with(stored).config.micro_batch == seen.config.micro_batch);
  BOOST_TEST((weights() == expected));
}

BOOST_AUTO_TEST_CASE(a_whole_step_of_a_stored_run_is_whole_with_another_batch_too) {
  run_with(config());
  RunConfig stored = read_run_file(out / kRunFileName);
  BOOST_TEST(stored.micro_batch == stored.batch_size);
  set_run_value(stored, "batch_size", "16", "--batch-size");
  stored.out = out = folder.path() / "again";
  const Seen seen = run_with(stored);
  BOOST_TEST(seen.config.micro_batch == 16u);
  BOOST_TEST(seen.note == "");
}

// One machine's memory is no order for another.
BOOST_AUTO_TEST_CASE(a_memory_limit_is_stored_when_it_was_asked_for) {
  RunConfig open = config();
  open.memory_bytes = 0;
  BOOST_TEST(run_with(open).memory_note == "");
  BOOST_TEST(read_run_file(out / kRunFileName).memory_bytes == 0u);
  RunConfig stated = config();
  stated.memory_bytes = std::uint64_t{1} << 60;
  stated.out = out = folder.path() / "stated";
  BOOST_TEST(contains(run_with(stated).memory_note, "memory: the limit of 1.0 EiB is above the "));
  BOOST_TEST(read_run_file(out / kRunFileName).memory_bytes == stated.memory_bytes);
}

BOOST_AUTO_TEST_CASE(a_run_of_very_few_steps_is_told_what_to_type) {
  RunConfig few = config();
  int num_runs = 0;
  const auto note_of = [&](std::uint32_t epochs, ScheduleKind kind) {
    few.epochs = epochs;
    few.schedule = ScheduleConfig::of(kind);
    few.out = out = folder.path() / ("run_" + std::to_string(++num_runs));
    return run_with(few).steps_note;
  };
  BOOST_TEST(note_of(1, ScheduleKind::kOneCycle) == "");  // 8 steps or so
  few.batch_size = kWholeEpoch;
  BOOST_TEST(note_of(5, ScheduleKind::kOneCycle) == "");
  BOOST_TEST(note_of(1, ScheduleKind::kOneCycle) ==
             "the whole run is 1 step, too few to learn much in: try more --epochs or a smaller "
             "--batch-size");
  BOOST_TEST(note_of(4, ScheduleKind::kCosine) ==
             "the whole run is 4 steps, too few for a schedule: try --schedule constant, more "
             "--epochs or a smaller --batch-size");
  BOOST_TEST(note_of(2, ScheduleKind::kConstant) ==
             "the whole run is 2 steps, too few to learn much in: try more --epochs or a smaller "
             "--batch-size");
  few.batch_size = 1;
  few.steps_per_epoch = 2;
  BOOST_TEST(note_of(1, ScheduleKind::kConstant) ==
             "the whole run is 2 steps, too few to learn much in: try more --epochs or "
             "--steps-per-epoch");
}

// The formula of one_cycle would end the run with the step that it begins with, at 4e-07 of 0.1.
BOOST_AUTO_TEST_CASE(the_only_step_of_a_run_is_taken_at_the_peak) {
  RunConfig one = config();
  one.batch_size = kWholeEpoch;
  one.epochs = 1;
  one.optimizer.learning_rate = 0.125;
  double rate = 0;
  watcher.at_epoch = [&](const EpochReport& report) { rate = report.train.learning_rate; };
  train_run(one, watcher, stop.get_token());
  BOOST_TEST(rate == 0.125);
}

BOOST_AUTO_TEST_CASE(values_that_are_computed_again_change_no_weight) {
  RunConfig run = wide();
  run_with(run);
  const std::string expected = weights();
  for (const RecomputeWish wish : {RecomputeWish::kNorms, RecomputeWish::kBlocks}) {
    run.recompute = wish;
    run.out = out = folder.path() / std::string(recompute_wish_name(wish));
    run_with(run);
    BOOST_TEST((weights() == expected), recompute_wish_name(wish));
  }
}

BOOST_AUTO_TEST_CASE(a_step_that_may_not_be_cut_is_refused_before_anything_is_written) {
  RunConfig refused = wide();
  refused.memory_bytes = 28u << 20;
  refused.auto_batch = false;
  const Error error = failure_of(refused);
  BOOST_TEST((error.code() == ErrorCode::kOutOfMemory));
  BOOST_TEST(
      contains(error.what(), "memory: 32 of 32 samples at a time: expected at most 28.0 MiB"));
  BOOST_TEST(contains(error.hint(), "one of: leave out --no-auto-batch; --memory "));
  BOOST_TEST(!std::filesystem::exists(out));
}

BOOST_AUTO_TEST_CASE(a_run_file_says_how_steps_are_cut) {
  RunConfig config;
  set_run_value(config, "batch_size", "all", "--batch-size");
  set_run_value(config, "micro_batch", "12", "--micro-batch");
  set_run_value(config, "recompute", "norms", "--recompute");
  set_run_value(config, "auto_batch", "false", "--auto-batch");
  BOOST_TEST(config.batch_size == kWholeEpoch);
  BOOST_TEST(config.micro_batch == 12u);
  BOOST_TEST((config.recompute == RecomputeWish::kNorms));
  BOOST_TEST(!config.auto_batch);
  const std::string text = format_run_file(config);
  for (const char* line : {"batch_size = \"all\"\n", "micro_batch = 12\n",
                           "recompute = \"norms\"\n", "auto_batch = false\n"}) {
    BOOST_TEST(contains(text, line));
  }
  set_run_value(config, "batch_size", "24", "--batch-size");
  BOOST_TEST(config.batch_size == 24u);
  BOOST_CHECK_THROW(set_run_value(config, "batch_size", "0", "--batch-size"), Error);
  BOOST_CHECK_THROW(set_run_value(config, "batch_size", "some", "--batch-size"), Error);
  BOOST_CHECK_THROW(set_run_value(config, "recompute", "norm", "--recompute"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
