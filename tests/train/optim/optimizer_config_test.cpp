#include "train/optim/optimizer_config.h"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>
#include <vector>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

std::string refusal_of(const OptimizerConfig& config) {
  try {
    config.validate();
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

std::vector<std::string_view> states_of(const OptimizerConfig& config) {
  const auto names = state_names(config);
  return {names.begin(), names.end()};
}

BOOST_AUTO_TEST_SUITE(optimizer_config)

BOOST_AUTO_TEST_CASE(every_name_reads_back_as_its_optimizer) {
  const std::vector<std::string_view> names = {"sgd", "adam", "adamw", "rmsprop", "lamb"};
  const auto known = optimizer_names();
  BOOST_TEST(std::vector(known.begin(), known.end()) == names, boost::test_tools::per_element());
  for (const std::string_view name : names) {
    BOOST_TEST(optimizer_name(parse_optimizer(name)) == name);
  }
  BOOST_TEST((parse_optimizer("rmsprop") == OptimizerKind::kRmsprop));
}

BOOST_AUTO_TEST_CASE(an_unknown_optimizer_is_refused_with_the_nearest) {
  BOOST_CHECK_EXCEPTION(parse_optimizer("rms_prop"), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()) ==
               "optimizer: expected sgd, adam, adamw, rmsprop or lamb, found \"rms_prop\"" &&
           error.hint() == "did you mean 'rmsprop'?";
  });
}

// Signatures of torch.optim.Adam, AdamW and RMSprop in PyTorch 2.15.
BOOST_AUTO_TEST_CASE(usual_settings_are_those_of_pytorch) {
  const auto adam = OptimizerConfig::of(OptimizerKind::kAdam);
  BOOST_TEST(adam.learning_rate == 1e-3);
  BOOST_TEST(adam.weight_decay == 0);
  BOOST_TEST(adam.beta1 == 0.9);
  BOOST_TEST(adam.beta2 == 0.999);
  BOOST_TEST(adam.epsilon == 1e-8);
  BOOST_TEST(OptimizerConfig::of(OptimizerKind::kAdamw).weight_decay == 1e-2);
  const auto rmsprop = OptimizerConfig::of(OptimizerKind::kRmsprop);
  BOOST_TEST(rmsprop.learning_rate == 1e-2);
  BOOST_TEST(rmsprop.alpha == 0.99);
  BOOST_TEST(rmsprop.momentum == 0);
  BOOST_TEST(rmsprop.weight_decay == 0);
}

BOOST_AUTO_TEST_CASE(usual_settings_of_all_are_valid_and_of_their_kind) {
  for (const std::string_view name : optimizer_names()) {
    const OptimizerKind kind = parse_optimizer(name);
    BOOST_TEST((OptimizerConfig::of(kind).kind == kind));
    BOOST_TEST(refusal_of(OptimizerConfig::of(kind)) == "accepted");
  }
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named_with_a_line_that_is_right) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(refusal_of({.learning_rate = nan}) ==
             "sgd: learning_rate: expected a finite number above 0, found nan | "
             "learning_rate = 0.1");
  BOOST_TEST(refusal_of({.kind = OptimizerKind::kAdam, .beta2 = 1}) ==
             "adam: beta2: expected 0 to below 1, found 1 | beta2 = 0.999");
  BOOST_TEST(refusal_of({.kind = OptimizerKind::kLamb, .epsilon = 0}) ==
             "lamb: epsilon: expected a finite number above 0, found 0 | epsilon = 1e-8");
  BOOST_TEST(refusal_of({.l1 = -1}) ==
             "sgd: l1: expected a finite number, 0 or more, found -1 | l1 = 1e-5");
  for (const OptimizerConfig& config : std::vector<OptimizerConfig>{
           {.learning_rate = 0},
           {.momentum = 1},
           {.weight_decay = -1e-9},
           {.beta1 = -0.1},
           {.alpha = nan},
           {.clip_norm = -1},
           {.clip_value = std::numeric_limits<double>::infinity()},
           {.ema_decay = 1},
       }) {
    BOOST_TEST(refusal_of(config) != "accepted");
  }
}

BOOST_AUTO_TEST_CASE(settings_that_contradict_each_other_are_refused) {
  BOOST_TEST(refusal_of({.clip_norm = 1, .clip_value = 0.5}) ==
             "sgd: clip_value: expected 0 with clip_norm, found 0.5 | clip_value = 0");
  BOOST_TEST(refusal_of({.ema_warmup = true}) ==
             "sgd: ema_decay: expected above 0 with ema_warmup, found 0 | ema_decay = 0.999");
}

BOOST_AUTO_TEST_CASE(states_have_the_names_that_pytorch_gives_them) {
  using Names = std::vector<std::string_view>;
  BOOST_TEST((states_of({}) == Names{"momentum"}));
  BOOST_TEST((states_of({.momentum = 0}) == Names{}));
  BOOST_TEST(
      (states_of(OptimizerConfig::of(OptimizerKind::kAdam)) == Names{"exp_avg", "exp_avg_sq"}));
  BOOST_TEST(
      (states_of(OptimizerConfig::of(OptimizerKind::kAdamw)) == Names{"exp_avg", "exp_avg_sq"}));
  BOOST_TEST(
      (states_of(OptimizerConfig::of(OptimizerKind::kLamb)) == Names{"exp_avg", "exp_avg_sq"}));
  BOOST_TEST((states_of(OptimizerConfig::of(OptimizerKind::kRmsprop)) == Names{"square_avg"}));
  BOOST_TEST((states_of({.kind = OptimizerKind::kRmsprop, .momentum = 0.5}) ==
              Names{"square_avg", "momentum"}));
}

BOOST_AUTO_TEST_CASE(each_optimizer_tells_the_settings_of_its_own) {
  using Names = std::vector<std::string_view>;
  const auto names = [](OptimizerKind kind) {
    const auto own = own_settings(kind);
    return Names{own.begin(), own.end()};
  };
  BOOST_TEST((names(OptimizerKind::kSgd) == Names{"momentum", "nesterov"}));
  BOOST_TEST((names(OptimizerKind::kRmsprop) == Names{"alpha", "momentum", "epsilon"}));
  for (const auto kind : {OptimizerKind::kAdam, OptimizerKind::kAdamw, OptimizerKind::kLamb}) {
    BOOST_TEST((names(kind) == Names{"beta1", "beta2", "epsilon"}));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
