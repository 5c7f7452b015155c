// `penstock train --find-lr`, `--overfit-batch` and `--dry-run`, as typed: what they say, and that they leave
// nothing.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/cli/trained_shapes.h"
#include "tests/contains.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct TrialsFixture {
  const TrainedShapes& shapes = TrainedShapes::get();
  TemporaryFolder folder;

  CommandResult train(std::vector<std::string> more) const {
    std::vector<std::string> line = {
        "train", shapes.dataset(), "--image-size", "32", "--batch-size", "16", "--threads", "2"};
    line.insert(line.end(), more.begin(), more.end());
    return run_penstock(line);
  }
};

/// Marks "o" on the plot: right of the axis, where no title or number is.
std::size_t count_of_suggestions(const std::string& plot) {
  std::size_t count = 0;
  std::istringstream lines(plot);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t axis = line.find('|');
    if (axis == line.npos) continue;
    count += static_cast<std::size_t>(
        std::ranges::count(line.begin() + static_cast<std::ptrdiff_t>(axis), line.end(), 'o'));
  }
  return count;
}

BOOST_FIXTURE_TEST_SUITE(training_trials_cli, TrialsFixture)

BOOST_AUTO_TEST_CASE(a_search_prints_a_plot_and_the_rate_to_take) {
  const fs::path out = folder.path() / "run";
  const CommandResult result = train({"--find-lr", "-o", out});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  BOOST_TEST(contains(result.out, "\ntry: --learning-rate "));
  BOOST_TEST(count_of_suggestions(result.out) == 1u);
  BOOST_TEST(
      contains(result.err, "--out " + out.native() + " does nothing: --find-lr leaves no run"));
  BOOST_TEST(!fs::exists(out));
}

// No gradient is left: what differs is the batches.
BOOST_AUTO_TEST_CASE(a_search_that_finds_no_fall_says_so_and_suggests_nothing) {
  const CommandResult result = train({"--find-lr", "--clip-norm", "1e-30", "--weight-decay", "0"});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(contains(result.err, "train: --find-lr: expected a loss that falls"), result.err);
  BOOST_TEST(!contains(result.out, "--learning-rate"));
}

