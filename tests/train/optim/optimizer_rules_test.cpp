// The update of the backends (host_update.h) against steps that PyTorch took, and LAMB's against its paper's
// formulas (tests/interop/optimizer_goldens.py).
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "tests/train/optim/optimizer_golden_file.h"
#include "train/backend/host_update.h"
#include "train/optim/param_groups.h"

namespace penstock::train {
namespace {

using tests::golden_case;
using tests::GoldenCase;
using tests::read_golden_cases;

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

/// How HostUpdate is given the same steps: none of it may show in the weights.
struct Setting {
  unsigned num_parts = 1;
  /// Elements lie so far from each other, in padding that must stay 0.
  std::size_t distance = 1;
  /// A power of two, so that it takes no digit from the gradients.
  double gradient_scale = 1;
};

struct EachPart {
  template <class Body>
  void operator()(unsigned num_parts, const Body& body) const {
    for (unsigned part = 0; part < num_parts; ++part) body(part);
  }
};

/// A tensor with what the optimizer keeps for it, in padding.
template <class T>
class PaddedTensor {
 public:
  PaddedTensor(std::vector<double> initial, const OptimizerConfig& config, std::size_t distance)
      : num_(initial.size()),
        distance_(distance),
        weights_(num_ * distance),
        gradients_(weights_.size()),
        states_(state_names(config).size(), std::vector<T>(weights_.size())) {
    place(initial, weights_);
    ema_ = weights_;
  }

  void set_gradients(const std::vector<double>& values) { place(values, gradients_); }
  UpdateTensor<T> view(const OptimizerConfig& config, ParamRole role) {
    UpdateTensor<T> tensor{.num_elements = weights_.size(),
                           .weight = weights_.data(),
                           .gradient = gradients_.data(),
                           .ema = config.ema_decay > 0 ? ema_.data() : nullptr,
                           .num_steps = &num_steps_,
                           .rates = param_rates(config, ParamGroup{}, role)};
    for (std::size_t k = 0; k < states_.size(); ++k) tensor.state[k] = states_[k].data();
    return tensor;
  }
  void append_weights(std::vector<double>& all) const { append(weights_, all); }
  void append_ema(std::vector<double>& all) const { append(ema_, all); }
  std::uint64_t num_steps() const { return num_steps_; }
  bool has_clean_padding() const {
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      if (i % distance_ == distance_ - 1) continue;
      bool is_zero = weights_[i] == 0 && ema_[i] == 0;
      for (const std::vector<T>& state : states_) is_zero = is_zero && state[i] == 0;
      if (!is_zero) return false;
    }
    return true;
  }

 private:
  /// Behind the padding, so that a part may begin within it.
  void place(const std::vector<double>& values, std::vector<T>& to) const {
    for (std::size_t i = 0; i < num_; ++i) {
      to[(i + 1) * distance_ - 1] = static_cast<T>(values[i]);
    }
  }
  void append(const std::vector<T>& from, std::vector<double>& to) const {
    for (std::size_t i = 0; i < num_; ++i) {
      to.push_back(static_cast<double>(from[(i + 1) * distance_ - 1]));
    }
  }

  std::size_t num_;
  std::size_t distance_;
  std::vector<T> weights_;
  std::vector<T> gradients_;
  std::vector<std::vector<T>> states_;
  std::vector<T> ema_;
  std::uint64_t num_steps_ = 0;
};

std::vector<double> slice(const std::vector<double>& row, std::size_t begin, std::size_t end) {
  return {row.begin() + static_cast<std::ptrdiff_t>(begin),
          row.begin() + static_cast<std::ptrdiff_t>(end)};
}

/// A weight and a bias that take the steps of the file's gradients, by the code of the backends.
template <class T>
class Player {
 public:
  Player(const GoldenCase& inputs, const OptimizerConfig& config, const Setting& setting)
      : inputs_(inputs),
        config_(config),
        setting_(setting),
        weight_(slice(inputs.row("weights"), 0, kNumWeights), config, setting.distance),
        bias_(slice(inputs.row("weights"), kNumWeights, num()), config, setting.distance),
        update_(config_, setting.num_parts,
                {weight_.view(config_, ParamRole::kWeight),
                 bias_.view(config_, ParamRole::kNormOrBias)},
                EachPart{}) {}
  Player(const Player&) = delete;  // update_ knows where the tensors are
  Player& operator=(const Player&) = delete;

