// The examples as their head comments say they are run.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/cli/run_command.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

tests::CommandResult run(const std::string& example, const std::vector<std::string>& arguments) {
  const tests::CommandResult result =
      tests::run_program(std::filesystem::path(PENSTOCK_EXAMPLES_FOLDER) / example, arguments);
  BOOST_TEST_MESSAGE(result.out << result.err);
  return result;
}

// The numbers that follow "loss " in what was said.
std::vector<double> losses(const std::string& said) {
  std::vector<double> found;
  for (std::size_t at = said.find("loss "); at != std::string::npos;
       at = said.find("loss ", at + 1)) {
    found.push_back(std::stod(said.substr(at + 5)));
  }
  return found;
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  return bytes.str();
}

BOOST_AUTO_TEST_SUITE(examples)

// Of 400 pictures 8 in 10 train. Their sides are 16 + n * 7 % 41 and 16 + n * 5 % 37; 3 bytes a pixel.
BOOST_AUTO_TEST_CASE(what_one_writes_another_trains_on) {
  const tests::TemporaryFolder folder;
  const std::string dataset = folder.path() / "stripes";
  std::uint64_t train_bytes = 0;
  for (std::uint64_t n = 0; n < 400; ++n) {
    if (n % 10 < 8) train_bytes += (16 + n * 7 % 41) * (16 + n * 5 % 37) * 3;
  }
  BOOST_REQUIRE(train_bytes > 1u << 20);
  BOOST_REQUIRE(train_bytes < 2u << 20);

  const tests::CommandResult written = run("write_dataset", {dataset});
  BOOST_TEST(written.exit_code == 0);
  BOOST_TEST(written.out ==
             "train: 320 samples in 2 shards\nvalidation: 80 samples in 1 shards\n"
             "train sample 0: class lying, 16 x 16 pixels\n");

  const tests::CommandResult trained = run("train_on_photographs", {dataset, "4"});
  BOOST_TEST(trained.exit_code == 0);
  const std::vector<double> loss = losses(trained.out);
  BOOST_REQUIRE(loss.size() == 4u);
  BOOST_TEST(loss[3] < loss[0] / 2);  // stripes that lie and stripes that stand are easy
  BOOST_TEST(trained.out.find("1280 samples, 0 skipped, at most ") != std::string::npos);
  BOOST_TEST((losses(run("train_on_photographs", {dataset, "4"}).out) == loss));
}

BOOST_AUTO_TEST_CASE(photographs_of_mixed_sizes_are_taken_as_they_are) {
  const tests::TemporaryFolder folder;
  tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(70));
  const tests::CommandResult trained =
      run("train_on_photographs", {(folder.path() / "d").native(), "2"});
  BOOST_TEST(trained.exit_code == 0);
  BOOST_TEST(losses(trained.out).size() == 2u);
  BOOST_TEST(trained.out.find("140 samples, 0 skipped") != std::string::npos);
}

