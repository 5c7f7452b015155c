// Runs whose epochs are so many steps, and validations within them: the data go on as ever.
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/train/run/tiny_run.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;
using tests::TinyRun;

struct CutRun : TinyRun {
  /// 80 samples in steps of 8: ten steps a pass.
  RunConfig constant(const char* name) const {
    RunConfig config = TinyRun::config();
    config.out = folder.path() / name;
    config.schedule.kind = ScheduleKind::kConstant;
    config.optimizer.learning_rate = 0.001;
    return config;
  }
  RunOutcome train(const RunConfig& config) { return train_run(config, watcher, stop.get_token()); }
  static std::string weights_of(const RunConfig& config) {
    return read_text_file(config.out / kWeightsName);
  }
};

BOOST_FIXTURE_TEST_SUITE(cut_run, CutRun)

BOOST_AUTO_TEST_CASE(the_batches_of_cut_epochs_are_those_of_whole_passes) {
  RunConfig whole = constant("whole");
  whole.epochs = 2;
  train(whole);
  RunConfig cut = constant("cut");
  cut.epochs = 5;
  cut.steps_per_epoch = 4;
  std::vector<std::uint64_t> steps;
  watcher.at_epoch = [&](const EpochReport& report) {
    BOOST_TEST(report.train.num_samples == 32u);
    BOOST_TEST(report.train.num_steps == 4u);
    BOOST_TEST(report.train.is_each_once());
    steps.push_back(report.num_steps);
  };
  BOOST_TEST(train(cut).num_epochs == 5u);
  BOOST_TEST((steps == std::vector<std::uint64_t>{4, 8, 12, 16, 20}));
  BOOST_TEST((weights_of(cut) == weights_of(whole)));
}

// By hand: a pass of 80 in steps of 12 is 6 x 12 + 8, so the third epoch of three steps has 8 + 12 + 12.
BOOST_AUTO_TEST_CASE(an_epoch_may_hold_the_end_of_a_pass_and_the_begin_of_the_next) {
  RunConfig cut = constant("cut");
  cut.batch_size = 12;
  cut.steps_per_epoch = 3;
  cut.epochs = 3;
  std::vector<std::uint64_t> samples;
  watcher.at_epoch = [&](const EpochReport& report) {
    samples.push_back(report.train.num_samples);
    BOOST_TEST(report.train.num_expected == report.train.num_samples);
  };
  train(cut);
  BOOST_TEST((samples == std::vector<std::uint64_t>{36, 36, 32}));
}

std::vector<std::string> events_of(const RunConfig& config) {
  std::ifstream file(config.out / kMetricEventsName);
  std::vector<std::string> events;
  for (std::string line; std::getline(file, line);) {
    const auto event = nlohmann::json::parse(line);
    events.push_back(event["event"].get<std::string>() + " " + event["step"].dump());
  }
  return events;
}

BOOST_AUTO_TEST_CASE(validations_within_epochs_are_told_and_change_nothing) {
  RunConfig plain = constant("plain");
  plain.epochs = 2;
  train(plain);
  RunConfig often = plain;
  often.out = folder.path() / "often";
  often.validate_every_steps = 4;
  std::vector<std::uint64_t> steps;
  watcher.at_validation = [&](const EpochReport& so_far) {
    BOOST_TEST(so_far.validation->is_each_once());
    steps.push_back(so_far.num_steps);
  };
  const RunOutcome outcome = train(often);
  BOOST_TEST((steps == std::vector<std::uint64_t>{4, 8, 12, 16}));
  // Step 20 ends an epoch: its validation is that epoch's.
  const std::vector<std::string> expected = {"validation 4",  "validation 8",  "validation 10",
                                             "epoch 10",      "validation 12", "validation 16",
                                             "validation 20", "epoch 20"};
  BOOST_TEST(events_of(often) == expected, boost::test_tools::per_element());
  BOOST_TEST((weights_of(often) == weights_of(plain)));
  BOOST_TEST(outcome.last->train.num_samples == 80u);
}

BOOST_AUTO_TEST_CASE(a_stop_in_a_validation_within_an_epoch_ends_the_run) {
  RunConfig often = constant("often");
  often.validate_every_steps = 4;
  watcher.at_validation_step = [&](const EpochReport&) { stop.request_stop(); };
  const RunOutcome outcome = train(often);
  BOOST_TEST(outcome.was_stopped);
  BOOST_TEST(outcome.num_epochs == 0u);
  BOOST_TEST(outcome.partial->train.num_steps == 4u);
  BOOST_TEST(outcome.has_weights);
}

BOOST_AUTO_TEST_CASE(validation_has_a_batch_size_of_its_own) {
  RunConfig same = constant("same");
  same.epochs = 1;
  const RunOutcome expected = train(same);
  RunConfig other = same;
  other.out = folder.path() / "other";
  other.validation_batch_size = 5;
  const RunOutcome found = train(other);
  BOOST_TEST(load_model(other.out).record.batch_size == 5u);
  BOOST_TEST(found.last->validation->num_steps > expected.last->validation->num_steps);
  BOOST_TEST(found.last->validation->totals.loss() == expected.last->validation->totals.loss(),
             boost::test_tools::tolerance(1e-6));
  BOOST_TEST((weights_of(other) == weights_of(same)));
}

BOOST_AUTO_TEST_CASE(validations_without_a_validation_split_are_refused) {
  penstock::tests::write_cats_and_dogs(folder.path() / "pets", 8);
  tests::Quiet quiet;
  convert::convert_folder({.source = folder.path() / "pets", .dataset = folder.path() / "pets.ds"},
                          quiet, {});
  RunConfig lone = constant("lone");
  lone.dataset = folder.path() / "pets.ds";
  lone.validate_every_steps = 2;
  BOOST_TEST(std::string(failure_of(lone).what()) ==
             "run: validate_every_steps: expected a dataset with a split validation, found none");
  BOOST_TEST(!fs::exists(lone.out));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