  UpdateReport take_step(std::size_t step_idx) {
    return take_step(step_idx, inputs_.rows.at("gradients")[step_idx]);
  }
  UpdateReport take_step(std::size_t step_idx, std::vector<double> gradients) {
    for (double& gradient : gradients) gradient /= setting_.gradient_scale;
    weight_.set_gradients(slice(gradients, 0, kNumWeights));
    bias_.set_gradients(slice(gradients, kNumWeights, num()));
    const double rate = config_.learning_rate * inputs_.rows.at("rate_factor")[step_idx][0];
    return update_.run({.learning_rate = rate, .gradient_scale = setting_.gradient_scale},
                       statistics_);
  }
  std::vector<double> weights() const {
    std::vector<double> all;
    weight_.append_weights(all);
    bias_.append_weights(all);
    return all;
  }
  std::vector<double> ema() const {
    std::vector<double> all;
    weight_.append_ema(all);
    bias_.append_ema(all);
    return all;
  }
  std::uint64_t num_steps() const { return weight_.num_steps(); }
  bool has_clean_padding() const {
    return weight_.has_clean_padding() && bias_.has_clean_padding();
  }

 private:
  std::size_t num() const { return inputs_.row("weights").size(); }

  const GoldenCase& inputs_;
  OptimizerConfig config_;
  Setting setting_;
  PaddedTensor<T> weight_;
  PaddedTensor<T> bias_;
  StepUnderWay step_;
  StatisticsGuard<T> statistics_{step_, {}};
  HostUpdate<T, EachPart> update_;
};

/// Padding of 8 and more makes sums of squares go by lanes; 3 and 7 parts cut tensors within.
const std::vector<Setting> kSettings{{},
                                     {.num_parts = 3},
                                     {.num_parts = 7, .distance = 9},
                                     {.num_parts = 2, .distance = 5, .gradient_scale = 0.125}};

void check_close(const std::vector<double>& found, const std::vector<double>& expected,
                 double tolerance) {
  BOOST_TEST_REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double bound = tolerance * std::max(1.0, std::abs(expected[i]));
    BOOST_TEST(std::abs(found[i] - expected[i]) <= bound,
               "element " << i << ": found " << found[i] << ", expected " << expected[i]);
  }
}

double norm_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum);
}

template <class T>
void follow_all_cases(double tolerance) {
  const std::vector<GoldenCase> cases = read_golden_cases("optimizer_goldens.txt");
  const GoldenCase& inputs = golden_case(cases, "inputs");
  std::set<std::string_view> followed;
  for (const GoldenCase& golden : cases) {
    if (golden.name == "inputs") continue;
    const OptimizerConfig config = config_of(golden);
    followed.insert(optimizer_name(config.kind));
    for (const Setting& setting : kSettings) {
      Player<T> player(inputs, config, setting);
      for (std::size_t step = 0; step < golden.rows.at("weights").size(); ++step) {
        BOOST_TEST_CONTEXT(golden.name << " after step " << step << ", " << setting.num_parts
                                       << " parts") {
          const UpdateReport report = player.take_step(step);
          BOOST_TEST(report.is_finite);
          BOOST_TEST(report.gradient_norm == norm_of(inputs.rows.at("gradients")[step]),
                     boost::test_tools::tolerance(std::max(tolerance, 1e-12)));
          check_close(player.weights(), golden.rows.at("weights")[step], tolerance);
          if (config.ema_decay > 0) {
            check_close(player.ema(), golden.rows.at("ema")[step], tolerance);
          }
        }
      }
      BOOST_TEST(player.has_clean_padding());
    }
  }
  for (const std::string_view name : optimizer_names()) BOOST_TEST(followed.contains(name), name);
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

BOOST_AUTO_TEST_CASE(a_step_that_is_not_finite_moves_nothing_and_does_not_advance_the_corrections) {
  const std::vector<GoldenCase> cases = read_golden_cases("optimizer_goldens.txt");
  for (const char* name : {"adam", "lamb"}) {
    const GoldenCase& golden = golden_case(cases, name);
    Player<double> player(golden_case(cases, "inputs"), config_of(golden), {.num_parts = 2});
    player.take_step(0);
    BOOST_TEST(!player.take_step(1, {1, 1, 1, NAN, 1}).is_finite);
    check_close(player.weights(), golden.rows.at("weights")[0], 1e-13);
    BOOST_TEST(player.num_steps() == 1u);
    BOOST_TEST(player.take_step(1).is_finite);
    check_close(player.weights(), golden.rows.at("weights")[1], 1e-13);
  }
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
