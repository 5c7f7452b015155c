// What lies in RUN at any time: in which order things are stored, and what comes out of a checkpoint.
#include "train/run/run_storage.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/contains.h"
#include "tests/train/run/resumed_run.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;
using tests::check_equal;
using tests::LeftBehind;

struct Fixture : tests::ResumedRun {
  /// No checkpoint is asked for.
  RunConfig without_checkpoints() const {
    RunConfig config = net();
    config.checkpoint.every_epoch = false;
    return config;
  }
  CheckpointState newest() const { return CheckpointReader::open(checkpoints().front()).state(); }
  /// Pets without a split to validate with.
  fs::path training_pets() const {
    penstock::tests::write_cats_and_dogs(folder.path() / "cats", 30);
    tests::Quiet quiet;
    convert::convert_folder({.source = folder.path() / "cats",
                             .dataset = folder.path() / "cats.ds",
                             .split = {.validation_fraction = 0.0, .test_fraction = {}, .seed = 0}},
                            quiet, {});
    return folder.path() / "cats.ds";
  }
};

BOOST_FIXTURE_TEST_SUITE(run_storage, Fixture)

// As kill -9 would find it: weights that no checkpoint goes with are of no use to a run.
BOOST_AUTO_TEST_CASE(the_first_weights_have_a_checkpoint_whatever_the_settings_say) {
  std::size_t num_at_epoch = 0;
  watcher.at_epoch = [&](const EpochReport& done) {
    if (done.epoch_idx > 0) return;
    BOOST_TEST(fs::exists(out / kWeightsName));
    num_at_epoch = checkpoints().size();
  };
  train(without_checkpoints(), RunStart::kNew);
  BOOST_TEST(num_at_epoch == 1u);
}

