// The rules against steps that PyTorch took, and LAMB's against its paper's formulas
// (tests/interop/optimizer_goldens.py).
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <set>

#include "tests/train/optim/optimizer_golden_file.h"
#include "tests/train/optim/tensor_update.h"
#include "train/optim/gradient_norm.h"
#include "train/optim/param_groups.h"

namespace penstock::train {
namespace {

using tests::golden_case;
using tests::GoldenCase;
using tests::read_golden_cases;
using tests::UpdatedTensor;

constexpr std::size_t kNumWeights = 3;  // elements that decay; those behind are a bias

OptimizerConfig config_of(const GoldenCase& golden) {
  OptimizerConfig config = OptimizerConfig::of(parse_optimizer(golden.settings.at("kind")));
  const auto flag = [&](const char* key, bool& field) {
    field = golden.number(key, field ? 1 : 0) != 0;
  };
  const auto number = [&](const char* key, double& field) { field = golden.number(key, field); };
  flag("nesterov", config.nesterov);
  flag("decays_norm_and_bias", config.decays_norm_and_bias);
  flag("ema_warmup", config.ema_warmup);
  number("learning_rate", config.learning_rate);
  number("momentum", config.momentum);
  number("weight_decay", config.weight_decay);
  number("beta1", config.beta1);
  number("beta2", config.beta2);
  number("alpha", config.alpha);
  number("epsilon", config.epsilon);
  number("l1", config.l1);
  number("clip_norm", config.clip_norm);
  number("clip_value", config.clip_value);
  number("ema_decay", config.ema_decay);
  config.validate();
  return config;
}

template <class T>
std::vector<T> part(const std::vector<double>& row, std::size_t begin, std::size_t end) {
  std::vector<T> values;
  for (std::size_t i = begin; i < end; ++i) values.push_back(static_cast<T>(row[i]));
  return values;
}

double sum_of_squares(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum;
}

/// A weight and a bias that take the steps of the file's gradients.
template <class T>
class Player {
 public:
  Player(const GoldenCase& inputs, const OptimizerConfig& config)
      : inputs_(inputs),
        config_(config),
        weight_(config, part<T>(inputs.row("weights"), 0, kNumWeights)),
        bias_(config, part<T>(inputs.row("weights"), kNumWeights, num())) {}

  void take_step(std::size_t step_idx) {
    const std::vector<double>& gradients = inputs_.rows.at("gradients")[step_idx];
    const std::vector<double> sums = {sum_of_squares(part<double>(gradients, 0, kNumWeights)),
                                      sum_of_squares(part<double>(gradients, kNumWeights, num()))};
    const OptimizerStep step{
        .learning_rate = config_.learning_rate * inputs_.rows.at("rate_factor")[step_idx][0],
        .num_finite_steps = num_steps_++,
        .gradient_scale = clip_scale(config_, global_norm(sums.data(), sums.size()))};
    update_tensor(weight_, part<T>(gradients, 0, kNumWeights), config_,
                  param_rates(config_, ParamGroup{}, ParamRole::kWeight), step);
    update_tensor(bias_, part<T>(gradients, kNumWeights, num()), config_,
                  param_rates(config_, ParamGroup{}, ParamRole::kNormOrBias), step);
  }
  std::vector<double> weights() const { return joined(weight_.weights, bias_.weights); }
  std::vector<double> ema() const { return joined(weight_.ema, bias_.ema); }

 private:
  std::size_t num() const { return inputs_.row("weights").size(); }
  static std::vector<double> joined(const std::vector<T>& a, const std::vector<T>& b) {
    std::vector<double> all(a.begin(), a.end());
    all.insert(all.end(), b.begin(), b.end());
    return all;
  }

