// Runs in which some weights stay as they are, for good or for a time.
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

#include "tests/contains.h"
#include "tests/train/run/tiny_run.h"
#include "train/run/network/run_model.h"
#include "train/run/settings/run_file.h"
#include "train/store/safetensors.h"

namespace penstock::train {
namespace {

using penstock::tests::contains;
using tests::TinyRun;

constexpr const char* kNormedNet =
    "[[layer]]\ntype = \"conv2d\"\nname = \"stem\"\nfilters = 4\nbias = false\n"
    "[[layer]]\ntype = \"batch_norm\"\nname = \"norm\"\nactivation = \"relu\"\n"
    "[[layer]]\ntype = \"global_avg_pool\"\n"
    "[[layer]]\ntype = \"dense\"\nname = \"classes\"\nunits = \"num_classes\"\n";

using Weights = std::map<std::string, std::vector<float>>;

struct NormedRun : TinyRun {
  std::vector<RunOverview::Learning> learning;
  std::vector<Weights> after_epoch;  // as stored

  NormedRun() {
    watcher.at_start = [this](const RunOverview& overview) { learning = overview.learning; };
    watcher.at_epoch = [this](const EpochReport&) { after_epoch.push_back(stored()); };
  }
  RunConfig normed() const {
    RunConfig config = this->config();
    config.model_layers = kNormedNet;
    return config;
  }
  Weights stored() const {
    Weights weights;
    for (NamedTensor& tensor : read_safetensors(out / kWeightsName).tensors) {
      weights[tensor.name] = std::move(tensor.values);
    }
    return weights;
  }
  /// The weights before the first step.
  static Weights initial(const RunConfig& config) {
    const ModelGraph graph = build_run_model(config, 3, 2);
    Weights weights;
    for (std::uint32_t i = 0; i < graph.parameters().size(); ++i) {
      weights[graph.parameters()[i].name] = initial_value(graph, i, config.seed);
    }
    return weights;
  }
};

const std::vector<std::string> kBackbone = {"stem.weight", "norm.weight", "norm.bias"};

BOOST_FIXTURE_TEST_SUITE(learning_run, NormedRun)

BOOST_AUTO_TEST_CASE(frozen_weights_and_their_statistics_stay_while_the_head_learns) {
  for (const char* backend : {"onednn", "reference"}) {
    RunConfig config = normed();
    config.backend = backend;
    config.out = out = folder.path() / backend;
    config.freeze = {"*", "!head"};
    const Weights before = initial(config);
    after_epoch.clear();
    train_run(config, watcher, {});
    const Weights after = stored();
    for (const std::string& name : kBackbone) BOOST_TEST((after.at(name) == before.at(name)));
    BOOST_TEST((after.at("classes.weight") != before.at("classes.weight")));
    // Statistics begin as 0 and 1.
    BOOST_TEST((after.at("norm.running_mean") == std::vector<float>(4, 0)));
    BOOST_TEST((after.at("norm.running_var") == std::vector<float>(4, 1)));
    BOOST_REQUIRE(learning.size() == 1u);
    BOOST_TEST(learning[0].num_params == 4u * 2 + 2);
  }
}

BOOST_AUTO_TEST_CASE(without_freeze_norm_the_statistics_of_frozen_norms_move) {
  RunConfig config = normed();
  config.freeze = {"*", "!head"};
  config.freeze_norm = false;
  const Weights before = initial(config);
  train_run(config, watcher, {});
  for (const std::string& name : kBackbone) BOOST_TEST((stored().at(name) == before.at(name)));
  BOOST_TEST((stored().at("norm.running_mean") != std::vector<float>(4, 0)));
}

BOOST_AUTO_TEST_CASE(a_group_moves_from_its_epoch_on) {
  for (const char* backend : {"onednn", "reference"}) {
    RunConfig config = normed();
    config.backend = backend;
    config.out = out = folder.path() / backend;
    config.batch_size = 9;  // epochs end with a shorter batch
    config.optimizer = OptimizerConfig::of(OptimizerKind::kAdamw);
    config.param_groups = {{.pattern = "stem.*", .first_trainable_epoch = 2},
                           {.pattern = "norm.*", .first_trainable_epoch = 1}};
    const Weights before = initial(config);
    after_epoch.clear();
    train_run(config, watcher, {});
    BOOST_REQUIRE(after_epoch.size() == 3u);
    const auto moved = [&](const char* name, std::size_t epoch) {
      const Weights& earlier = epoch == 0 ? before : after_epoch[epoch - 1];
      return after_epoch[epoch].at(name) != earlier.at(name);
    };
    BOOST_TEST_CONTEXT(backend) {
      BOOST_TEST(!moved("norm.weight", 0));
      BOOST_TEST(!moved("norm.running_mean", 0));
      BOOST_TEST(moved("norm.weight", 1));
      BOOST_TEST(moved("norm.running_mean", 1));
      BOOST_TEST(!moved("stem.weight", 1));
      BOOST_TEST(moved("stem.weight", 2));
      for (std::size_t epoch = 0; epoch < 3; ++epoch) BOOST_TEST(moved("classes.bias", epoch));
    }
    BOOST_REQUIRE(learning.size() == 3u);
    BOOST_TEST(learning[0].num_params == 10u);
    BOOST_TEST(learning[1].first_epoch == 1u);
    BOOST_TEST(learning[1].num_params == 10u + 8);
    BOOST_TEST(learning[2].num_params == 10u + 8 + 4 * 3 * 3 * 3);
  }
}

// Of plain SGD a step is the rate times the gradient: with a tenth of the rate a tenth of it.
BOOST_AUTO_TEST_CASE(a_group_with_a_tenth_of_the_rate_takes_a_tenth_of_the_step) {
  RunConfig config = normed();
  config.optimizer.momentum = 0;
  config.optimizer.nesterov = false;
  config.optimizer.weight_decay = 0;
  config.schedule.kind = ScheduleKind::kConstant;
  config.batch_size = 256;  // all of them: one step
  config.epochs = 1;
  const Weights before = initial(config);
  const auto step_of = [&](const char* name) { return stored().at(name)[0] - before.at(name)[0]; };
  train_run(config, watcher, {});
  const float whole = step_of("classes.bias");
  const float other = step_of("stem.weight");
  config.out = out = folder.path() / "scaled";
  config.param_groups = {{.pattern = "head", .learning_rate_scale = 0.1}};
  train_run(config, watcher, {});
  BOOST_TEST(step_of("classes.bias") == whole / 10, boost::test_tools::tolerance(1e-3f));
  BOOST_TEST(step_of("stem.weight") == other);
}

BOOST_AUTO_TEST_CASE(a_pattern_that_matches_nothing_ends_the_run_before_it_leaves_anything) {
  RunConfig config = normed();
  config.freeze = {"stam.*"};
  const Error error = failure_of(config);
  BOOST_TEST(contains(error.what(), "found \"stam.*\""));
  BOOST_TEST(error.hint() == "the nearest is \"stem.*\"");
  BOOST_TEST(!std::filesystem::exists(out));
}

BOOST_AUTO_TEST_CASE(a_run_file_says_all_of_it_and_gives_it_back) {
  const RunConfig config = parse_run_file(
      "freeze = [\"*\", \"!head\"]\nfreeze_norm = false\n"
      "[[param_group]]\npattern = \"head\"\nlearning_rate_scale = 10\n"
      "[[param_group]]\npattern = \"layer4.*\"\nweight_decay = 0.25\nfirst_trainable_epoch = 3\n",
      "mine.toml");
  BOOST_TEST((config.freeze == std::vector<std::string>{"*", "!head"}));
  BOOST_TEST(!config.freeze_norm);
  BOOST_REQUIRE(config.param_groups.size() == 2u);
  BOOST_TEST(config.param_groups[0].learning_rate_scale == 10.0);
  BOOST_TEST(!config.param_groups[0].weight_decay.has_value());
  BOOST_TEST(config.param_groups[1].pattern == "layer4.*");
  BOOST_TEST(*config.param_groups[1].weight_decay == 0.25);
  BOOST_TEST(config.param_groups[1].first_trainable_epoch == 3u);
  const std::string text = format_run_file(config);
  BOOST_TEST(format_run_file(parse_run_file(text, "again")) == text);
  BOOST_TEST(contains(text, "[[param_group]]\npattern = \"layer4.*\"\n"));
}

BOOST_AUTO_TEST_CASE(a_flag_takes_patterns_between_commas) {
  RunConfig config;
  set_run_value(config, "freeze", "*,!head,!layer4.*", "--freeze");
  BOOST_TEST((config.freeze == std::vector<std::string>{"*", "!head", "!layer4.*"}));
  set_run_value(config, "freeze_norm", "false", "--freeze-norm");
  BOOST_TEST(!config.freeze_norm);
}

BOOST_AUTO_TEST_CASE(mistakes_in_groups_are_named_with_what_is_right) {
  const auto refusal_of = [](const std::string& text) {
    try {
      parse_run_file(text, "mine.toml");
    } catch (const Error& error) {
      return std::string(error.what()) + " | " + error.hint();
    }
    return std::string("accepted");
  };
  BOOST_TEST(refusal_of("[[param_group]]\npattern = \"a\"\nlearning_rate_scael = 2\n") ==
             "run: mine.toml: expected a known key, found 'param_group[0].learning_rate_scael' | "
             "did you mean 'param_group[0].learning_rate_scale'?");
  BOOST_TEST(refusal_of("[[param_group]]\nlearning_rate_scale = 2\n") ==
             "run: mine.toml: param_group[0].pattern: expected names that the group takes, found "
             "none | pattern = \"layer4.*\"");
  BOOST_TEST(refusal_of("[[param_group]]\npattern = \"a\"\nweight_decay = \"no\"\n") ==
             "run: mine.toml: param_group[0].weight_decay: expected a number, found the text "
             "\"no\" | weight_decay = 0");
  BOOST_TEST(contains(refusal_of("[[param_group]]\npattern = \"a\"\nlearning_rate_scale = 0\n"),
                      "learning_rate_scale: expected a finite number above 0, found 0"));
  BOOST_TEST(contains(refusal_of("param_group = 3\n"), "expected [[param_group]] tables"));
  BOOST_TEST(contains(refusal_of("freeze = [1]\n"), "freeze: expected a list of texts"));
  BOOST_TEST(contains(refusal_of("freeze = [\"!\"]\n"), "freeze: expected names or patterns"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
