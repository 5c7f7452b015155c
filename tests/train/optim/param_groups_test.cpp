#include "train/optim/param_groups.h"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

const std::vector<std::string_view> kNames = {"stem.weight",       "layer1.0.conv1.weight",
                                              "layer1.0.bn1.bias", "layer2.0.conv1.weight",
                                              "head.weight",       "head.bias"};

using Assigned = std::vector<std::optional<std::size_t>>;

std::string refusal_of(const std::vector<ParamGroup>& groups) {
  try {
    assign_param_groups(groups, kNames);
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

BOOST_AUTO_TEST_SUITE(param_groups)

BOOST_AUTO_TEST_CASE(the_first_pattern_that_matches_wins) {
  const std::vector<ParamGroup> groups = {{.pattern = "layer1.*"}, {.pattern = "*.weight"}};
  BOOST_TEST((assign_param_groups(groups, kNames) == Assigned{1, 0, 0, 1, 1, std::nullopt}));
}

BOOST_AUTO_TEST_CASE(without_groups_no_name_has_one) {
  BOOST_TEST((assign_param_groups({}, kNames) == Assigned(kNames.size())));
}

BOOST_AUTO_TEST_CASE(a_pattern_that_matches_nothing_is_refused_with_the_nearest) {
  BOOST_TEST(refusal_of({{.pattern = "head.*"}, {.pattern = "layer7.*"}}) ==
             "param_groups[1]: pattern: expected one that matches a parameter's name, found "
             "\"layer7.*\" | the nearest is \"layer1.*\"");
  BOOST_TEST(refusal_of({{.pattern = "haed.weight"}}) ==
             "param_groups[0]: pattern: expected one that matches a parameter's name, found "
             "\"haed.weight\" | the nearest is \"head.weight\"");
}

BOOST_AUTO_TEST_CASE(a_pattern_whose_names_are_all_taken_is_refused_with_the_taker) {
  BOOST_TEST(refusal_of({{.pattern = "stem.*"}, {.pattern = "head.*"}, {.pattern = "head.bias"}}) ==
             "param_groups[2]: pattern: expected one that matches a name no earlier group takes, "
             "found \"head.bias\" | the first group that matches wins: put this one before "
             "param_groups[1]");
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(refusal_of({{.pattern = "head.*", .learning_rate_scale = 0}}) ==
             "param_groups: \"head.*\": learning_rate_scale: expected a finite number above 0, "
             "found 0 | learning_rate_scale = 0.1");
  BOOST_TEST(refusal_of({{.pattern = "head.*", .weight_decay = -1}}) ==
             "param_groups: \"head.*\": weight_decay: expected a finite number, 0 or more, found "
             "-1 | weight_decay = 0");
  BOOST_TEST(
      refusal_of({{.pattern = "head.*", .is_trainable = false, .first_trainable_epoch = 3}}) ==
      "param_groups: \"head.*\": first_trainable_epoch: expected 0 with is_trainable = "
      "false, found 3 | is_trainable = true");
  BOOST_TEST(refusal_of({{.pattern = ""}}) ==
             "param_groups: pattern: expected a name or a pattern, found \"\" | pattern = \"*\"");
  BOOST_TEST(refusal_of({{.pattern = "*", .learning_rate_scale = nan}}) != "accepted");
}

BOOST_AUTO_TEST_CASE(norms_and_biases_are_penalised_only_when_asked_for) {
  OptimizerConfig config{.weight_decay = 0.25, .l1 = 0.5};
  const ParamGroup group{.learning_rate_scale = 0.1, .weight_decay = 0.75};
  const ParamRates weight = param_rates(config, group, ParamRole::kWeight);
  BOOST_TEST(weight.learning_rate_scale == 0.1);
  BOOST_TEST(weight.weight_decay == 0.75);
  BOOST_TEST(weight.l1 == 0.5);
  BOOST_TEST(weight.is_adapted);
  const ParamRates bias = param_rates(config, group, ParamRole::kNormOrBias);
  BOOST_TEST(bias.learning_rate_scale == 0.1);
  BOOST_TEST(bias.weight_decay == 0);
  BOOST_TEST(bias.l1 == 0);
  BOOST_TEST(!bias.is_adapted);
  config.decays_norm_and_bias = true;
  BOOST_TEST(param_rates(config, group, ParamRole::kNormOrBias).weight_decay == 0.75);
  BOOST_TEST(param_rates(config, ParamGroup{}, ParamRole::kNormOrBias).weight_decay == 0.25);
}

BOOST_AUTO_TEST_CASE(a_group_trains_from_its_first_epoch_on) {
  const ParamGroup late{.first_trainable_epoch = 3};
  BOOST_TEST(!is_trainable_in_epoch(late, 2));
  BOOST_TEST(is_trainable_in_epoch(late, 3));
  BOOST_TEST(is_trainable_in_epoch(ParamGroup{}, 0));
  BOOST_TEST(!is_trainable_in_epoch(ParamGroup{.is_trainable = false}, 100));
}

BOOST_AUTO_TEST_CASE(epochs_of_unfreezing_come_ascending_and_once) {
  const std::vector<ParamGroup> groups = {
      {.first_trainable_epoch = 6}, {.first_trainable_epoch = 2}, {}, {.first_trainable_epoch = 6}};
  BOOST_TEST((unfreezing_epochs(groups) == std::vector<std::uint32_t>{2, 6}));
  BOOST_TEST(unfreezing_epochs({}).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
