// Runs that go on from other weights, as they are typed.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/cli/trained_shapes.h"
#include "tests/contains.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

struct Fixture : ShapesRun {
  CommandResult train(const std::vector<std::string>& more) const {
    return ShapesRun::train(shapes.dataset(), more);
  }
};

BOOST_FIXTURE_TEST_SUITE(finetune_cli, Fixture)

// 391,466 parameters of small_cnn, of which the head has 256 x 10 + 10; its tensors are four convolutions,
// four norms of four, and two of the head.
BOOST_AUTO_TEST_CASE(a_run_goes_on_from_another_with_its_head_alone) {
  const CommandResult result =
      train({"--epochs", "1", "--init-from", shapes.run(), "--freeze", "*,!head"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  BOOST_TEST(contains(result.err, "weights   " + shapes.run().native() +
                                      ": 22 tensors; mean and std of that run\n"));
  BOOST_TEST(contains(result.err, "learning  2,570 of 391,466 parameters\n"));
  BOOST_TEST(run_penstock({"evaluate", out}).exit_code == 0);
}

// Stored with the run for pixels divided by 255; the line has them of 0 to 255.
BOOST_AUTO_TEST_CASE(a_run_that_goes_on_keeps_its_mean_in_any_units) {
  std::vector<std::string> words = {"--epochs",          "1", "--mean", "[51,102,127.5]",
                                    "--augment.rescale", "1"};
  BOOST_REQUIRE(train(words).exit_code == 0);
  const CommandResult shorter =
      run_penstock({"train", "-o", out, "--resume", "--augment.rescale", "1"});
  BOOST_TEST(contains(shorter.err, "(1 epoch): continues bit for bit\n"), shorter.err);
  words.push_back("--resume");
  const CommandResult whole = train(words);
  BOOST_TEST(contains(whole.err, "(1 epoch): continues bit for bit\n"), whole.err);
}

BOOST_AUTO_TEST_CASE(the_recipe_unfreezes_what_lies_before_the_head) {
  const fs::path recipe = fs::path(PENSTOCK_SOURCE_DIR) / "tools/recipes/finetune.toml";
  const CommandResult result = train({"--config", recipe, "--model", "small_cnn", "--epochs", "3",
                                      "--init-from", shapes.run(), "--json"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const std::string start = result.out.substr(0, result.out.find('\n'));
  const auto json = nlohmann::json::parse(start);
  BOOST_TEST(json["event"] == "start");
  BOOST_TEST(json["init_from"] == shapes.run().native());
  BOOST_TEST(json["initial_weights"] == "22 tensors");
  BOOST_REQUIRE(json["learning"].size() == 2u);
  BOOST_TEST(json["learning"][0]["num_params"] == 2570u);
  BOOST_TEST(json["learning"][1]["first_epoch"] == 2u);
  BOOST_TEST(json["learning"][1]["num_params"] == 391466u);
  BOOST_TEST(
      contains(result.err, "learning  2,570 of 391,466 parameters, from epoch 3 on 391,466\n"));
}

BOOST_AUTO_TEST_CASE(weights_of_another_network_and_patterns_of_none_are_refused_with_a_way_on) {
  check_refused_with(train({"--model", "lenet", "--init-from", shapes.run()}), 1,
                     "expected the 10 tensors of lenet, found");
  check_refused(train({"--freeze", "haed.*"}), 1,
                "run: freeze: expected patterns that match parameters' names, found \"haed.*\"",
                "the nearest is \"head.*\"");
  check_refused_with(train({"--init-from", folder.path() / "none"}), 1,
                     "expected a file of weights");
  check_refused(train({"--freeze", ""}), 2, "run: freeze: expected names or patterns, found \"\"",
                "--freeze '*,!head'");
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
