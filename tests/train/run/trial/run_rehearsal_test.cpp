#include "train/run/trial/run_rehearsal.h"

#include <boost/test/unit_test.hpp>

#include <map>

#include "tests/contains.h"
#include "tests/train/run/tiny_run.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;

/// As few batches as there can be: two warm up, two are timed.
constexpr BatchTiming kFew{.num_warm_up = 2, .min_timed = 2, .enough_s = 0};

struct Fixture : tests::TinyRun {
  RunOverview overview;

  RunForecast rehearse(const RunConfig& config, RunStart start = RunStart::kNew) {
    return rehearse_run(config, start, kFew,
                        {.at_start = [&](const RunOverview& known) { overview = known; }},
                        stop.get_token());
  }
  Error refusal_of(const RunConfig& config, RunStart start = RunStart::kNew) {
    try {
      rehearse(config, start);
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "no failure"};
  }
  void stop_after(const RunConfig& config, std::uint64_t num_steps) {
    std::stop_source source;
    watcher.at_train_step = [&](const EpochReport& so_far) {
      if (so_far.train.num_steps == num_steps) source.request_stop();
    };
    train_run(config, watcher, source.get_token());
    watcher = {};
  }
  /// Every file below the run, and what is in it.
  std::map<fs::path, std::string> files() const {
    std::map<fs::path, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
      files[entry.path()] = entry.is_regular_file() ? read_text_file(entry.path()) : "";
    }
    return files;
  }
  std::uint64_t steps_per_epoch() const { return (overview.num_train_samples + 7) / 8; }
};

BOOST_FIXTURE_TEST_SUITE(run_rehearsal, Fixture)

