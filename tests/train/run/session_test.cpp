// Runs from end to end on a few pictures: how they stop, how they fail, what they leave behind.
#include "train/run/session.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "fixtures/damage.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tests/train/run/tiny_run.h"
#include "tools/convert/convert_job.h"
#include "train/run/folder/run_folder.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;
using tests::pets;
using tests::TinyRun;

BOOST_FIXTURE_TEST_SUITE(session, TinyRun)

/// Two large pictures to train on and two to validate with, about 4 MiB each when decoded.
fs::path large_pets(const fs::path& folder) {
  for (const char* split : {"train", "validation"}) {
    for (const char* pet : {"cat", "dog"}) {
      penstock::tests::write_picture(folder / "pets" / split / pet / "0.jpg",
                                     {.width_px = 1200, .height_px = 1200});
    }
  }
  tests::Quiet quiet;
  convert::convert_folder({.source = folder / "pets", .dataset = folder / "pets.ds"}, quiet, {});
  return folder / "pets.ds";
}

BOOST_AUTO_TEST_CASE(large_pictures_leave_room_for_the_validation_loader) {
  RunConfig large = config();
  large.dataset = large_pets(folder.path());
  large.batch_size = 2;
  large.epochs = 1;
  large.augment.decode_scaling = augment::DecodeScaling::kOff;
  // The training loader alone would take 4 * 5 MiB for samples in flight.
  large.memory_bytes = 24u << 20;
  const RunOutcome outcome = train_run(large, watcher, stop.get_token());
  BOOST_REQUIRE(outcome.last.has_value());
  BOOST_TEST(outcome.last->validation->num_samples == 2u);
  BOOST_TEST(outcome.high_water_bytes <= large.memory_bytes);
}

BOOST_AUTO_TEST_CASE(a_stop_in_validation_keeps_the_figures_of_the_epoch_before) {
  watcher.at_validation_step = [&](const EpochReport& done) {
    if (done.epoch_idx == 1) stop.request_stop();
  };
  const RunOutcome outcome = run();
  BOOST_TEST(outcome.was_stopped);
  BOOST_TEST(outcome.num_epochs == 2u);
  BOOST_REQUIRE(outcome.last.has_value());
  BOOST_TEST(outcome.last->epoch_idx == 0u);
  BOOST_TEST(outcome.last->validation.has_value());
  BOOST_REQUIRE(outcome.partial.has_value());
  BOOST_TEST(outcome.partial->epoch_idx == 1u);
  BOOST_TEST(!outcome.partial->train.was_stopped);
  BOOST_TEST(outcome.partial->train.num_samples == outcome.partial->train.num_expected);
  BOOST_TEST(num_metric_lines() == 1u);
  BOOST_TEST(read_text_file(out / kMetricsName).find(",,") == std::string::npos);
  BOOST_TEST(record()["num_epochs"] == 2);
  BOOST_TEST(record()["metrics"]["epoch"] == 1);
  BOOST_TEST(record()["metrics"].contains("val_loss"));
}

BOOST_AUTO_TEST_CASE(a_stop_in_training_counts_its_steps) {
  watcher.at_train_step = [&](const EpochReport& so_far) {
    if (so_far.epoch_idx == 1 && so_far.train.num_steps == 2) stop.request_stop();
  };
  const RunOutcome outcome = run();
  BOOST_TEST(outcome.num_epochs == 1u);
  BOOST_REQUIRE(outcome.partial.has_value());
  BOOST_TEST(outcome.partial->train.was_stopped);
  BOOST_TEST(outcome.partial->train.num_steps == 2u);
  BOOST_TEST(outcome.last->train.num_samples == outcome.last->train.num_expected);
}