BOOST_AUTO_TEST_CASE(a_checkpoint_that_is_ahead_of_the_weights_brings_them_up_to_date) {
  const LeftBehind& expected = unbroken();
  // Killed after the first checkpoint and before the first weights; and at the end of the last epoch.
  for (const std::uint32_t last_epoch : {0u, 2u}) {
    BOOST_TEST_CONTEXT("after epoch " << last_epoch + 1) {
      fs::remove_all(out);
      std::stop_source source;
      watcher = {};
      watcher.at_epoch = [&](const EpochReport& done) {
        if (done.epoch_idx == last_epoch) source.request_stop();
      };
      train(net(), RunStart::kNew, source.get_token());
      fs::remove(out / kWeightsName);
      fs::remove(out / kModelRecordName);
      resume(net());
      check_equal(LeftBehind(out), expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_best_epoch_is_the_monitor_s_and_stays_without_any_other_checkpoint) {
  RunConfig config = without_checkpoints();
  config.epochs = 6;
  config.num_checkpoints_kept = 1;
  config.early_stopping.patience = 6;
  config.early_stopping.monitor = "val_accuracy";
  std::uint32_t best_idx = 0;
  double best = -1;
  watcher.at_epoch = [&](const EpochReport& done) {
    const double accuracy = done.validation->totals.top1();
    if (accuracy <= best) return;
    best = accuracy;
    best_idx = done.epoch_idx;
  };
  train(config, RunStart::kNew);
  const CheckpointState state = newest();
  BOOST_REQUIRE(state.best.has_value());
  BOOST_TEST(state.best->metric == "val_accuracy");
  BOOST_TEST(state.best->value == best);
  BOOST_TEST(state.best->epoch_idx == best_idx);
  BOOST_TEST(fs::exists(out / kCheckpointsName / state.best->checkpoint));
}

BOOST_AUTO_TEST_CASE(without_a_validation_the_best_epoch_is_that_of_the_lowest_training_loss) {
  RunConfig config = without_checkpoints();
  config.dataset = training_pets();
  std::uint32_t best_idx = 0;
  double best = 1e9;
  watcher.at_epoch = [&](const EpochReport& done) {
    BOOST_REQUIRE(!done.validation);
    const double loss = done.train.totals.loss();
    if (loss >= best) return;
    best = loss;
    best_idx = done.epoch_idx;
  };
  train(config, RunStart::kNew);
  const CheckpointState state = newest();
  BOOST_REQUIRE(state.best.has_value());
  BOOST_TEST(state.best->metric == "loss");
  BOOST_TEST(state.best->value == best);
  BOOST_TEST(state.best->epoch_idx == best_idx);
}

// No epoch after the first is better by a billion. What a full disk, or kill -9, has left in its place:
// nothing, or the weights of another epoch.
BOOST_AUTO_TEST_CASE(weights_of_the_best_epoch_that_are_not_there_come_out_of_its_checkpoint) {
  for (const double ema_decay : {0.0, 0.9}) {
    RunConfig config = net();
    config.optimizer.ema_decay = ema_decay;
    config.early_stopping.patience = 2;
    config.early_stopping.min_delta = 1e9;
    fs::remove_all(out);
    watcher = {};
    train(config, RunStart::kNew);
    const LeftBehind expected(out);
    BOOST_TEST(load_model(out).record.num_epochs == 1u);

    fs::remove(out / kWeightsName);
    fs::remove(out / kModelRecordName);
    RunOutcome outcome = resume(config);
    BOOST_TEST(watcher.warnings.empty());
    BOOST_TEST(outcome.best_epoch_idx.value() == 0u);
    check_equal(LeftBehind(out), expected);

    ModelRecord record = load_model(out).record;
    TensorFile weights = load_model(out).weights;
    record.num_epochs = 3;
    weights.tensors[0].values[0] += 1;
    save_model(out, record, weights);
    resume(config);
    check_equal(LeftBehind(out), expected);
  }
}

// A disk that is gone for a moment, in the middle of the second epoch.
BOOST_AUTO_TEST_CASE(an_error_inside_an_epoch_stores_the_run_where_it_is_and_says_so) {
  const LeftBehind& expected = unbroken();
  RunConfig config = without_checkpoints();
  watcher.at_train_step = [](const EpochReport& so_far) {
    if (so_far.epoch_idx == 1 && so_far.train.num_steps == 2) throw Error(ErrorCode::kIo, "broken");
  };
  const Error error = refusal_of(config, RunStart::kNew);
  BOOST_TEST((error.code() == ErrorCode::kIo));
  const std::uint64_t num_steps = newest().step;
  BOOST_TEST(newest().is_mid_epoch());
  BOOST_TEST(
      std::string(error.what()).ends_with("; stored as of step " + std::to_string(num_steps)),
      error.what());
  resume(config);
  BOOST_TEST(contains(notes[0], "after step " + std::to_string(num_steps) +
                                    " (1 epoch and 40 "
                                    "samples): continues bit for bit"),
             notes[0]);
  check_equal(LeftBehind(out), expected);
}

BOOST_AUTO_TEST_CASE(an_error_in_a_validation_is_gone_on_from_with_it) {
  const LeftBehind& expected = unbroken();
  watcher.at_validation_step = [](const EpochReport& done) {
    if (done.epoch_idx == 1) throw Error(ErrorCode::kCorruptData, "broken");
  };
  const Error error = refusal_of(net(), RunStart::kNew);
  BOOST_TEST(contains(error.what(), "; stored as of step "), error.what());
  resume(net());
  check_equal(LeftBehind(out), expected);
}

// What is wrong with the run itself would be wrong again.
BOOST_AUTO_TEST_CASE(an_error_of_the_training_itself_stores_no_checkpoint) {
  RunConfig config = without_checkpoints();
  watcher.at_train_step = [](const EpochReport& so_far) {
    if (so_far.train.num_steps == 2) throw Error(ErrorCode::kInvalidArgument, "diverged");
  };
  const Error error = refusal_of(config, RunStart::kNew);
  BOOST_TEST(!contains(error.what(), "stored as of step"));
  BOOST_TEST(checkpoints().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
