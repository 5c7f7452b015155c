// Runs whose metrics decide: what ends early, which weights stay, what is written down.
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/train/run/tiny_run.h"
#include "train/run/epoch/epoch_metrics.h"
#include "train/run/inference/evaluation.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;
using tests::TinyRun;

struct MonitoredRun : TinyRun {
  /// At one rate: an epoch is the same however many follow.
  RunConfig constant() const {
    RunConfig config = TinyRun::config();
    config.schedule.kind = ScheduleKind::kConstant;
    config.optimizer.learning_rate = 0.001;
    return config;
  }
  /// No epoch after the first is an improvement by a billion.
  RunConfig stopping(std::uint32_t patience) const {
    RunConfig config = constant();
    config.early_stopping.patience = patience;
    config.early_stopping.min_delta = 1e9;
    return config;
  }
  RunOutcome train(const RunConfig& config) { return train_run(config, watcher, stop.get_token()); }
  /// The weights of a run of so many epochs.
  std::string weights_after(std::uint32_t num_epochs) {
    RunConfig config = constant();
    config.epochs = num_epochs;
    config.out = folder.path() / ("after" + std::to_string(num_epochs));
    train(config);
    return read_text_file(config.out / kWeightsName);
  }
};

BOOST_FIXTURE_TEST_SUITE(monitored_run, MonitoredRun)

BOOST_AUTO_TEST_CASE(a_run_that_does_not_improve_ends_with_the_reason_and_the_best_weights) {
  const RunOutcome outcome = train(stopping(1));
  BOOST_TEST(outcome.num_epochs == 2u);
  BOOST_TEST(!outcome.was_stopped);
  BOOST_TEST(
      contains(outcome.end_reason, "early stopping: val_loss did not improve for 1 epoch; best "));
  BOOST_TEST(outcome.best_epoch_idx.value() == 0u);
  BOOST_TEST(num_metric_lines() == 2u);
  BOOST_TEST(load_model(out).record.num_epochs == 1u);
  BOOST_TEST(record()["metrics"]["epoch"] == 1);
  BOOST_TEST((read_text_file(out / kWeightsName) == weights_after(1)));
}

BOOST_AUTO_TEST_CASE(without_restoring_the_weights_are_the_last_ones) {
  RunConfig config = stopping(1);
  config.restore_best_weights = false;
  const RunOutcome outcome = train(config);
  BOOST_TEST(!outcome.best_epoch_idx.has_value());
  BOOST_TEST(load_model(out).record.num_epochs == 2u);
  BOOST_TEST((read_text_file(out / kWeightsName) == weights_after(2)));
}

BOOST_AUTO_TEST_CASE(the_best_weights_stay_however_the_run_ends) {
  const std::string best = weights_after(1);
  RunConfig config = stopping(9);
  BOOST_TEST(train(config).end_reason.empty());  // its three epochs are done
  BOOST_TEST((read_text_file(out / kWeightsName) == best));

  config.out = folder.path() / "failed";
  watcher.at_train_step = [](const EpochReport& so_far) {
    if (so_far.epoch_idx == 2) throw Error(ErrorCode::kIo, "planted");
  };
  BOOST_TEST(std::string(failure_of(config).what())
                 .starts_with("planted; the best weights, after 1 whole epoch, are in " +
                              config.out.native() + "; stored as of step "));
  BOOST_TEST((read_text_file(config.out / kWeightsName) == best));

  config.out = folder.path() / "stopped";
  watcher.at_train_step = [&](const EpochReport& so_far) {
    if (so_far.epoch_idx == 1) stop.request_stop();
  };
  const RunOutcome outcome = train(config);
  BOOST_TEST(outcome.was_stopped);
  BOOST_TEST(outcome.best_epoch_idx.value() == 0u);
  BOOST_TEST((read_text_file(config.out / kWeightsName) == best));
}

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_before_its_first_epoch_keeps_what_there_is) {
  watcher.at_train_step = [&](const EpochReport&) { stop.request_stop(); };
  const RunOutcome outcome = train(stopping(1));
  BOOST_TEST(outcome.has_weights);
  BOOST_TEST(!outcome.best_epoch_idx.has_value());
  BOOST_TEST(load_model(out).record.num_epochs == 0u);
}