// The validation's are not told.
BOOST_AUTO_TEST_CASE(batches_of_the_training_split_are_told_with_positions_and_pixels) {
  std::uint64_t num_positions = 0;
  watcher.at_train_batch = [&](const BatchView& batch) {
    BOOST_TEST(batch.epoch == 0u);
    BOOST_REQUIRE(batch.num_valid == 8u);
    for (const std::uint64_t position : batch.positions) BOOST_TEST(position == num_positions++);
    const std::span pixels(batch.pixels_f32(), batch.spec->pixels_bytes() / sizeof(float));
    BOOST_TEST(std::ranges::any_of(pixels, [](float value) { return value != 0; }));
  };
  RunConfig once = config();
  once.epochs = 1;
  train_run(once, watcher, stop.get_token());
  BOOST_TEST(num_positions == 80u);  // all of pets() that is not for the validation
}

BOOST_AUTO_TEST_CASE(a_stop_between_epochs_cuts_nothing_short) {
  watcher.at_epoch = [&](const EpochReport&) { stop.request_stop(); };
  const RunOutcome outcome = run();
  BOOST_TEST(outcome.was_stopped);
  BOOST_TEST(outcome.num_epochs == 1u);
  BOOST_TEST(!outcome.partial.has_value());
  BOOST_TEST(outcome.last->validation.has_value());
  BOOST_TEST(record()["metrics"].contains("val_top1"));
}

// It comes while the run is set up, which takes seconds with a large network.
BOOST_AUTO_TEST_CASE(a_stop_before_the_first_step_leaves_nothing) {
  bool has_begun = false;
  watcher.at_start = [&](const RunOverview&) { has_begun = true; };
  stop.request_stop();
  const RunOutcome outcome = run();
  BOOST_TEST(!has_begun);
  BOOST_TEST(outcome.was_stopped);
  BOOST_TEST(!outcome.was_set_up);
  BOOST_TEST(!outcome.has_weights);
  BOOST_TEST(outcome.num_steps == 0u);
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_stop_before_the_first_batch_leaves_nothing) {
  watcher.at_start = [&](const RunOverview&) { stop.request_stop(); };
  const RunOutcome outcome = run();
  BOOST_TEST(outcome.was_stopped);
  BOOST_TEST(outcome.was_set_up);
  BOOST_TEST(!outcome.has_weights);
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_size_of_step_for_validation_says_that_nothing_is_validated) {
  fs::path dataset = folder.path() / "pets.ds";
  for (const char* pet : {"cat", "dog"}) {
    penstock::tests::write_picture(folder.path() / "pets" / pet / "0.jpg",
                                   {.width_px = 16, .height_px = 16});
  }
  tests::Quiet quiet;
  convert::convert_folder({.source = folder.path() / "pets",
                           .dataset = dataset,
                           .split = {.validation_fraction = 0.0, .test_fraction = {}, .seed = 0}},
                          quiet, {});
  RunConfig all = config();
  all.dataset = dataset;
  all.epochs = 1;
  all.validation_batch_size = 4;
  std::vector<std::string> idle;
  watcher.at_start = [&](const RunOverview& overview) { idle = overview.idle; };
  train_run(all, watcher, stop.get_token());
  BOOST_TEST(
      std::ranges::count(
          idle, "validation_batch_size 4 does nothing: the dataset has no split validation") == 1);
  all.dataset = pets();
  fs::remove_all(out);
  train_run(all, watcher, stop.get_token());
  BOOST_TEST(idle.empty());
}

BOOST_AUTO_TEST_CASE(a_failure_before_the_first_step_leaves_nothing) {
  watcher.at_start = [](const RunOverview&) { throw Error(ErrorCode::kIo, "planted"); };
  BOOST_TEST((failure_of(config()).code() == ErrorCode::kIo));
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_failure_in_the_first_epoch_keeps_the_weights_so_far) {
  watcher.at_train_step = [](const EpochReport&) { throw std::bad_alloc(); };
  const Error error = failure_of(config());
  BOOST_TEST((error.code() == ErrorCode::kOutOfMemory));
  BOOST_TEST(!error.hint().empty());
  BOOST_TEST(
      contains(error.what(), "the weights after 0 whole epochs and the steps since are in "));
  BOOST_TEST(load_model(out).record.num_epochs == 0u);
}