BOOST_AUTO_TEST_CASE(a_search_as_json_has_the_points_and_the_rate_among_them) {
  const CommandResult result = train({"--find-lr", "--json"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json json = Json::parse(result.out);
  BOOST_REQUIRE(json["points"].size() > 10u);
  const auto suggested = std::ranges::find_if(json["points"], [&](const Json& point) {
    return point["learning_rate"] == json["learning_rate"];
  });
  BOOST_REQUIRE((suggested != json["points"].end()));
  const Json& first = json["points"][0];
  BOOST_TEST((*suggested)["smoothed_loss"].get<double>() < first["smoothed_loss"].get<double>());
}

BOOST_AUTO_TEST_CASE(a_network_that_learns_one_batch_is_said_to) {
  const CommandResult learned = train({"--overfit-batch", "--learning-rate", "0.02"});
  BOOST_TEST(learned.exit_code == 0, learned.out << learned.err);
  BOOST_TEST(learned.out.starts_with("learned: the loss of one batch of 16 fell from "));
  const CommandResult in_parts = train({"--overfit-batch=2", "--micro-batch", "4"});
  BOOST_TEST(contains(in_parts.out, "the loss of one batch of 16 "), in_parts.out << in_parts.err);
  const CommandResult idle = train({"--overfit-batch=3", "--learning-rate", "1e-12", "--json"});
  BOOST_TEST(idle.exit_code == 1);
  const Json json = Json::parse(idle.out);
  BOOST_TEST(json["is_learned"] == false);
  BOOST_TEST(json["num_steps"] == 3);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_trial_is_a_usage_error) {
  const CommandResult none = train({"--overfit-batch=0"});
  BOOST_TEST(none.exit_code == 2);
  BOOST_TEST(contains(none.err, "expected 1 to 1000000 steps, found '0'"));
  const CommandResult behind = train({"--overfit-batch", "50"});
  BOOST_TEST(behind.exit_code == 2);
  BOOST_TEST(contains(behind.err, "\nhint: --overfit-batch=50; a path of that name is ./50"));
  const CommandResult both = train({"--overfit-batch", "--find-lr"});
  BOOST_TEST(both.exit_code == 2);
  BOOST_TEST(contains(both.err, "train: --find-lr: expected it without --overfit-batch"));
  const CommandResult dry = train({"--overfit-batch", "--dry-run"});
  BOOST_TEST(dry.exit_code == 2);
  BOOST_TEST(contains(dry.err, "train: --dry-run: expected it without --overfit-batch"));
}

// What the hint says is typed, and has the weights.
BOOST_AUTO_TEST_CASE(a_trial_of_a_run_that_is_there_takes_its_settings_and_weights_by_name) {
  const std::string run = shapes.run();
  for (const std::string trial : {"--find-lr", "--overfit-batch"}) {
    const std::string with_run = " --config " + run + "/run.toml --init-from " + run + " " + trial;
    check_refused(run_penstock({"train", "-o", run, trial, "--resume"}), 2,
                  "train: " + trial + ": expected it without --resume, found both",
                  "with the run's settings and weights: penstock train" + with_run);
  }
  const auto first_loss = [&](std::vector<std::string> more) {
    std::vector<std::string> line = {"train", "--config", run + "/run.toml", "--find-lr", "--json"};
    line.insert(line.end(), more.begin(), more.end());
    const CommandResult result = run_penstock(line);
    BOOST_REQUIRE_MESSAGE(!result.out.empty(), result.err);
    return Json::parse(result.out)["points"].at(0)["loss"].get<double>();
  };
  BOOST_TEST(first_loss({"--init-from", run}) != first_loss({}));  // of the same batch
}

// 80 pictures in batches of 16 are five steps, and 40 to validate with after each epoch.
BOOST_AUTO_TEST_CASE(a_dry_run_shows_the_plan_and_the_time_and_stores_nothing) {
  const fs::path out = folder.path() / "run";
  const CommandResult result = train({"--dry-run", "-o", out, "--epochs", "3"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  BOOST_TEST(result.out.starts_with("dry run: nothing was stored\nforecast  about "));
  BOOST_TEST(contains(result.out, " for 3 epochs of 5 steps\n"));
  BOOST_TEST(contains(result.out, "   15 steps at "));
  BOOST_TEST(contains(result.out, "   40 samples 3 times at "));
  BOOST_TEST(contains(result.err, "model     small_cnn, 32x32 pixels"));
  BOOST_TEST(contains(result.err, "training loader"));  // of the memory
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_dry_run_as_json_has_plan_and_parts_of_the_time) {
  const CommandResult result = train({"--dry-run", "--json", "--epochs", "3"});  // without -o
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json json = Json::parse(result.out);
  BOOST_TEST(json["is_dry_run"] == true);
  BOOST_TEST(json["model"] == "small_cnn");
  BOOST_TEST(json["num_steps_left"] == 15);
  BOOST_TEST(json["num_validations_left"] == 3);
  BOOST_TEST(json["memory"].size() > 3u);
  BOOST_TEST(json["stages"][0]["timed"]["num_samples"] > 0);
  const double sum_s = json["setup_s"].get<double>() + json["train_s"].get<double>() +
                       json["validation_s"].get<double>();
  BOOST_TEST(json["total_s"].get<double>() == sum_s, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_dry_run_of_a_run_that_goes_on_says_how) {
  const auto dry = [&](std::vector<std::string> more) {
    std::vector<std::string> line = {"train", "-o", shapes.run(), "--dry-run"};
    line.insert(line.end(), more.begin(), more.end());
    return run_penstock(line);
  };
  const CommandResult done = dry({"--resume"});
  BOOST_TEST(done.exit_code == 0, done.err);
  BOOST_TEST(contains(done.out, "the run has come to its end: more --epochs go on with it"));
  BOOST_TEST(contains(done.err, "resume    after step 10 ("));
  const CommandResult other = dry({"--resume", "--model", "lenet"});
  BOOST_TEST(other.exit_code == 1);
  BOOST_TEST(contains(other.err, "cannot continue: model.identity"), other.err);
  const CommandResult there = train({"--dry-run", "-o", shapes.run()});
  BOOST_TEST(there.exit_code == 1);
  BOOST_TEST(contains(there.err, "found a finished run of 2 epochs"));
  const CommandResult nowhere = run_penstock({"train", shapes.dataset(), "--resume", "--dry-run"});
  BOOST_TEST(nowhere.exit_code == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
