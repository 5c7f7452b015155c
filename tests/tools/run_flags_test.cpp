#include "tools/run_flags.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <set>

#include "streamer/core/error.h"
#include "tools/command.h"
#include "tools/command_line.h"
#include "tools/run_flag_texts.h"
#include "train/run/settings/run_keys.h"

namespace penstock::tools {
namespace {

/// What `penstock train` makes of these words.
std::vector<RunOverride> read_words(const std::vector<std::string>& words) {
  const auto program = make_program("A program.", "1.0");
  std::vector<RunOverride> overrides;
  add_run_flags(add_command(*program, "train", "Trains"), overrides);
  std::vector<const char*> line = {"penstock", "train"};
  for (const std::string& word : words) line.push_back(word.c_str());
  read_command_line(*program, static_cast<int>(line.size()), line.data());
  return overrides;
}

std::string refusal_of(const std::vector<std::string>& words) {
  try {
    read_words(words);
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

/// As the shell hands it on.
std::string unquoted(const std::string& word) {
  const bool is_quoted = word.size() > 1 && (word.front() == '"' || word.front() == '\'');
  return is_quoted ? word.substr(1, word.size() - 2) : word;
}

/// "augment.fill_mode" is --augment.fill-mode; the preset is named as its table.
std::string flag_of(std::string key) {
  if (key == "augment.preset") return "--augment";
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key;
}

BOOST_AUTO_TEST_SUITE(run_flags)

// The dataset is an argument and the run's folder -o. [[layer]] and [[param_group]] are tables, no keys.
BOOST_AUTO_TEST_CASE(every_key_of_a_run_file_has_a_flag_and_every_flag_a_key) {
  std::multiset<std::string> with_flag = {"dataset", "out"};
  for (const RunFlagGroup& group : run_flag_groups()) {
    for (const RunFlagText& text : group.texts) with_flag.emplace(text.key);
  }
  std::multiset<std::string> keys;
  for (const train::RunKey& key : train::run_keys()) keys.emplace(key.name);
  BOOST_TEST(with_flag == keys, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_flag_takes_the_example_that_its_refusals_show) {
  for (const RunFlagGroup& group : run_flag_groups()) {
    for (const RunFlagText& text : group.texts) {
      const std::string key(text.key);
      BOOST_TEST_CONTEXT(key) {
        const auto given = read_words({flag_of(key), unquoted(text.example)});
        BOOST_REQUIRE(given.size() == 1u);
        BOOST_TEST(given[0].key == key);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_value_that_can_never_be_right_is_refused_with_one_that_is) {
  BOOST_TEST(refusal_of({"--clip-value", "-1"}) ==
             "sgd: clip_value: expected a finite number, 0 or more, found -1 | "
             "--clip-value 0.5");
  BOOST_TEST(refusal_of({"--milestone-epochs", "[60, 30]"}) ==
             "schedule: milestone_epochs: expected ascending epochs, 1 or "
             "more, found 30 after 60 | --milestone-epochs \"[30, 60, 80]\"");
  BOOST_TEST(refusal_of({"--reduce-on-plateau.min-learning-rate", "-1"})
                 .ends_with("expected a finite number, 0 or more, found -1 | "
                            "--reduce-on-plateau.min-learning-rate 1e-6"));
  BOOST_TEST(refusal_of({"--nesterov", "perhaps"}) ==
             "run: --nesterov: nesterov: expected true or false, found the text \"perhaps\" | "
             "--nesterov false");
}

// Beside an --epochs that stands on the line, or in a file.
BOOST_AUTO_TEST_CASE(steps_that_are_too_many_for_the_usual_epochs_may_be_right) {
  BOOST_TEST(refusal_of({"--steps-per-epoch", "1000000000"}) == "accepted");
  BOOST_TEST(refusal_of({"--steps-per-epoch", "1000000001"}) ==
             "run: steps_per_epoch: expected 0 to 1000000000, found 1000000001 | "
             "--steps-per-epoch 1000");
}

// Beside an absolute --reduce-on-plateau.delta-mode; the two are judged together when the command runs.
BOOST_AUTO_TEST_CASE(a_large_difference_may_be_an_absolute_one) {
  BOOST_TEST(refusal_of({"--reduce-on-plateau.min-delta", "1.5"}) == "accepted");
  BOOST_TEST(refusal_of({"--reduce-on-plateau.min-delta", "inf"}) != "accepted");
  const auto judge = [](const std::string& mode) {
    train::RunConfig config;
    apply_overrides(config, read_words({"--reduce-on-plateau.min-delta", "1.5",
                                        "--reduce-on-plateau.delta-mode", mode,
                                        "--reduce-on-plateau.factor", "0.5"}));
    config.validate();
  };
  BOOST_CHECK_NO_THROW(judge("absolute"));
  BOOST_CHECK_THROW(judge("relative"), Error);
}

BOOST_AUTO_TEST_CASE(a_flag_goes_over_the_run_file_and_over_what_its_optimizer_brings) {
  train::RunConfig config;
  config.optimizer.l1 = 0.5;
  apply_overrides(config, read_words({"--beta1", "0.8", "--power", "3", "--optimizer", "adamw",
                                      "--milestone-epochs", "[2, 4]", "--ema-warmup", "true"}));
  BOOST_TEST((config.optimizer.kind == train::OptimizerKind::kAdamw));
  BOOST_TEST(config.optimizer.beta1 == 0.8);
  BOOST_TEST(config.optimizer.l1 == 0.5);
  BOOST_TEST(config.optimizer.ema_warmup);
  BOOST_TEST(config.schedule.power == 3.0);
  BOOST_TEST((config.schedule.milestone_epochs == std::vector<std::uint32_t>{2, 4}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