// All steps of the epoch have been taken by then.
BOOST_AUTO_TEST_CASE(a_failure_in_validation_keeps_the_weights_of_the_whole_epoch) {
  watcher.at_validation_step = [](const EpochReport& done) {
    if (done.epoch_idx == 1) throw Error(ErrorCode::kIo, "planted");
  };
  const Error error = failure_of(config());
  BOOST_TEST(std::string(error.what())
                 .starts_with("planted; the weights after 2 whole epochs are in " + out.native() +
                              "; stored as of step "));
  BOOST_TEST(load_model(out).record.num_epochs == 2u);
}

BOOST_AUTO_TEST_CASE(weights_are_stored_after_every_epoch) {
  std::vector<std::uint64_t> stored;
  watcher.at_epoch = [&](const EpochReport&) {
    stored.push_back(load_model(out).record.num_epochs);
  };
  run();
  BOOST_TEST((stored == std::vector<std::uint64_t>{1, 2, 3}));
}

// What a full disk does: the new weights cannot be written.
BOOST_AUTO_TEST_CASE(weights_that_cannot_be_stored_leave_those_of_the_epoch_before) {
  watcher.at_train_step = [&](const EpochReport& so_far) {
    if (so_far.epoch_idx == 1) fs::create_directories(out / "weights.safetensors.new.tmp" / "x");
  };
  const Error error = failure_of(config());
  BOOST_TEST((error.code() == ErrorCode::kAlreadyExists));
  BOOST_TEST(contains(error.what(), "; these weights were not stored; "));
  const std::string text = error.what();
  const std::string reason = text.substr(0, text.find(';'));
  BOOST_TEST(text.find(reason, 1) == std::string::npos);  // once
  BOOST_TEST(contains(error.what(), "; those after 1 whole epoch are in " + out.native()));
  BOOST_TEST(load_model(out).record.num_epochs == 1u);
}

// A folder where model.json shall be stops the second of the two renames.
BOOST_AUTO_TEST_CASE(a_first_save_whose_renames_fail_leaves_a_run_that_goes_on) {
  watcher.at_validation_step = [&](const EpochReport&) {
    fs::create_directories(out / kModelRecordName / "x");
  };
  const Error error = failure_of(config());
  BOOST_TEST(contains(error.what(), "; these weights were not stored; stored as of step "));
  BOOST_TEST(fs::is_directory(out / kModelRecordName));
  fs::remove_all(out / kModelRecordName);
  watcher = {};
  train_run(config(), watcher, {}, RunStart::kResume);
  BOOST_TEST(load_model(out).record.num_epochs == 3u);
}

BOOST_AUTO_TEST_CASE(metrics_that_cannot_be_written_leave_the_weights) {
  watcher.at_validation_step = [&](const EpochReport&) {
    fs::create_directories(out / "metrics.csv.tmp" / "x");
  };
  const Error error = failure_of(config());
  BOOST_TEST(contains(error.what(), "metrics.csv"));
  BOOST_TEST(contains(error.what(), "; the weights after 1 whole epoch are in " + out.native()));
  BOOST_TEST(load_model(out).record.num_epochs == 1u);
}

// A second attempt at the weights would meet the folder and tell of it.
BOOST_AUTO_TEST_CASE(weights_that_are_stored_are_not_stored_again) {
  watcher.at_epoch = [&](const EpochReport&) {
    fs::create_directories(out / "weights.safetensors.new.tmp" / "x");
    throw Error(ErrorCode::kIo, "planted");
  };
  const Error error = failure_of(config());
  BOOST_TEST((error.code() == ErrorCode::kIo));
  BOOST_TEST(std::string(error.what())
                 .starts_with("planted; the weights after 1 whole epoch are in " + out.native() +
                              "; stored as of step "));
  BOOST_TEST(load_model(out).record.num_epochs == 1u);
}

