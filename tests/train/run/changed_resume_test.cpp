// Runs that were stopped inside an epoch and go on with other settings: on other hardware, in less memory,
// with another optimizer's state.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/contains.h"
#include "tests/train/has_bfloat16.h"
#include "tests/train/run/tiny_run.h"
#include "tests/train/run/wide_net.h"
#include "train/backend/backend.h"
#include "train/run/settings/run_file.h"
#include "train/store/checkpoint_folder.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

using penstock::tests::contains;

constexpr const char* kNet =
    "[[layer]]\ntype = \"conv2d\"\nfilters = 4\n[[layer]]\ntype = \"batch_norm\"\n"
    "[[layer]]\ntype = \"relu\"\n[[layer]]\ntype = \"flatten\"\n"
    "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";

struct Fixture : tests::TinyRun {
  std::vector<std::string> notes;

  RunConfig net() const {
    RunConfig config = this->config();
    config.model = "net";
    config.model_layers = kNet;
    config.batch_size = 16;
    config.checkpoint.every_minutes = 0;
    return config;
  }
  /// Stops the run after its second step, of four in an epoch.
  void stop_in_mid_epoch(const RunConfig& config) {
    std::stop_source source;
    watcher = {};
    watcher.at_train_step = [&](const EpochReport& so_far) {
      if (so_far.train.num_steps == 2) source.request_stop();
    };
    const RunOutcome stopped = train_run(config, watcher, source.get_token());
    BOOST_REQUIRE(stopped.was_stopped);
    BOOST_REQUIRE(stopped.num_steps == 2u);
    BOOST_REQUIRE(stopped.partial->train.num_samples == 32u);
  }
  /// The stored settings, as `penstock train --resume` takes them.
  RunConfig stored() const { return read_run_file(out / kRunFileName); }

  /// Goes on to the end, and checks that the first epoch had the samples that were left, each once.
  RunOutcome go_on(const RunConfig& config) {
    watcher = {};
    notes.clear();
    std::vector<EpochReport> epochs;
    watcher.at_start = [&](const RunOverview& overview) { notes = overview.resume_notes; };
    watcher.at_epoch = [&](const EpochReport& report) { epochs.push_back(report); };
    const RunOutcome done = train_run(config, watcher, {}, RunStart::kResume);
    BOOST_TEST(!done.was_stopped);
    BOOST_TEST(done.num_epochs == config.epochs);
    BOOST_REQUIRE(epochs.size() == config.epochs);
    for (const EpochReport& epoch : epochs) {
      BOOST_TEST(epoch.train.is_each_once());
      BOOST_TEST(epoch.train.num_steps == (epoch.train.num_samples + 15) / 16);
    }
    BOOST_TEST(load_model(out).record.num_epochs == config.epochs);
    return done;
  }
  void check_note(const std::string& reason) const {
    BOOST_REQUIRE(!notes.empty());
    BOOST_TEST(contains(notes.front(),
                        "after step 2 (0 epochs and 32 samples): continues, no "
                        "longer bit for bit, because "),
               notes.front());
    BOOST_TEST(contains(notes.front(), reason), notes.front());
  }
  Error refusal_of(const RunConfig& config) {
    try {
      train_run(config, watcher, {}, RunStart::kResume);
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "no failure"};
  }
};

BOOST_FIXTURE_TEST_SUITE(changed_resume, Fixture)

BOOST_AUTO_TEST_CASE(another_micro_batch_goes_on_inside_the_epoch) {
  for (const std::uint32_t micro_batch : {8u, 5u, 1u}) {
    BOOST_TEST_CONTEXT("parts of " << micro_batch) {
      fs::remove_all(out);
      RunConfig config = net();
      config.model_layers = tests::kTinyNet;  // a batch norm takes no part of one sample
      stop_in_mid_epoch(config);
      RunConfig cut = stored();
      cut.micro_batch = micro_batch;
      go_on(cut);
      check_note("micro_batch: expected 16, found " + std::to_string(micro_batch));
    }
  }
}

BOOST_AUTO_TEST_CASE(parts_of_a_batch_go_on_as_whole_ones) {
  RunConfig cut = net();
  cut.micro_batch = 4;
  stop_in_mid_epoch(cut);
  RunConfig whole = stored();
  whole.micro_batch = 16;
  go_on(whole);
  check_note("micro_batch: expected 4, found 16");
}

BOOST_AUTO_TEST_CASE(less_memory_goes_on_inside_the_epoch_in_smaller_parts) {
  const RunConfig wide = tests::with_wide_net(net());
  stop_in_mid_epoch(wide);
  RunConfig less = stored();
  BOOST_REQUIRE(less.micro_batch == 16u);
  less.memory_bytes = 20u << 20;
  go_on(less);
  BOOST_TEST(stored().micro_batch < 16u);
  check_note("micro_batch: expected 16, found " + std::to_string(stored().micro_batch));
}

