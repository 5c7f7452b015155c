#include "train/optim/reduce_on_plateau.h"

#include <boost/test/unit_test.hpp>

#include <limits>

#include "streamer/core/error.h"
#include "tests/train/optim/optimizer_golden_file.h"

namespace penstock::train {
namespace {

using tests::GoldenCase;
using tests::read_golden_cases;

PlateauConfig config_of(const GoldenCase& golden) {
  PlateauConfig config;
  if (golden.has("is_max")) config.direction = MetricDirection::kHigherIsBetter;
  if (golden.has("is_absolute")) config.delta_mode = DeltaMode::kAbsolute;
  config.factor = golden.number("factor", config.factor);
  config.patience = static_cast<std::uint32_t>(golden.number("patience", config.patience));
  config.min_delta = golden.number("min_delta", config.min_delta);
  config.cooldown = static_cast<std::uint32_t>(golden.number("cooldown", config.cooldown));
  config.min_learning_rate = golden.number("min_learning_rate", config.min_learning_rate);
  config.validate();
  return config;
}

std::string refusal_of(const PlateauConfig& config) {
  try {
    config.validate();
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

BOOST_AUTO_TEST_SUITE(reduce_on_plateau)

// Both multiply by the factor in the same order: no rounding apart.
BOOST_AUTO_TEST_CASE(rates_are_those_of_pytorch) {
  std::size_t num_cases = 0;
  for (const GoldenCase& golden : read_golden_cases("schedule_goldens.txt")) {
    if (!golden.name.starts_with("plateau")) continue;
    ++num_cases;
    const PlateauConfig config = config_of(golden);
    PlateauState state{.learning_rate = golden.number("peak", 0)};
    for (std::size_t epoch = 0; epoch < golden.row("values").size(); ++epoch) {
      BOOST_TEST_CONTEXT(golden.name << " after epoch " << epoch) {
        state = after_epoch(config, state, golden.row("values")[epoch]);
        BOOST_TEST(state.learning_rate == golden.row("rates")[epoch]);
      }
    }
  }
  BOOST_TEST(num_cases == 9u);
}

BOOST_AUTO_TEST_CASE(the_state_tells_all_that_the_next_epoch_needs) {
  const PlateauConfig config{.factor = 0.5, .patience = 1, .cooldown = 2};
  PlateauState state{.learning_rate = 1};
  BOOST_TEST(!state.best.has_value());
  state = after_epoch(config, state, 3);
  BOOST_TEST((state == PlateauState{.learning_rate = 1, .best = 3}));
  state = after_epoch(config, state, 3);
  BOOST_TEST((state == PlateauState{.learning_rate = 1, .best = 3, .num_bad_epochs = 1}));
  state = after_epoch(config, state, 3);
  BOOST_TEST((state == PlateauState{.learning_rate = 0.5, .best = 3, .num_cooldown_epochs = 2}));
  state = after_epoch(config, state, 3);
  BOOST_TEST((state == PlateauState{.learning_rate = 0.5, .best = 3, .num_cooldown_epochs = 1}));
}

BOOST_AUTO_TEST_CASE(nan_never_becomes_the_best) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const PlateauState state = after_epoch({}, {.learning_rate = 1}, nan);
  BOOST_TEST(!state.best.has_value());
  BOOST_TEST(state.num_bad_epochs == 1u);
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  BOOST_TEST(refusal_of({.factor = 1}) ==
             "reduce_on_plateau: factor: expected above 0 and below 1, found 1 | factor = 0.1");
  BOOST_TEST(refusal_of({.min_delta = 1}) ==
             "reduce_on_plateau: min_delta: expected below 1 where it is relative, found 1 | "
             "min_delta = 1e-4");
  BOOST_TEST(refusal_of({.min_delta = 1, .delta_mode = DeltaMode::kAbsolute}) == "accepted");
  BOOST_TEST(refusal_of({.monitor = ""}) != "accepted");
  BOOST_TEST(refusal_of({.min_learning_rate = -1}) != "accepted");
  BOOST_TEST(refusal_of({.min_delta = std::numeric_limits<double>::quiet_NaN()}) != "accepted");
  BOOST_TEST(refusal_of({}) == "accepted");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
