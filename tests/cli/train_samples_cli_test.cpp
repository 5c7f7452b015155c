// Which samples a run takes, and what they weigh, as typed.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "streamer/shard/dataset.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/cli/trained_shapes.h"
#include "tests/contains.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

struct Fixture : ShapesRun {
  /// Trains for an epoch, with more arguments.
  CommandResult train(const fs::path& dataset, const std::vector<std::string>& more) const {
    return ShapesRun::train(dataset, {"--epochs", "1"}, more);
  }
};

BOOST_FIXTURE_TEST_SUITE(train_samples_cli, Fixture)

// By hand: 80 = 6 x 12 + 8.
BOOST_AUTO_TEST_CASE(a_remainder_that_is_dropped_is_told_and_what_would_be_all_is_refused) {
  const auto dropping = [&](const char* batch_size) {
    return train(shapes.dataset(),
                 {"--json", "--drop-remainder", "true", "--batch-size", batch_size});
  };
  const CommandResult refused = dropping("96");
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(contains(refused.err,
                      "penstock: run: drop_remainder: expected a training split of at least one "
                      "batch of 96 samples, found 80: all of them would be left out\n"
                      "hint: --batch-size 80, or --drop-remainder false\n"));
  const CommandResult result = dropping("12");
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(contains(result.err, ", batch 12 (remainder dropped), "));
  BOOST_TEST(contains(result.err,
                      "epoch 1/1: 72 of 80 samples, each once, 8 left out by drop_remainder, 0 "
                      "skipped"));
  BOOST_TEST(contains(result.out, "\"num_left_out\":8"), result.out);
  BOOST_TEST(contains(read_text_file(out / "run.toml"), "\ndrop_remainder = true\n"));
}

BOOST_AUTO_TEST_CASE(samples_are_weighed_by_the_names_in_a_file) {
  const std::vector<std::string> names =
      penstock::Dataset::open(shapes.dataset()).split("train").read_names();
  const fs::path file = folder.path() / "weights.csv";
  publish_file(file, "name,weight\n" + names[0] + ",0\n" + names[7] + ",2.5\n");
  const CommandResult result = train(shapes.dataset(), {"--loss-weights", file, "--json"});
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(
      contains(result.err, "weighted  " + file.native() + ": 2 of 80 samples in the loss\n"));
  BOOST_TEST(contains(result.err, "epoch 1/1: 80 of 80 samples, each once, 0 skipped"));
  BOOST_TEST(contains(result.out, "\"num_loss_weights\":2"), result.out);
  BOOST_TEST(
      contains(read_text_file(out / "run.toml"), "\nloss_weights = \"" + file.native() + "\"\n"));
}

BOOST_AUTO_TEST_CASE(a_file_of_weights_that_is_wrong_is_refused_with_its_line) {
  const std::string name = penstock::Dataset::open(shapes.dataset()).split("train").read_name(0);
  const fs::path file = folder.path() / "weights.csv";
  const std::string line = "a line for each sample: cat/1.jpg,0.5";
  const auto check = [&](const std::string& text, const std::string& what) {
    publish_file(file, text);
    check_refused(train(shapes.dataset(), {"--loss-weights", file}), 1,
                  "loss_weights: " + file.native() + ": " + what, line);
    BOOST_TEST(!fs::exists(out));
  };
  check(name + ",1\nnobody.jpg,1\n",
        "line 2: expected the name of a sample of split train, as the dataset stores it, found "
        "\"nobody.jpg\"");
  check(name + ",1\n" + name + ",1\n",
        "line 2: expected each name once, found \"" + name + "\" again, as on line 1");
  check(name + ",-1\n", "line 1: expected a weight of 0, or 1e-9 to 1e9, found \"-1\"");
  check(name + ",nan\n", "line 1: expected a weight of 0, or 1e-9 to 1e9, found \"nan\"");
  check("", "expected lines NAME,WEIGHT, found none");
  fs::remove(file);
  check_refused(train(shapes.dataset(), {"--loss-weights", file}), 1,
                "loss_weights: " + file.native() + ": expected a file, found none",
                "name the CSV; a run goes on with the weights that it began with");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
