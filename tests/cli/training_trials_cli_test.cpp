// `penstock train --find-lr` and `--overfit-batch`, as typed: what they say, and that they leave nothing.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <nlohmann/json.hpp>

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

BOOST_FIXTURE_TEST_SUITE(training_trials_cli, TrialsFixture)

BOOST_AUTO_TEST_CASE(a_search_prints_a_plot_and_the_rate_to_take) {
  const fs::path out = folder.path() / "run";
  const CommandResult result = train({"--find-lr", "-o", out});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  BOOST_TEST(contains(result.out, "\ntry: --learning-rate "));
  BOOST_TEST(contains(result.out, "o"));  // the point on the plot
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_search_as_json_has_the_points_and_the_rate_among_them) {
  const CommandResult result = train({"--find-lr", "--json"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json json = Json::parse(result.out);
  BOOST_REQUIRE(json["points"].size() > 10u);
  bool is_there = false;
  for (const Json& point : json["points"]) {
    is_there = is_there || point["learning_rate"] == json["learning_rate"];
  }
  BOOST_TEST(is_there);
}

BOOST_AUTO_TEST_CASE(a_network_that_learns_one_batch_is_said_to) {
  const CommandResult learned = train({"--overfit-batch", "--learning-rate", "0.02"});
  BOOST_TEST(learned.exit_code == 0, learned.out << learned.err);
  BOOST_TEST(learned.out.starts_with("learned: the loss of one batch of 16 fell from "));
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
  const CommandResult both = train({"--overfit-batch", "--find-lr"});
  BOOST_TEST(both.exit_code == 2);
  BOOST_TEST(contains(both.err, "train: --find-lr: expected it without --overfit-batch"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
