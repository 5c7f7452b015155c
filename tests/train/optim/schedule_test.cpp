#include "train/optim/schedule.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/optim/optimizer_golden_file.h"

namespace penstock::train {
namespace {

using tests::GoldenCase;
using tests::read_golden_cases;

ScheduleConfig config_of(const GoldenCase& golden) {
  ScheduleConfig config = ScheduleConfig::of(parse_schedule(golden.settings.at("kind")));
  const auto number = [&](const char* key, double& field) { field = golden.number(key, field); };
  number("warmup_fraction", config.warmup_fraction);
  number("gamma", config.gamma);
  number("end_learning_rate", config.end_learning_rate);
  number("power", config.power);
  number("warmup_epochs", config.warmup_epochs);
  number("warmup_start_factor", config.warmup_start_factor);
  config.warmup_steps = static_cast<std::uint64_t>(golden.number("warmup_steps", 0));
  config.step_epochs = static_cast<std::uint32_t>(golden.number("step_epochs", config.step_epochs));
  if (golden.has("milestone_epochs")) {
    std::istringstream list(golden.settings.at("milestone_epochs"));
    for (std::string epoch; std::getline(list, epoch, ',');) {
      config.milestone_epochs.push_back(static_cast<std::uint32_t>(std::stoul(epoch)));
    }
  }
  config.validate();
  return config;
}

std::string refusal_of(const ScheduleConfig& config) {
  try {
    config.validate();
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

BOOST_AUTO_TEST_SUITE(schedule)

// tests/interop/optimizer_goldens.py. PyTorch multiplies from step to step, which rounds a few times
// more with each of up to 25 steps.
BOOST_AUTO_TEST_CASE(rates_are_those_of_pytorch) {
  std::size_t num_cases = 0;
  std::set<std::string_view> followed;
  for (const GoldenCase& golden : read_golden_cases("schedule_goldens.txt")) {
    if (!golden.has("kind")) continue;
    ++num_cases;
    const ScheduleConfig config = config_of(golden);
    followed.insert(schedule_name(config.kind));
    const std::vector<double>& rates = golden.row("rates");
    for (std::uint64_t step = 0; step < rates.size(); ++step) {
      const StepPlace place{
          .step_idx = step,
          .num_steps = static_cast<std::uint64_t>(golden.number("num_steps", 0)),
          .steps_per_epoch = static_cast<std::uint64_t>(golden.number("steps_per_epoch", 1))};
      BOOST_TEST_CONTEXT(golden.name << ", step " << step) {
        BOOST_TEST(learning_rate_at(config, golden.number("peak", 0), place) == rates[step],
                   boost::test_tools::tolerance(1e-12));
      }
    }
  }
  BOOST_TEST(num_cases == 15u);
  for (const std::string_view name : schedule_names()) BOOST_TEST(followed.contains(name), name);
}

// Source: OneCycleLR._annealing_cos and get_lr of pytorch/torch/optim/lr_scheduler.py, restated in
// Python (float64) and printed with repr; two phases that end at pct * total - 1 and total - 1.
BOOST_AUTO_TEST_CASE(one_cycle_follows_the_published_sequence) {
  struct Case {
    std::uint64_t step_idx, num_steps;
    double peak, warmup, expected;
  };
  constexpr Case kCases[] = {
      {0, 10, 0.1, 0.2, 0.0040000000000000036},
      {1, 10, 0.1, 0.2, 0.1},
      {2, 10, 0.1, 0.2, 0.09619399184965784},
      {5, 10, 0.1, 0.2, 0.0500002},
      {8, 10, 0.1, 0.2, 0.0038064081503421656},
      {9, 10, 0.1, 0.2, 4e-07},
      {1, 100, 0.1, 0.2, 0.004654657436669332},
      {20, 100, 0.1, 0.2, 0.09996145196622891},
      {50, 100, 0.1, 0.2, 0.06730598363046324},
      {98, 100, 0.1, 0.2, 3.89480337711031e-05},
      {1, 7, 1.0, 0.3, 0.9805566273349586},
      {3, 7, 1.0, 0.3, 0.6726838364805451},
      {6, 7, 1.0, 0.3, 4e-06},
      {0, 3, 0.5, 0.2, 0.4665064849207059},
      {1, 3, 0.5, 0.2, 0.1852964975434149},
      {2, 3, 0.5, 0.2, 2e-06},
  };
  for (const Case& c : kCases) {
    const ScheduleConfig config{.warmup_fraction = c.warmup};
    BOOST_TEST_CONTEXT("step " << c.step_idx << " of " << c.num_steps) {
      BOOST_TEST(learning_rate_at(config, c.peak, {c.step_idx, c.num_steps}) == c.expected,
                 boost::test_tools::tolerance(1e-12));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_warm_up_of_one_step_starts_at_the_peak) {
  const ScheduleConfig config{.warmup_fraction = 0.5};
  BOOST_TEST(learning_rate_at(config, 0.1, {0, 2}) == 0.1);
}

BOOST_AUTO_TEST_CASE(the_only_step_of_a_run_is_at_the_peak) {
  for (const std::string_view name : schedule_names()) {
    ScheduleConfig config = ScheduleConfig::of(parse_schedule(name));
    BOOST_TEST(learning_rate_at(config, 0.1, {0, 1}) == 0.1, name);
    if (config.kind == ScheduleKind::kOneCycle) continue;  // refuses a warm-up
    config.warmup_steps = 3;
    BOOST_TEST(learning_rate_at(config, 0.1, {0, 1}) == 0.1, name << " behind a warm-up");
  }
}

BOOST_AUTO_TEST_CASE(constant_stays_at_the_peak) {
  const ScheduleConfig config{.kind = ScheduleKind::kConstant};
  for (const std::uint64_t step : {0, 1, 99}) {
    BOOST_TEST(learning_rate_at(config, 0.25, {step, 100}) == 0.25);
  }
}

// Milestones are epochs of the run, whether it warms up or not; so a run's file says what happens in
// epoch 2.
BOOST_AUTO_TEST_CASE(a_warm_up_does_not_move_milestones) {
  const ScheduleConfig config{.kind = ScheduleKind::kStep,
                              .milestone_epochs = {2},
                              .gamma = 0.5,
                              .warmup_epochs = 1,
                              .warmup_start_factor = 0.5};
  const auto at = [&](std::uint64_t step) { return learning_rate_at(config, 1, {step, 12, 4}); };
  BOOST_TEST(at(0) == 0.5);
  BOOST_TEST(at(2) == 0.75);
  BOOST_TEST(at(4) == 1);
  BOOST_TEST(at(7) == 1);
  BOOST_TEST(at(8) == 0.5);
}

BOOST_AUTO_TEST_CASE(beyond_the_last_step_the_end_is_kept) {
  ScheduleConfig config = ScheduleConfig::of(ScheduleKind::kCosine);
  config.end_learning_rate = 0.25;
  BOOST_TEST(learning_rate_at(config, 1, {10, 10}) == 0.25);
  BOOST_TEST(learning_rate_at(config, 1, {25, 10}) == 0.25);
  config.kind = ScheduleKind::kPolynomial;
  BOOST_TEST(learning_rate_at(config, 1, {25, 10}) == 0.25);
  BOOST_TEST(learning_rate_at({}, 1, {25, 10}) == 4e-6);
}

BOOST_AUTO_TEST_CASE(a_warm_up_as_long_as_the_run_never_gets_behind_it) {
  const ScheduleConfig config{.kind = ScheduleKind::kCosine, .warmup_steps = 10};
  BOOST_TEST(learning_rate_at(config, 1, {9, 10}) < 1);
  BOOST_TEST(learning_rate_at(config, 1, {10, 10}) == 1);
}

BOOST_AUTO_TEST_CASE(every_name_reads_back_as_its_schedule) {
  const std::vector<std::string_view> names = {"constant", "one_cycle",  "step",
                                               "cosine",   "polynomial", "exponential"};
  const auto known = schedule_names();
  BOOST_TEST(std::vector(known.begin(), known.end()) == names, boost::test_tools::per_element());
  for (const std::string_view name : names) {
    BOOST_TEST(schedule_name(parse_schedule(name)) == name);
  }
  BOOST_TEST((parse_schedule("one_cycle") == ScheduleKind::kOneCycle));
}

BOOST_AUTO_TEST_CASE(an_unknown_schedule_is_refused_with_those_there_are) {
  BOOST_CHECK_EXCEPTION(parse_schedule("one-cycle"), Error, [](const Error& error) {
    return std::string(error.what()) ==
               "schedule: expected constant, one_cycle, step, cosine, polynomial or exponential, "
               "found \"one-cycle\"" &&
           error.hint() == "did you mean 'one_cycle'?";
  });
}

// Each setting changed alone, in a run of 40 steps of 4 in an epoch: the rates change just where the
// schedule says that it reads the setting.
BOOST_AUTO_TEST_CASE(own_settings_are_those_that_change_the_rates) {
  const std::vector<std::pair<std::string_view, ScheduleConfig (*)(ScheduleConfig)>> changes = {
      {"warmup_fraction", [](ScheduleConfig c) { return c.warmup_fraction = 0.5, c; }},
      {"div_factor", [](ScheduleConfig c) { return c.div_factor = 10, c; }},
      {"final_div_factor", [](ScheduleConfig c) { return c.final_div_factor = 10, c; }},
      {"milestone_epochs", [](ScheduleConfig c) { return c.milestone_epochs = {3}, c; }},
      {"step_epochs", [](ScheduleConfig c) { return c.step_epochs = 4, c; }},
      {"gamma", [](ScheduleConfig c) { return c.gamma = 0.5, c; }},
      {"end_learning_rate", [](ScheduleConfig c) { return c.end_learning_rate = 0.1, c; }},
      {"power", [](ScheduleConfig c) { return c.power = 2, c; }},
      {"warmup_steps", [](ScheduleConfig c) { return c.warmup_steps = 7, c; }},
      {"warmup_epochs",
       [](ScheduleConfig c) { return c.warmup_steps = 0, c.warmup_epochs = 2, c; }},
      {"warmup_start_factor", [](ScheduleConfig c) { return c.warmup_start_factor = 0.5, c; }},
  };
  const auto rates = [](const ScheduleConfig& config) {
    std::vector<double> all;
    for (std::uint64_t step = 0; step < 40; ++step) {
      all.push_back(learning_rate_at(config, 1, {step, 40, 4}));
    }
    return all;
  };
  for (const std::string_view name : schedule_names()) {
    ScheduleConfig config = ScheduleConfig::of(parse_schedule(name));
    config.step_epochs = 3;
    config.warmup_steps = 2;
    const auto own = own_settings(config.kind);
    for (const auto& [setting, changed] : changes) {
      const bool is_own = std::ranges::find(own, setting) != own.end();
      BOOST_TEST((rates(changed(config)) != rates(config)) == is_own, name << ": " << setting);
    }
  }
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(refusal_of({}) == "accepted");
  BOOST_TEST(refusal_of({.div_factor = 0.5}) ==
             "schedule: div_factor: expected a finite number, 1 or more, found 0.5 | "
             "div_factor = 25");
  BOOST_TEST(refusal_of({.milestone_epochs = {30, 30}}) ==
             "schedule: milestone_epochs: expected ascending epochs, 1 or more, found 30 after 30 "
             "| milestone_epochs = [30, 60, 80]");
  BOOST_TEST(refusal_of({.gamma = 1.5}) ==
             "schedule: gamma: expected above 0, at most 1, found 1.5 | gamma = 0.1");
  for (const ScheduleConfig& config : std::vector<ScheduleConfig>{
           {.warmup_fraction = 1},
           {.final_div_factor = nan},
           {.milestone_epochs = {0, 5}},
           {.step_epochs = 0},
           {.gamma = nan},
           {.end_learning_rate = -1},
           {.power = 0},
           {.warmup_epochs = nan},
           {.warmup_start_factor = 0},
       }) {
    BOOST_TEST(refusal_of(config) != "accepted");
  }
}

BOOST_AUTO_TEST_CASE(a_warm_up_that_would_do_nothing_is_refused) {
  BOOST_TEST(refusal_of({.kind = ScheduleKind::kOneCycle, .warmup_epochs = 2.5}) ==
             "schedule: warmup_epochs: expected 0 with one_cycle, which has its own warm-up, found "
             "2.5 | warmup_fraction = 0.2");
  BOOST_TEST(refusal_of({.kind = ScheduleKind::kCosine, .warmup_steps = 7, .warmup_epochs = 1}) ==
             "schedule: warmup_steps: expected 0 with warmup_epochs, found 7 | warmup_steps = 0");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
