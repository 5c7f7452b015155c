// Runs that go on with other settings: which may, which keep the bits, which are refused.
#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/train/run/resumed_run.h"
#include "train/run/folder/run_folder.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;

BOOST_FIXTURE_TEST_SUITE(resume_settings, tests::ResumedRun)

// A constant rate does not look at the length of the run.
BOOST_AUTO_TEST_CASE(more_epochs_go_on_with_a_finished_run) {
  RunConfig longer = net_at(folder.path() / "longer");
  longer.schedule.kind = ScheduleKind::kConstant;
  longer.epochs = 4;
  train(longer, RunStart::kNew);
  RunConfig config = longer;
  config.out = out;
  config.epochs = 2;
  train(config, RunStart::kNew);
  config.epochs = 4;
  resume(config);
  BOOST_TEST(contains(notes[0], "(2 epochs): continues bit for bit"));
  check_equal(tests::LeftBehind(out), tests::LeftBehind(longer.out));
  BOOST_TEST(contains(read_text_file(out / kRunFileName), "epochs = 4\n"));
}

BOOST_AUTO_TEST_CASE(what_changes_the_weights_is_said_to_lose_the_bits) {
  stop_after(net(), 5);
  RunConfig other = net();
  other.threads = 2;
  other.optimizer.learning_rate = 0.002;
  resume(other);
  BOOST_TEST(contains(notes[0], ": continues, no longer bit for bit, because "));
  BOOST_TEST(contains(notes[0], "num_compute_threads: expected 1, found 2"));
  BOOST_TEST(contains(notes[0], "run.learning_rate: expected 0.001, found 0.002"));
  BOOST_TEST(load_model(out).record.num_epochs == 3u);
}

BOOST_AUTO_TEST_CASE(memory_and_loader_threads_lose_no_bit) {
  const tests::LeftBehind& expected = unbroken();
  stop_after(net(), 5);
  RunConfig other = net();
  other.memory_bytes = 64u << 20;
  other.loader_threads = 4;
  resume(other);
  BOOST_TEST(contains(notes[0], ": continues bit for bit"));
  check_equal(tests::LeftBehind(out), expected);
}

BOOST_AUTO_TEST_CASE(another_model_dataset_or_batch_in_mid_epoch_is_refused_with_the_difference) {
  stop_after(net(), 2);
  const std::string state = read_text_file(checkpoints().front() / "state.json");
  RunConfig model = net();
  model.model_layers = tests::kTinyNet;
  Error error = refusal_of(model, RunStart::kResume);
  BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
  BOOST_TEST(contains(error.what(), "cannot continue: model.identity: line "));

  RunConfig dataset = net();
  penstock::tests::write_cats_and_dogs(folder.path() / "others", 30);
  tests::Quiet quiet;
  convert::convert_folder({.source = folder.path() / "others",
                           .dataset = folder.path() / "others.ds",
                           .split = {.validation_fraction = 0.3, .test_fraction = {}, .seed = 0}},
                          quiet, {});
  dataset.dataset = folder.path() / "others.ds";
  error = refusal_of(dataset, RunStart::kResume);
  BOOST_TEST(contains(error.what(), "cannot continue: dataset.id: expected "));
  // By hand: what was drawn and converted above, the validation's share included.
  BOOST_TEST(contains(error.what(), "; the run's dataset is " + tests::pets().native() +
                                        " of 120 samples of 2 classes, the one to go on with " +
                                        dataset.dataset.native() + " of 60 samples of 2 classes"),
             error.what());

  RunConfig batch = net();
  batch.batch_size = 16;
  error = refusal_of(batch, RunStart::kResume);
  BOOST_TEST(contains(error.what(), "run.batch_size: expected 20, found 16"));
  BOOST_TEST(!error.hint().empty());
  BOOST_TEST(read_text_file(checkpoints().front() / "state.json") == state);
}

BOOST_AUTO_TEST_CASE(between_two_epochs_the_batch_size_may_change) {
  std::stop_source source;
  watcher.at_epoch = [&](const EpochReport&) { source.request_stop(); };
  train(net(), RunStart::kNew, source.get_token());
  RunConfig batch = net();
  batch.batch_size = 10;
  const RunOutcome outcome = resume(batch);
  BOOST_TEST(contains(notes[0], "no longer bit for bit"));
  BOOST_TEST(outcome.last->train.is_each_once());
  // The schedule of six steps or more an epoch ends where it would have: at its lowest.
  BOOST_TEST(outcome.last->train.learning_rate < 1e-6);
}

// Six steps of ten samples an epoch, then one of 64: the steps of the third epoch are below those of the first.
BOOST_AUTO_TEST_CASE(another_batch_size_keeps_the_lines_of_the_epochs_before) {
  RunConfig small = net();
  small.batch_size = 10;
  small.epochs = 2;
  train(small, RunStart::kNew);
  const std::string before = read_text_file(out / kMetricsName);
  RunConfig large = small;
  large.batch_size = 64;
  large.epochs = 6;
  stop_after(large, 1, RunStart::kResume);
  resume(large);
  const std::string after = read_text_file(out / kMetricsName);
  BOOST_TEST(after.starts_with(before));
  BOOST_TEST(num_metric_lines() == 6u);
}

BOOST_AUTO_TEST_CASE(fewer_epochs_than_were_begun_are_refused_before_anything_is_stored) {
  const auto refusal_with = [&](std::uint32_t epochs) {
    RunConfig fewer = net();
    fewer.epochs = epochs;
    return refusal_of(fewer, RunStart::kResume);
  };
  train(net(), RunStart::kNew);  // three epochs
  const std::string before = read_text_file(out / kRunFileName);
  Error error = refusal_with(2);
  BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
  BOOST_TEST(std::string(error.what()) == "run: epochs: expected at least 3, found 2: 3 are done");
  BOOST_TEST(contains(error.hint(), "--epochs 3"));
  BOOST_TEST(read_text_file(out / kRunFileName) == before);
  BOOST_TEST(load_model(out).record.num_epochs == 3u);

  fs::remove_all(out);
  stop_after(net(), 5);  // four steps an epoch
  error = refusal_with(1);
  BOOST_TEST(std::string(error.what()) ==
             "run: epochs: expected at least 2, found 1: 1 is done and one is begun");
  RunConfig next = net();
  next.epochs = 2;
  BOOST_TEST(resume(next).num_epochs == 2u);
}

BOOST_AUTO_TEST_CASE(a_table_that_another_version_wrote_is_kept_and_the_run_says_so) {
  stop_after(net(), 5);
  publish_file(out / kMetricsName, "epoch,step,train_loss\n1,4,0.5\n");
  resume(net());
  BOOST_TEST(notes.back() ==
             "metrics.csv had other columns than this program writes: it is "
             "metrics.csv.old now");
  BOOST_TEST(read_text_file(out / "metrics.csv.old") == "epoch,step,train_loss\n1,4,0.5\n");
  BOOST_TEST(num_metric_lines() == 2u);  // of the second epoch and the third
}

BOOST_AUTO_TEST_CASE(the_reference_says_that_it_computes_in_double) {
  RunConfig slow = net();
  slow.backend = "reference";
  slow.augment.mixup = 0;
  stop_after(slow, 1);
  slow.epochs = 1;
  slow.schedule.kind = ScheduleKind::kOneCycle;
  resume(slow);
  BOOST_TEST(contains(notes[0], "the backend computes in double"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