// Without weights yet, two classes are a guess: the loss is ln 2.
BOOST_AUTO_TEST_CASE(a_source_of_ones_own_is_trained_on) {
  const tests::CommandResult trained = run("own_batch_source", {});
  BOOST_TEST(trained.exit_code == 0);
  const std::vector<double> loss = losses(trained.out);
  BOOST_REQUIRE(loss.size() == 2u);
  BOOST_TEST(std::abs(loss[0] - std::log(2.0)) < 1e-4);
  BOOST_TEST(loss[1] < loss[0] / 2);
  BOOST_TEST(trained.out.find("800 samples\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_transform_of_ones_own_stands_before_the_augmentation_or_after_it) {
  const tests::TemporaryFolder folder;
  const std::string dataset = folder.path() / "stripes";
  BOOST_TEST(run("write_dataset", {dataset}).exit_code == 0);
  for (const char* place : {"before", "after"}) {
    const tests::CommandResult trained = run("own_transform", {dataset, place, "4"});
    BOOST_TEST(trained.exit_code == 0, trained.err);
    const std::vector<double> loss = losses(trained.out);
    BOOST_REQUIRE(loss.size() == 4u);
    BOOST_TEST(loss[3] < 0.9 * loss[0]);  // stripes that shift are harder for weights that do not
    BOOST_TEST((losses(run("own_transform", {dataset, place, "4"}).out) == loss));
  }
  BOOST_TEST(run("own_transform", {dataset, "beside"}).exit_code == 2);
}

// Guessing one of two classes costs ln 2 = 0.69.
BOOST_AUTO_TEST_CASE(the_trainer_runs_inside_a_program_on_batches_of_its_own) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path weights = folder.path() / "weights.safetensors";
  const tests::CommandResult trained = run("embedded_trainer", {"2", weights.native()});
  BOOST_TEST(trained.exit_code == 0, trained.err);
  const std::vector<double> loss = losses(trained.out);  // two in the steps, two after the epoch
  BOOST_REQUIRE(loss.size() == 8u);
  BOOST_TEST(loss[0] > loss[7]);
  BOOST_TEST(loss[7] < 0.35);
  BOOST_TEST(trained.out.find("  step 20: ") != std::string::npos);
  BOOST_TEST(trained.out.find("  step 40: ") != std::string::npos);
  BOOST_TEST(std::filesystem::exists(weights));
  BOOST_TEST((losses(run("embedded_trainer", {"2"}).out) == loss));
}

// As if it had been killed after the first epoch: the checkpoint of the second is taken away.
BOOST_AUTO_TEST_CASE(a_trainer_inside_a_program_goes_on_from_its_checkpoints) {
  const tests::TemporaryFolder folder;
  const std::string checkpoints = folder.path() / "checkpoints";
  const std::string whole = folder.path() / "whole.safetensors";
  const std::string again = folder.path() / "again.safetensors";
  const tests::CommandResult first = run("embedded_trainer", {"2", whole, checkpoints});
  BOOST_TEST(first.exit_code == 0, first.err);
  BOOST_TEST(tests::count_entries(checkpoints) == 2u);
  BOOST_TEST(std::filesystem::remove_all(checkpoints + "/000002-step-000000080") > 0u);

  const tests::CommandResult second = run("embedded_trainer", {"2", again, checkpoints});
  BOOST_TEST(second.exit_code == 0, second.err);
  BOOST_TEST(second.out.find("epoch 0: ") == std::string::npos);
  BOOST_TEST(second.out.find("epoch 1: ") != std::string::npos);
  BOOST_TEST((bytes_of(whole) == bytes_of(again)));
  BOOST_TEST(first.out.ends_with(second.out.substr(second.out.find("  step 20"))));
}

BOOST_AUTO_TEST_CASE(a_training_loop_of_ones_own_takes_steps_on_a_dataset) {
  const tests::TemporaryFolder folder;
  const std::string dataset = folder.path() / "stripes";
  BOOST_TEST(run("write_dataset", {dataset}).exit_code == 0);
  const tests::CommandResult trained = run("own_training_loop", {dataset, "4"});
  BOOST_TEST(trained.exit_code == 0, trained.err);
  const std::vector<double> loss = losses(trained.out);
  BOOST_REQUIRE(loss.size() == 4u);
  BOOST_TEST(loss[3] < loss[0] / 2);
  BOOST_TEST(trained.out.find("40 steps\n") != std::string::npos);  // 320 samples in batches of 32
}

// 320 pictures in batches of 32 are 10 steps an epoch. A run that nobody stops is the outside witness of what one
// that was stopped has to come to.
BOOST_AUTO_TEST_CASE(a_whole_run_inside_a_program_is_stopped_and_goes_on_to_the_same_weights) {
  const tests::TemporaryFolder folder;
  const std::string dataset = folder.path() / "stripes";
  BOOST_TEST(run("write_dataset", {dataset}).exit_code == 0);
  const tests::CommandResult cut = run("embedded_run", {dataset, folder.path() / "cut", "15"});
  BOOST_TEST(cut.exit_code == 0, cut.err);
  for (const char* line : {"  stored as of step 15\n", "stopped after 15 steps\n",
                           "  stored as of step 30\n", "3 epochs, 30 steps\n"}) {
    BOOST_TEST(cut.out.find(line) != std::string::npos, line);
  }
  const tests::CommandResult whole = run("embedded_run", {dataset, folder.path() / "whole", "0"});
  BOOST_TEST(whole.exit_code == 0, whole.err);
  BOOST_TEST(whole.out.find("stopped") == std::string::npos);
  BOOST_TEST((bytes_of(folder.path() / "cut" / "weights.safetensors") ==
              bytes_of(folder.path() / "whole" / "weights.safetensors")));
  BOOST_TEST(whole.out.ends_with(cut.out.substr(cut.out.find("stored: "))));

  // Started again, it has nothing left to do but to use what is there.
  const tests::CommandResult again = run("embedded_run", {dataset, folder.path() / "cut"});
  BOOST_TEST(again.exit_code == 0, again.err);
  BOOST_TEST(again.out == cut.out.substr(cut.out.find("3 epochs, ")));
}

// Scores of 0 for both classes cost (1/2 + 0) / 2 = 0.25.
BOOST_AUTO_TEST_CASE(an_operation_and_a_loss_of_ones_own_join_a_network) {
  const tests::CommandResult trained = run("own_operation_and_loss", {"3"});
  BOOST_TEST(trained.exit_code == 0, trained.err);
  const std::vector<double> loss = losses(trained.out);
  BOOST_REQUIRE(loss.size() == 3u);
  BOOST_TEST(loss[2] < 0.125);
  BOOST_TEST(loss[2] < loss[0]);
}

BOOST_AUTO_TEST_CASE(what_fails_is_said_with_a_hint) {
  const tests::TemporaryFolder folder;
  for (const char* example :
       {"train_on_photographs", "write_dataset", "own_transform", "own_training_loop"}) {
    std::vector<std::string> arguments = {(folder.path() / "no" / "where").native()};
    if (example == std::string("own_transform")) arguments.emplace_back("before");
    const tests::CommandResult refused = run(example, arguments);
    BOOST_TEST(refused.exit_code == 1);
    BOOST_TEST(refused.err.find("found no") != std::string::npos);
    BOOST_TEST(refused.err.find("\nhint: ") != std::string::npos);
    BOOST_TEST(run(example, {}).exit_code == 2);
  }
}

// Scores that know nothing of the labels have a mean average precision of the share of positives, 0.3 and 0.5, so
// 0.4, and a ROC AUC of 0.5.
BOOST_AUTO_TEST_CASE(several_labels_of_ones_own_are_learned_and_measured) {
  const tests::CommandResult trained = run("several_labels", {"3"});
  BOOST_TEST(trained.exit_code == 0, trained.err);
  const std::vector<double> loss = losses(trained.out);
  BOOST_REQUIRE(loss.size() == 3u);
  BOOST_TEST(loss[2] < loss[0]);
  const std::string name = "mean average precision ";
  const std::size_t at = trained.out.rfind(name);
  BOOST_REQUIRE(at != std::string::npos);
  BOOST_TEST(std::stod(trained.out.substr(at + name.size())) > 0.95);
  BOOST_TEST(trained.out.find("ROC AUC ") != std::string::npos);
  BOOST_TEST((losses(run("several_labels", {"3"}).out) == loss));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