BOOST_AUTO_TEST_CASE(a_monitor_that_is_misspelt_is_refused_before_anything_is_stored) {
  RunConfig config = stopping(1);
  config.early_stopping.monitor = "val_acuracy";
  const Error error = failure_of(config);
  BOOST_TEST(contains(error.what(), "run: early_stopping.monitor: "));
  BOOST_TEST(error.hint() == "did you mean 'val_accuracy'?");
  BOOST_TEST(!fs::exists(out));
}

// Halved after every epoch but the first: 0.001, 0.001, 0.0005.
BOOST_AUTO_TEST_CASE(a_lowered_rate_is_that_of_the_next_epoch) {
  RunConfig config = constant();
  config.reduce_on_plateau.factor = 0.5;
  config.reduce_on_plateau.patience = 0;
  config.reduce_on_plateau.min_delta = 1e9;
  config.reduce_on_plateau.delta_mode = DeltaMode::kAbsolute;
  std::vector<double> rates;
  std::vector<std::string> notes;
  watcher.at_epoch = [&](const EpochReport& report) {
    rates.push_back(report.train.learning_rate);
  };
  watcher.at_note = [&](const std::string& note) { notes.push_back(note); };
  train(config);
  BOOST_TEST((rates == std::vector<double>{0.001, 0.001, 0.0005}));
  BOOST_REQUIRE(!notes.empty());
  BOOST_TEST(notes[0] == "learning rate lowered from 0.001 to 5e-04: val_loss stands");
}

BOOST_AUTO_TEST_CASE(with_an_ema_what_was_validated_is_what_is_stored) {
  RunConfig config = constant();
  config.optimizer.ema_decay = 0.9;
  const RunOutcome outcome = train(config);
  EvaluationConfig evaluation;
  evaluation.run = out;
  evaluation.split = "validation";
  const EvaluationReport again = evaluate_run(evaluation, nullptr, {});
  BOOST_TEST(again.pass.totals.loss() == outcome.last->validation->totals.loss());
  BOOST_TEST((read_text_file(out / kWeightsName) != weights_after(3)));
}

BOOST_AUTO_TEST_CASE(validation_measures_what_evaluation_does) {
  const RunOutcome outcome = train(constant());
  const PassReport& pass = *outcome.last->validation;
  const MetricTable& metrics = outcome.last->metrics;
  BOOST_TEST(metrics.at("val_loss").value == pass.totals.loss());
  BOOST_TEST(metrics.at("val_accuracy").value == pass.totals.top1());
  BOOST_TEST(metrics.at("loss").value == outcome.last->train.totals.loss());
  // Without smoothing, class weights and sample weights the loss is the likelihood.
  BOOST_TEST(metrics.at("val_nll").value == pass.totals.loss(), boost::test_tools::tolerance(1e-5));
  const RunMetrics known{.num_classes = 2, .has_validation = true};
  const std::vector<MetricName> names = known.names();
  BOOST_REQUIRE(metrics.values().size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    BOOST_TEST(metrics.values()[i].metric.name == names[i].name);
  }
}

BOOST_AUTO_TEST_CASE(every_epoch_and_validation_is_an_event) {
  train(constant());
  std::ifstream file(out / kMetricEventsName);
  std::vector<std::string> events;
  for (std::string line; std::getline(file, line);) {
    const auto event = nlohmann::json::parse(line);
    events.push_back(event["event"].get<std::string>() + " " + event["epoch"].dump() + " " +
                     event["step"].dump());
  }
  // 80 samples in batches of 8.
  const std::vector<std::string> expected = {"validation 1 10", "epoch 1 10",
                                             "validation 2 20", "epoch 2 20",
                                             "validation 3 30", "epoch 3 30"};
  BOOST_TEST(events == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
