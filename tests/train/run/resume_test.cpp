// Runs that are cut off and go on: what comes of them is what would have come without.
#include <boost/test/unit_test.hpp>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "fixtures/damage.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/train/run/tiny_run.h"
#include "train/run/run_folder.h"
#include "train/run/run_status.h"
#include "train/run/session.h"
#include "train/store/checkpoint_folder.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;
using penstock::tests::count_entries;

// Everything that a step leaves to the next one: statistics, moments, draws of dropout and augmentation.
constexpr const char* kNet =
    "[[layer]]\ntype = \"conv2d\"\nfilters = 4\n[[layer]]\ntype = \"batch_norm\"\n"
    "[[layer]]\ntype = \"relu\"\n[[layer]]\ntype = \"flatten\"\n"
    "[[layer]]\ntype = \"dropout\"\nrate = 0.25\n"
    "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream text(line);
  for (std::string field; std::getline(text, field, ',');) fields.push_back(field);
  return fields;
}

/// What a clock measures.
bool is_of_a_clock(const std::string& name) {
  return name == "train_s" || name == "val_s" || name.ends_with("images_per_s") ||
         name == "waiting_share";
}

std::string table_of(const fs::path& run) {
  std::istringstream text(read_text_file(run / kMetricsName));
  std::string line;
  std::getline(text, line);
  const std::vector<std::string> names = fields_of(line);
  std::string kept = line + "\n";
  while (std::getline(text, line)) {
    const std::vector<std::string> fields = fields_of(line);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!is_of_a_clock(names[i])) kept += fields[i] + ",";
    }
    kept += "\n";
  }
  return kept;
}

std::string events_of(const fs::path& run) {
  std::istringstream text(read_text_file(run / kMetricEventsName));
  std::string kept;
  for (std::string line; std::getline(text, line);) {
    nlohmann::json event = nlohmann::json::parse(line);
    for (const char* name :
         {"train_s", "val_s", "images_per_s", "val_images_per_s", "waiting_share"}) {
      event.erase(name);
    }
    kept += event.dump() + "\n";
  }
  return kept;
}

std::string figures_of(const fs::path& run) {
  return table_of(run) + events_of(run);
}

/// What a run came to, clocks apart.
struct Left {
  std::string weights;
  std::string record;
  std::string figures;

  explicit Left(const fs::path& run)
      : weights(read_text_file(run / kWeightsName)),
        record(read_text_file(run / kModelRecordName)),
        figures(figures_of(run)) {}
};

void check_equal(const Left& found, const Left& expected) {
  BOOST_TEST((found.weights == expected.weights));
  BOOST_TEST((found.record == expected.record));
  BOOST_TEST(found.figures == expected.figures);
}

struct Fixture : tests::TinyRun {
  std::vector<std::string> notes;

  RunConfig net() const {
    RunConfig config = this->config();
    config.model = "net";
    config.model_layers = kNet;
    config.optimizer = OptimizerConfig::of(OptimizerKind::kAdam);
    config.augment.mixup = 0.2;
    config.batch_size = 20;
    config.checkpoint.every_minutes = 0;
    return config;
  }
  RunConfig net_at(const fs::path& place) const {
    RunConfig config = net();
    config.out = place;
    return config;
  }
  RunOutcome train(const RunConfig& config, RunStart start, std::stop_token token = {}) {
    watcher.at_start = [&](const RunOverview& overview) { notes = overview.resume_notes; };
    return train_run(config, watcher, token, start);
  }
  RunOutcome resume(const RunConfig& config) {
    watcher = {};
    return train(config, RunStart::kResume);
  }
  /// Ends the run after its first `num_steps` steps of this process.
  RunOutcome stop_after(const RunConfig& config, std::uint64_t num_steps,
                        RunStart start = RunStart::kNew) {
    std::stop_source source;
    std::uint64_t taken = 0;
    watcher = {};
    watcher.at_train_step = [&](const EpochReport&) {
      if (++taken == num_steps) source.request_stop();
    };
    return train(config, start, source.get_token());
  }
  Error refusal_of(const RunConfig& config, RunStart start) {
    try {
      train(config, start);
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "no failure"};
  }
  /// The unbroken run of net(), made once.
  const Left& unbroken() {
    static const Left left = [this] {
      const RunConfig config = net_at(folder.path() / "unbroken");
      train(config, RunStart::kNew);
      return Left(config.out);
    }();
    return left;
  }
  /// Newest first.
  std::vector<fs::path> checkpoints() const {
    std::vector<fs::path> paths;
    for (const CheckpointEntry& entry : list_checkpoints(out / kCheckpointsName)) {
      paths.push_back(entry.path);
    }
    return paths;
  }
};