BOOST_AUTO_TEST_CASE(a_list_of_skipped_samples_that_cannot_be_written_leaves_the_weights) {
  RunConfig damaged = config();
  damaged.dataset = folder.path() / "damaged";
  fs::copy(pets(), damaged.dataset);
  const fs::path shard = damaged.dataset / "train-00000.h5";
  const std::size_t first_picture = read_text_file(shard).find("\xFF\xD8\xFF");
  BOOST_REQUIRE(first_picture != std::string::npos);
  fixtures::flip_byte(shard, first_picture + 400);
  watcher.at_validation_step = [&](const EpochReport&) {
    fs::create_directories(out / "skipped.csv.tmp" / "x");
  };
  const Error error = failure_of(damaged);
  const std::string what = error.what();
  const std::size_t first = what.find("skipped.csv");
  BOOST_TEST(first != std::string::npos);
  BOOST_TEST(what.find("skipped.csv", first + 15) == std::string::npos);  // told once
  BOOST_TEST(contains(what, "; the weights after 1 whole epoch are in " + out.native()));
  BOOST_TEST(load_model(out).record.num_epochs == 1u);
}

BOOST_AUTO_TEST_CASE(a_failed_allocation_after_an_epoch_leaves_weights_and_metrics) {
  watcher.at_train_step = [](const EpochReport& so_far) {
    if (so_far.epoch_idx == 1) throw std::bad_alloc();
  };
  const Error error = failure_of(config());
  BOOST_TEST((error.code() == ErrorCode::kOutOfMemory));
  BOOST_TEST(contains(
      error.what(), "the weights after 1 whole epoch and the steps since are in " + out.native()));
  BOOST_TEST(num_metric_lines() == 1u);
  BOOST_CHECK_NO_THROW(load_model(out));
}

// Weight decay 1000 at rate 1 multiplies each weight by -999 a step: 3e38 is passed in the second
// epoch of ten steps or so, and not in the first.
RunConfig wild(RunConfig config) {
  config.optimizer.learning_rate = 1;
  config.optimizer.weight_decay = 1000;
  config.optimizer.momentum = 0;
  config.optimizer.nesterov = false;
  config.schedule.kind = ScheduleKind::kConstant;
  return config;
}

BOOST_AUTO_TEST_CASE(a_diverged_run_keeps_the_weights_and_metrics_before) {
  RunConfig impatient = wild(config());
  impatient.nan_guard.max_in_a_row = 2;
  std::vector<SkippedStep> skipped;
  watcher.at_skipped_step = [&](const SkippedStep& step) { skipped.push_back(step); };
  const Error error = failure_of(impatient);
  BOOST_TEST(contains(error.what(),
                      "training: the loss or a gradient was not finite in 2 steps in a row (2 in "
                      "all), the last of them step "));
  BOOST_TEST(contains(error.what(),
                      "these weights were not stored (their loss is not a number); those after"));
  BOOST_TEST(contains(error.what(), "; those after 1 whole epoch are in " + out.native()));
  BOOST_TEST(skipped.size() == 2u);
  BOOST_TEST(num_metric_lines() == 1u);
  BOOST_TEST(fs::exists(out / kRunFileName));
  BOOST_TEST(load_model(out).record.num_epochs == 1u);
}