BOOST_AUTO_TEST_CASE(a_rehearsal_plans_the_run_itself_and_stores_nothing) {
  const RunForecast forecast = rehearse(config());
  BOOST_TEST(!fs::exists(out));
  BOOST_TEST(files().empty());
  BOOST_TEST(forecast.ahead.steps_per_epoch == steps_per_epoch());
  BOOST_TEST(forecast.ahead.num_steps() == 3 * steps_per_epoch());
  BOOST_TEST(forecast.ahead.num_validations() == 3u);
  BOOST_REQUIRE(forecast.stages.size() == 1u);
  BOOST_TEST(forecast.stages[0].timed.num_batches == 2u);
  BOOST_TEST(forecast.stages[0].timed.num_samples == 16u);
  BOOST_TEST(forecast.validation.num_batches > 0u);
  BOOST_TEST(forecast.train_s() > 0);
  BOOST_TEST(forecast.validation_s() > 0);
  const std::uint64_t rehearsed = overview.identity_hash;
  watcher.at_start = [&](const RunOverview& known) {
    BOOST_TEST(known.identity_hash == rehearsed);
    BOOST_TEST(known.num_params == overview.num_params);
  };
  run();
  BOOST_TEST(fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_folder_need_not_be_named_but_must_be_free) {
  RunConfig nameless = config();
  nameless.out.clear();
  BOOST_TEST(rehearse(nameless).ahead.num_steps() > 0u);
  fs::create_directory(out);
  const Error error = refusal_of(config());
  BOOST_TEST((error.code() == ErrorCode::kAlreadyExists));
}

BOOST_AUTO_TEST_CASE(what_a_run_refuses_a_rehearsal_refuses_with_the_same_words) {
  RunConfig monitor = config();
  monitor.early_stopping.patience = 1;
  monitor.early_stopping.monitor = "val_los";
  RunConfig little = config();
  little.memory_bytes = 1u << 20;
  RunConfig weights = config();
  weights.init_from = folder.path() / "none.safetensors";
  RunConfig group = config();
  group.param_groups = {{.pattern = "nothing*"}};
  for (const RunConfig& wrong : {monitor, little, weights, group}) {
    const Error expected = failure_of(wrong);
    const Error error = refusal_of(wrong);
    BOOST_TEST((error.code() == expected.code()));
    BOOST_TEST(std::string(error.what()) == expected.what());
    BOOST_TEST(!contains(error.what(), "no failure"));
  }
}

BOOST_AUTO_TEST_CASE(a_run_that_goes_on_is_rehearsed_from_its_checkpoint_and_stays_as_it_is) {
  stop_after(config(), 3);
  const auto before = files();
  const RunForecast forecast = rehearse(config(), RunStart::kResume);
  BOOST_TEST((files() == before));
  BOOST_TEST(forecast.ahead.num_steps_done == 3u);
  BOOST_TEST(forecast.ahead.num_steps() == 3 * steps_per_epoch() - 3);
  BOOST_REQUIRE(overview.resume_notes.size() == 1u);
  BOOST_TEST(contains(overview.resume_notes[0], "after step 3 ("));
  BOOST_TEST(contains(overview.resume_notes[0], "continues bit for bit"));
  RunConfig other = config();
  other.seed = 4;
  const Error error = refusal_of(other, RunStart::kResume);
  BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
  BOOST_TEST(contains(error.what(), "seed"), error.what());
  BOOST_TEST((files() == before));
}

BOOST_AUTO_TEST_CASE(a_finished_run_has_nothing_ahead_unless_it_gets_more_epochs) {
  RunConfig constant = config();
  constant.schedule = ScheduleConfig::of(ScheduleKind::kConstant);
  train_run(constant, watcher, {});
  const RunForecast done = rehearse(constant, RunStart::kResume);
  BOOST_TEST(done.ahead.num_steps() == 0u);
  BOOST_TEST(done.ahead.num_validations() == 0u);
  BOOST_TEST(done.stages.empty());
  constant.epochs = 5;
  const RunForecast more = rehearse(constant, RunStart::kResume);
  BOOST_TEST(more.ahead.num_steps() == 2 * steps_per_epoch());
  BOOST_TEST(more.ahead.num_validations() == 2u);
}

BOOST_AUTO_TEST_CASE(every_stage_of_the_learning_is_timed) {
  RunConfig staged = config();
  staged.model_layers =
      "[[layer]]\ntype = \"conv2d\"\nfilters = 4\n[[layer]]\ntype = \"flatten\"\n"
      "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
  staged.param_groups = {{.pattern = "head"}, {.pattern = "*", .first_trainable_epoch = 1}};
  const RunForecast forecast = rehearse(staged);
  BOOST_REQUIRE(forecast.stages.size() == 2u);
  BOOST_TEST(forecast.stages[0].num_steps == steps_per_epoch());
  BOOST_TEST(forecast.stages[1].first_epoch == 1u);
  BOOST_TEST(forecast.stages[1].num_steps == 2 * steps_per_epoch());
  for (const StageForecast& stage : forecast.stages) BOOST_TEST(stage.timed.num_batches == 2u);
}

// Its step would take the whole epoch: it is timed by its parts, and given up.
BOOST_AUTO_TEST_CASE(an_epoch_as_one_step_is_timed_by_its_parts) {
  RunConfig all = config();
  all.batch_size = kWholeEpoch;
  all.micro_batch = 8;
  const RunForecast forecast = rehearse(all);
  BOOST_TEST(forecast.ahead.num_steps() == 3u);
  BOOST_REQUIRE(forecast.stages.size() == 1u);
  BOOST_TEST(forecast.stages[0].timed.num_samples == 16u);
  // At the speed of these, three epochs.
  const double expected_s = forecast.stages[0].timed.elapsed_s / 16 *
                            (3.0 * static_cast<double>(overview.num_train_samples));
  BOOST_TEST(forecast.train_s() == expected_s, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_rehearsal_that_is_stopped_says_so) {
  stop.request_stop();
  BOOST_TEST((refusal_of(config()).code() == ErrorCode::kStopped));
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