BOOST_FIXTURE_TEST_SUITE(resume, Fixture)

BOOST_AUTO_TEST_CASE(a_run_stopped_after_any_step_comes_to_the_same_weights_and_figures) {
  const Left& expected = unbroken();
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
      check_equal(Left(out), expected);
    }
  }
  BOOST_TEST(num_stops > 8u);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_at_every_second_step_comes_to_the_same) {
  const Left& expected = unbroken();
  RunOutcome outcome = stop_after(net(), 2);
  int num_processes = 1;
  for (; outcome.was_stopped && num_processes < 100; ++num_processes) {
    outcome = stop_after(net(), 2, RunStart::kResume);
  }
  BOOST_TEST(num_processes > 5);
  check_equal(Left(out), expected);
}

// As a crash leaves it: nothing is stored in the end but what was stored on the way.
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
      check_equal(Left(out), Left(whole.out));
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
  check_equal(Left(out), Left(whole.out));
}

BOOST_AUTO_TEST_CASE(a_run_that_crashed_goes_on_from_the_checkpoint_before) {
  const Left& expected = unbroken();
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
  check_equal(Left(out), expected);
}

BOOST_AUTO_TEST_CASE(a_stop_in_a_validation_is_made_up_for_first) {
  const Left& expected = unbroken();
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
    BOOST_TEST(status->num_epochs == epoch_idx);
    BOOST_TEST(!status->is_finished());
    resume(net());
    check_equal(Left(out), expected);
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_newest_checkpoint_falls_back_to_the_one_before_and_says_so) {
  const Left& expected = unbroken();
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
  check_equal(Left(out), expected);
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
  const Left& expected = unbroken();
  {
    RunFolder begun(net());
    begun.keep();  // killed before its first checkpoint
  }
  const RunOutcome outcome = resume(net());
  BOOST_TEST(contains(notes[0], "the run has no checkpoint yet"));
  BOOST_TEST(outcome.num_steps > 0u);
  check_equal(Left(out), expected);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_not_there_is_begun) {
  const Left& expected = unbroken();
  resume(net());
  BOOST_TEST(notes.empty());
  check_equal(Left(out), expected);
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
  const Left before(out);
  const RunOutcome outcome = resume(net());
  BOOST_TEST(outcome.num_epochs == 3u);
  BOOST_TEST(outcome.has_weights);
  check_equal(Left(out), before);
}

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
  check_equal(Left(out), Left(longer.out));
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
  const Left& expected = unbroken();
  stop_after(net(), 5);
  RunConfig other = net();
  other.memory_bytes = 64u << 20;
  other.loader_threads = 4;
  resume(other);
  BOOST_TEST(contains(notes[0], ": continues bit for bit"));
  check_equal(Left(out), expected);
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
    BOOST_TEST(figures_of(out) == figures_of(whole.out));
  }
}

BOOST_AUTO_TEST_CASE(out_of_time_the_run_is_stored_and_ends) {
  const Left& expected = unbroken();
  RunConfig hurried = net();
  hurried.checkpoint.max_minutes = 1.0 / 60;  // less than a checkpoint is taken to last
  const RunOutcome outcome = train(hurried, RunStart::kNew);
  BOOST_TEST(outcome.was_stopped);
  BOOST_TEST(outcome.ran_out_of_time);
  BOOST_TEST(outcome.num_steps == 1u);
  BOOST_TEST(checkpoints().size() == 1u);
  resume(net());
  BOOST_TEST(contains(notes[0], ": continues bit for bit"));
  check_equal(Left(out), expected);
}

// A file where the folder of checkpoints would be.
BOOST_AUTO_TEST_CASE(a_checkpoint_that_cannot_be_stored_is_a_warning) {
  const Left& expected = unbroken();
  watcher.at_train_step = [&](const EpochReport&) {
    if (!fs::exists(out / kCheckpointsName)) publish_file(out / kCheckpointsName, "x");
  };
  const RunOutcome outcome = train(net(), RunStart::kNew);
  BOOST_TEST(outcome.num_epochs == 3u);
  BOOST_TEST(!outcome.checkpoint_step.has_value());
  BOOST_TEST(watcher.warnings.size() >= 3u);
  BOOST_TEST(contains(watcher.warnings.front(), "checkpoint: "));
  check_equal(Left(out), expected);
}

BOOST_AUTO_TEST_CASE(lines_of_epochs_that_come_again_are_forgotten) {
  const Left& expected = unbroken();
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
  check_equal(Left(out), expected);
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