  const GoldenCase& inputs_;
  OptimizerConfig config_;
  UpdatedTensor<T> weight_;
  UpdatedTensor<T> bias_;
  std::uint64_t num_steps_ = 0;
};

void check_close(const std::vector<double>& found, const std::vector<double>& expected,
                 double tolerance) {
  BOOST_TEST_REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double bound = tolerance * std::max(1.0, std::abs(expected[i]));
    BOOST_TEST(std::abs(found[i] - expected[i]) <= bound,
               "element " << i << ": found " << found[i] << ", expected " << expected[i]);
  }
}

template <class T>
void follow_all_cases(double tolerance) {
  const std::vector<GoldenCase> cases = read_golden_cases("optimizer_goldens.txt");
  const GoldenCase& inputs = golden_case(cases, "inputs");
  std::set<OptimizerKind> kinds;
  for (const GoldenCase& golden : cases) {
    if (golden.name == "inputs") continue;
    const OptimizerConfig config = config_of(golden);
    kinds.insert(config.kind);
    Player<T> player(inputs, config);
    for (std::size_t step = 0; step < golden.rows.at("weights").size(); ++step) {
      BOOST_TEST_CONTEXT(golden.name << " after step " << step) {
        player.take_step(step);
        check_close(player.weights(), golden.rows.at("weights")[step], tolerance);
        if (config.ema_decay > 0) {
          check_close(player.ema(), golden.rows.at("ema")[step], tolerance);
        }
      }
    }
  }
  BOOST_TEST(kinds.size() == 5u);
}

BOOST_AUTO_TEST_SUITE(optimizer_rules)

// Six steps of a dozen roundings each, in another order than PyTorch's: 2^-53 is 1.1e-16.
BOOST_AUTO_TEST_CASE(all_optimizers_take_the_steps_of_their_sources_in_double) {
  follow_all_cases<double>(1e-13);
}

// The same in float32, 2^-24 is 6e-8; the sequences are float64.
BOOST_AUTO_TEST_CASE(all_optimizers_take_the_same_steps_in_float32) {
  follow_all_cases<float>(4e-6);
}

BOOST_AUTO_TEST_CASE(a_skipped_step_does_not_advance_the_corrections) {
  const std::vector<GoldenCase> cases = read_golden_cases("optimizer_goldens.txt");
  const GoldenCase& golden = golden_case(cases, "adam");
  Player<double> player(golden_case(cases, "inputs"), config_of(golden));
  player.take_step(0);
  // Here a step was not finite: nothing is called, nothing is counted.
  player.take_step(1);
  check_close(player.weights(), golden.rows.at("weights")[1], 1e-13);
}

BOOST_AUTO_TEST_CASE(momentum_of_0_gives_the_same_with_and_without_a_buffer) {
  const OptimizerConfig config{.learning_rate = 0.5, .momentum = 0, .weight_decay = 0.25};
  const OptimizerScalars scalars =
      optimizer_scalars(config, {.weight_decay = 0.25}, {.learning_rate = 0.5});
  const SgdStep<double> step = sgd_step<double>(config, scalars);
  double with = 2;
  double without = 2;
  double buffer = 0;
  sgd_rule(with, buffer, 1.0, step);
  sgd_rule(without, 1.0, step);
  // 2 - 0.5 * (1 + 0.25 * 2), in the head.
  BOOST_TEST(with == 1.25);
  BOOST_TEST(without == 1.25);
}

BOOST_AUTO_TEST_CASE(lamb_takes_a_ratio_of_1_where_a_norm_is_0) {
  BOOST_TEST(lamb_trust_ratio({.weights = 0, .directions = 4}) == 1);
  BOOST_TEST(lamb_trust_ratio({.weights = 4, .directions = 0}) == 1);
  BOOST_TEST(lamb_trust_ratio({.weights = 36, .directions = 4}) == 3);
}

BOOST_AUTO_TEST_CASE(lamb_leaves_the_rate_of_what_is_not_adapted) {
  const OptimizerScalars scalars{.learning_rate = 0.5};
  const LambSums sums{.weights = 36, .directions = 4};
  BOOST_TEST(lamb_rate<double>(scalars, {.is_adapted = true}, sums) == 1.5);
  BOOST_TEST(lamb_rate<double>(scalars, {.is_adapted = false}, sums) == 0.5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
