#include "train/run/network/learning_plan.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

/// stem.weight 6, norm.weight 2, norm.bias 2 (and its statistics), mix.weight 4, mix.bias 2, fc.weight 6,
/// fc.bias 3: 25 values that learn.
ModelGraph net() {
  ModelGraph graph("net", {3, 4, 4});
  NodeId x =
      graph.conv2d("stem", graph.input(), {.filters = 2, .kernel = {1, 1}, .has_bias = false});
  x = graph.batch_norm("norm", x);
  x = graph.conv2d("mix", x, {.filters = 2, .kernel = {1, 1}});
  graph.set_output(graph.dense("fc", graph.global_avg_pool("gap", x), {.units = 3}));
  return graph;
}

std::vector<std::string> frozen_names(const LearningStage& stage) {
  const ModelGraph graph = net();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < stage.frozen_params.size(); ++i) {
    if (stage.frozen_params[i]) names.push_back(graph.parameters()[i].name);
  }
  return names;
}

std::string refusal_of(const RunConfig& config) {
  try {
    plan_learning(config, net());
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

using Names = std::vector<std::string>;
using Counts = std::vector<std::uint64_t>;

BOOST_AUTO_TEST_SUITE(learning_plan)

BOOST_AUTO_TEST_CASE(by_default_everything_learns_in_one_way) {
  const LearningPlan plan = plan_learning({}, net());
  BOOST_TEST(plan.stages.empty());
  BOOST_TEST(plan.param_rates.empty());
  BOOST_TEST((plan.num_learning == Counts{25}));
}

BOOST_AUTO_TEST_CASE(of_the_patterns_that_freeze_the_last_that_matches_decides) {
  RunConfig config;
  config.freeze = {"*", "!head"};
  LearningPlan plan = plan_learning(config, net());
  BOOST_REQUIRE(plan.stages.size() == 1u);
  BOOST_TEST((frozen_names(plan.stages[0]) ==
              Names{"stem.weight", "norm.weight", "norm.bias", "mix.weight", "mix.bias"}));
  BOOST_TEST((plan.num_learning == Counts{9}));
  config.freeze = {"*.weight", "!fc.*", "!mix.weight", "norm.bias"};
  plan = plan_learning(config, net());
  BOOST_TEST((frozen_names(plan.stages[0]) == Names{"stem.weight", "norm.weight", "norm.bias"}));
  BOOST_TEST((plan.num_learning == Counts{15}));
}

BOOST_AUTO_TEST_CASE(a_norm_is_fixed_when_both_of_its_parameters_are_frozen) {
  RunConfig config;
  const std::vector<bool> none(net().nodes().size());
  std::vector<bool> norm = none;
  norm[2] = true;  // after the input and the stem
  config.freeze = {"norm.weight"};
  BOOST_TEST((plan_learning(config, net()).stages[0].fixed_norms == none));
  config.freeze = {"norm.*"};
  BOOST_TEST((plan_learning(config, net()).stages[0].fixed_norms == norm));
  config.freeze_norm = false;
  BOOST_TEST(plan_learning(config, net()).stages[0].fixed_norms.empty());
}

BOOST_AUTO_TEST_CASE(groups_have_rates_of_their_own_and_begin_in_their_epochs) {
  RunConfig config;
  config.epochs = 10;
  config.optimizer.weight_decay = 0.5;
  config.freeze = {"stem.*"};
  config.param_groups = {{.pattern = "head", .learning_rate_scale = 3},
                         {.pattern = "norm.*", .weight_decay = {}, .first_trainable_epoch = 4},
                         {.pattern = "*.weight",
                          .learning_rate_scale = 0.25,
                          .weight_decay = 0.125,
                          .first_trainable_epoch = 2}};
  const LearningPlan plan = plan_learning(config, net());
  BOOST_REQUIRE(plan.stages.size() == 3u);
  BOOST_TEST(plan.stages[1].first_epoch == 2u);
  BOOST_TEST(plan.stages[2].first_epoch == 4u);
  BOOST_TEST((frozen_names(plan.stages[0]) ==
              Names{"stem.weight", "norm.weight", "norm.bias", "mix.weight"}));
  BOOST_TEST((frozen_names(plan.stages[1]) == Names{"stem.weight", "norm.weight", "norm.bias"}));
  BOOST_TEST((frozen_names(plan.stages[2]) == Names{"stem.weight"}));
  BOOST_TEST(plan.stages[1].fixed_norms[2]);
  BOOST_TEST(!plan.stages[2].fixed_norms[2]);
  BOOST_TEST((plan.num_learning == Counts{11, 15, 19}));
  // In the order of the parameters: stem.weight, four of the norm, mix.weight, mix.bias, fc.weight, fc.bias.
  BOOST_REQUIRE(plan.param_rates.size() == 9u);
  BOOST_TEST(plan.param_rates[5].learning_rate_scale == 0.25);
  BOOST_TEST(plan.param_rates[5].weight_decay == 0.125);
  BOOST_TEST(plan.param_rates[6].learning_rate_scale == 1.0);
  BOOST_TEST(plan.param_rates[6].weight_decay == 0.0);
  BOOST_TEST(plan.param_rates[7].learning_rate_scale == 3.0);
  BOOST_TEST(plan.param_rates[7].weight_decay == 0.5);
}

BOOST_AUTO_TEST_CASE(patterns_that_take_nothing_are_refused_with_the_nearest_or_the_taker) {
  RunConfig config;
  config.freeze = {"stam.*"};
  BOOST_TEST(refusal_of(config) ==
             "run: freeze: expected patterns that match parameters' names, found \"stam.*\" | the "
             "nearest is \"stem.*\"");
  config.freeze = {"norm.running_mean"};  // no parameter that learns anyhow
  BOOST_TEST(refusal_of(config) != "accepted");
  config.freeze = {"stem.*", "!head"};
  BOOST_TEST(refusal_of(config) ==
             "run: freeze: expected a pattern that takes names back, found \"!head\" | what is "
             "taken back is frozen by a pattern before: [\"*\", \"!head\"]");
  config.freeze = {"stem.*", "stem.weight"};
  BOOST_TEST(refusal_of(config) ==
             "run: freeze: expected a pattern of its own, found \"stem.weight\" | the patterns "
             "before freeze all of that");
  config.freeze = {"stem.*"};
  config.param_groups = {{.pattern = "stem.weight"}};
  BOOST_TEST(refusal_of(config) ==
             "run: param_group: pattern: expected one that matches a parameter that learns, found "
             "\"stem.weight\" | freeze takes all of these");
  config.param_groups = {{.pattern = "mix"}};
  BOOST_TEST(refusal_of(config) ==
             "run: param_group[0]: pattern: expected one that matches a parameter's name, found "
             "\"mix\" | the nearest is \"mix.*\"");
}

BOOST_AUTO_TEST_CASE(something_learns_from_the_first_epoch_on_and_nothing_begins_after_the_last) {
  RunConfig config;
  config.epochs = 3;
  config.freeze = {"*"};
  BOOST_TEST(refusal_of(config) ==
             "run: freeze: expected something that learns in the first epoch, found nothing | "
             "freeze = [\"*\", \"!head\"]");
  config.freeze = {};
  config.param_groups = {{.pattern = "*", .first_trainable_epoch = 1}};
  BOOST_TEST(refusal_of(config) != "accepted");
  config.param_groups = {{.pattern = "stem.*", .first_trainable_epoch = 3}};
  BOOST_TEST(refusal_of(config) ==
             "run: param_group: \"stem.*\": first_trainable_epoch: expected below the 3 epochs of "
             "the run, found 3 | freeze = [\"stem.*\"]");
  config.param_groups[0].first_trainable_epoch = 2;
  BOOST_TEST(refusal_of(config) == "accepted");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