BOOST_AUTO_TEST_CASE(samples_that_are_mixed_go_on_in_other_parts) {
  RunConfig mixed = net();
  mixed.augment.mixup = 0.2;
  stop_in_mid_epoch(mixed);
  RunConfig cut = stored();
  cut.micro_batch = 8;
  go_on(cut);
  check_note("micro_batch: expected 16, found 8");
}

BOOST_AUTO_TEST_CASE(another_precision_goes_on_inside_the_epoch,
                     *boost::unit_test::precondition(tests::HasBfloat16())) {
  stop_in_mid_epoch(net());
  RunConfig other = stored();
  other.precision = ComputeType::kBfloat16;
  go_on(other);
  check_note("run.precision: expected \"float32\", found \"bfloat16\"");
}

// The reference reads pictures channel by channel.
BOOST_AUTO_TEST_CASE(another_backend_goes_on_inside_the_epoch) {
  RunConfig config = net();
  config.epochs = 1;
  stop_in_mid_epoch(config);
  RunConfig other = stored();
  other.backend = "reference";
  go_on(other);
  check_note("backend: expected ");
  check_note("the backend computes in double");
}

BOOST_AUTO_TEST_CASE(momentum_that_is_switched_off_is_left_out_and_on_starts_at_zero) {
  stop_in_mid_epoch(net());  // sgd with a momentum of 0.9
  RunConfig without = stored();
  without.optimizer.momentum = 0;
  without.optimizer.nesterov = false;
  go_on(without);
  check_note("run.momentum: expected 0.9, found 0");
  BOOST_REQUIRE(notes.size() == 2u);
  BOOST_TEST(notes[1] == "the optimizer's momentum is left out: it is no longer used");

  fs::remove_all(out);
  without.out = out;
  stop_in_mid_epoch(without);
  RunConfig with = stored();
  with.optimizer.momentum = 0.5;
  go_on(with);
  check_note("run.momentum: expected 0");
  BOOST_REQUIRE(notes.size() == 2u);
  BOOST_TEST(notes[1] == "the optimizer's momentum starts at zero: the checkpoint has none");
}

BOOST_AUTO_TEST_CASE(means_of_the_weights_may_be_switched_on_and_off) {
  stop_in_mid_epoch(net());
  RunConfig with = stored();
  with.optimizer.ema_decay = 0.9;
  go_on(with);
  check_note("run.ema_decay: expected ");
  BOOST_REQUIRE(notes.size() == 2u);
  BOOST_TEST(notes[1] ==
             "the means of the weights start from the checkpoint's weights: it has none");

  fs::remove_all(out);
  with.out = out;
  stop_in_mid_epoch(with);
  RunConfig without = stored();
  without.optimizer.ema_decay = 0;
  go_on(without);
  BOOST_REQUIRE(notes.size() == 2u);
  BOOST_TEST(notes[1] == "the means of the weights are left out: they are no longer used");
}

// Backend::description() has it between the version and the number of threads.
BOOST_AUTO_TEST_CASE(a_checkpoint_says_which_instruction_set_it_was_computed_with) {
  stop_in_mid_epoch(net());
  const auto checkpoints = list_checkpoints(out / kCheckpointsName);
  BOOST_REQUIRE(!checkpoints.empty());
  const CheckpointState state = CheckpointReader::open(checkpoints.front().path).state();
  const std::string all = make_backend("onednn", {.num_threads = 1})->description();
  BOOST_TEST(!state.instruction_set.empty());
  BOOST_TEST(all == state.backend + ", " + state.instruction_set + ", 1 thread");
}

BOOST_AUTO_TEST_CASE(other_initial_weights_are_refused_and_not_written_down) {
  const RunConfig first = [&] {
    RunConfig config = net();
    config.out = folder.path() / "first";
    config.epochs = 1;
    return config;
  }();
  train_run(first, watcher, {});
  stop_in_mid_epoch(net());
  const std::string before = read_text_file(out / kRunFileName);
  RunConfig other = stored();
  other.init_from = first.out;
  const Error error = refusal_of(other);
  BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
  BOOST_TEST(contains(error.what(), "cannot continue: run.init_from: expected "));
  BOOST_TEST(contains(error.what(), ", found \"" + first.out.native() + "\""), error.what());
  BOOST_TEST(read_text_file(out / kRunFileName) == before);
}

// The whole line again, from another folder.
BOOST_AUTO_TEST_CASE(the_same_initial_weights_may_be_named_again) {
  RunConfig first = net();
  first.out = folder.path() / "first";
  first.epochs = 1;
  train_run(first, watcher, {});
  RunConfig run = net();
  run.init_from = fs::relative(first.out);
  stop_in_mid_epoch(run);
  BOOST_TEST(stored().init_from == first.out);
  RunConfig again = stored();
  again.init_from = run.init_from;
  go_on(again);
  BOOST_TEST(contains(notes.front(), ": continues bit for bit"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