// Here the weights pass 3e38 in the first epoch: 999^13 is 1e39, and the epoch has more steps than that.
BOOST_AUTO_TEST_CASE(a_run_that_diverges_in_its_first_epoch_says_that_nothing_is_stored) {
  RunConfig early = wild(config());
  early.batch_size = 2;
  early.nan_guard.max_in_a_row = 2;
  std::size_t num_finite_steps = 0;
  watcher.at_train_step = [&](const EpochReport& so_far) {
    if (so_far.train.num_skipped_steps == 0) ++num_finite_steps;
  };
  const Error error = failure_of(early);
  BOOST_TEST(num_finite_steps > 5u);
  BOOST_TEST(contains(error.what(),
                      ": the training diverged; these weights were not stored (their loss is not a "
                      "number); nothing of this run is stored, and " +
                          out.native() + " is removed"));
  BOOST_TEST(contains(error.hint(), "lower --learning-rate"));
  BOOST_TEST(!contains(error.what(), " are in "));
  BOOST_TEST(!fs::exists(out));
}

// Fewer skipped steps than end the run: the validation after them finds out.
BOOST_AUTO_TEST_CASE(weights_whose_validation_is_no_number_are_not_stored) {
  RunConfig patient = wild(config());
  patient.nan_guard.max_in_a_row = 1000;
  const Error error = failure_of(patient);
  BOOST_TEST(contains(error.what(), "loss: evaluation step 0: expected a finite number"));
  BOOST_TEST(contains(error.what(), "; those after 1 whole epoch are in " + out.native()));
  BOOST_TEST(load_model(out).record.num_epochs == 1u);
}

BOOST_AUTO_TEST_CASE(a_run_file_that_cannot_be_written_leaves_no_folder) {
  // The folder's own path fits into PATH_MAX (4096), that of a file in it does not.
  RunConfig deep = config();
  while (deep.out.native().size() < 3900) deep.out /= std::string(100, 'd');
  deep.out /= std::string(4088 - deep.out.native().size(), 'e');
  const Error error = failure_of(deep);
  BOOST_TEST(contains(error.what(), "File name too long"));
  BOOST_TEST(fs::is_empty(folder.path()));  // the parents it made are gone too
}

BOOST_AUTO_TEST_CASE(of_two_runs_into_one_folder_the_second_is_refused) {
  RunFolderGuard first(out);
  first.make_folder();
  {
    RunFolderGuard second(out);
    BOOST_CHECK_EXCEPTION(second.make_folder(), Error, [](const Error& error) {
      return error.code() == ErrorCode::kAlreadyExists;
    });
  }
  BOOST_TEST(fs::exists(out));
}

BOOST_AUTO_TEST_CASE(what_is_not_kept_is_removed_and_what_is_kept_stays) {
  {
    RunFolderGuard guard(out);
    guard.make_folder();
    for (const char* name : {kRunFileName, kMetricsName, kWeightsName, "model.json.new"}) {
      publish_file(out / name, "x");
    }
    guard.keep();
  }
  BOOST_TEST(penstock::tests::count_entries(out) == 4u);
  fs::remove_all(out);
  {
    RunFolderGuard guard(out);
    guard.make_folder();
    for (const char* name : {kRunFileName, kMetricsName, kSkippedName, kWeightsName}) {
      publish_file(out / name, "x");
    }
    publish_file(out / "model.json.new", "x");
    fs::create_directories(out / "checkpoints/000001-step-000000005.tmp");  // a full disk left it
  }
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_checkpoint_stays_whatever_ends_the_run) {
  {
    RunFolderGuard guard(out);
    guard.make_folder();
    fs::create_directories(out / "checkpoints/000001-step-000000005");
    fs::create_directories(out / "checkpoints/000002-step-000000009.tmp");
  }
  BOOST_TEST(fs::exists(out / "checkpoints/000001-step-000000005"));
  BOOST_TEST(penstock::tests::count_entries(out / "checkpoints") == 1u);
}

BOOST_AUTO_TEST_CASE(a_trailing_slash_is_the_same_folder) {
  RunConfig slashed = config();
  slashed.out = out.native() + "/";
  slashed.epochs = 1;
  train_run(slashed, watcher, stop.get_token());
  BOOST_CHECK_NO_THROW(load_model(out));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
