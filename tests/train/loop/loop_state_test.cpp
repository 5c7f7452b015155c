#include "train/loop/loop_state.h"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <nlohmann/json.hpp>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

LoopState busy_state() {
  return {.trainer = {.num_steps = 1234567890123,
                      .peak_learning_rate = 0.1 / 3,
                      .nan_guard = {.num_in_a_row = 2, .num_skipped = 17}},
          .plateau = {.learning_rate = 0.1 / 3,
                      .best = 1.25,
                      .num_bad_epochs = 3,
                      .num_cooldown_epochs = 1},
          .early_stopping = {.best = -0.5, .best_epoch_idx = 11, .num_bad_epochs = 4},
          .history = {{.epoch = 1, .train_loss = 2.302585092994046, .train_accuracy = 0.1},
                      {.epoch = 2,
                       .train_loss = kNone,
                       .validation_loss = 1e-300,
                       .train_accuracy = 0.25,
                       .validation_accuracy = 1}}};
}

std::string refusal_of(const std::string& text) {
  try {
    parse_loop_state(text, "000001-step-000000005");
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kCorruptData));
    return error.what();
  }
  return "accepted";
}

BOOST_AUTO_TEST_SUITE(loop_state)

BOOST_AUTO_TEST_CASE(what_is_written_reads_back_equal) {
  const LoopState state = busy_state();
  const LoopState found = parse_loop_state(format_loop_state(state), "here");
  BOOST_TEST((found.trainer == state.trainer));
  BOOST_TEST((found.plateau == state.plateau));
  BOOST_TEST((found.early_stopping == state.early_stopping));
  BOOST_REQUIRE(found.history.size() == 2u);
  BOOST_TEST(found.history[0].train_loss == 2.302585092994046);
  BOOST_TEST(std::isnan(found.history[0].validation_loss));
  BOOST_TEST(std::isnan(found.history[1].train_loss));
  BOOST_TEST(found.history[1].epoch == 2u);
  BOOST_TEST(found.history[1].validation_loss == 1e-300);
  BOOST_TEST(found.history[1].train_accuracy == 0.25);
  BOOST_TEST(found.history[1].validation_accuracy == 1.0);
  const LoopState none = parse_loop_state(format_loop_state({}), "here");
  BOOST_TEST((none.plateau == PlateauState{}));
  BOOST_TEST((none.early_stopping == EarlyStoppingState{}));
  BOOST_TEST(none.history.empty());
}

// By hand, so that a checkpoint of today is one of tomorrow.
BOOST_AUTO_TEST_CASE(the_names_of_the_fields_are_these) {
  const LoopState found = parse_loop_state(
      R"({"num_steps": 5, "peak_learning_rate": 0.25, "from": "the future",
          "nan_guard": {"num_in_a_row": 1, "num_skipped": 2},
          "reduce_on_plateau": {"learning_rate": 0.25, "best": null, "num_bad_epochs": 3,
                                "num_cooldown_epochs": 4},
          "early_stopping": {"best": 0.5, "best_epoch_idx": 6, "num_bad_epochs": 7},
          "history": []})",
      "here");
  BOOST_TEST((found.trainer == TrainerState{.num_steps = 5,
                                            .peak_learning_rate = 0.25,
                                            .nan_guard = {.num_in_a_row = 1, .num_skipped = 2}}));
  BOOST_TEST((found.plateau ==
              PlateauState{.learning_rate = 0.25, .num_bad_epochs = 3, .num_cooldown_epochs = 4}));
  BOOST_TEST((found.early_stopping ==
              EarlyStoppingState{.best = 0.5, .best_epoch_idx = 6, .num_bad_epochs = 7}));
}

BOOST_AUTO_TEST_CASE(what_is_missing_or_of_another_kind_is_named) {
  const std::string place = "checkpoint: 000001-step-000000005: parts: loop: ";
  BOOST_TEST(refusal_of("[]") == place + "expected an object");
  BOOST_TEST(refusal_of("{") == place + "expected an object");
  auto json = nlohmann::json::parse(format_loop_state(busy_state()));
  json["nan_guard"]["num_in_a_row"] = -1;
  BOOST_TEST(refusal_of(json.dump()) == place + "nan_guard: num_in_a_row: expected a whole number");
  json["nan_guard"]["num_in_a_row"] = 4294967296;  // 2^32
  BOOST_TEST(refusal_of(json.dump()) == place + "nan_guard: num_in_a_row: expected a whole number");
  json["nan_guard"]["num_in_a_row"] = 1;
  json["early_stopping"]["best"] = "high";
  BOOST_TEST(refusal_of(json.dump()) == place + "early_stopping: best: expected a number or null");
  json["early_stopping"].erase("best");
  BOOST_TEST(refusal_of(json.dump()) ==
             place + "early_stopping: best: expected a value, found none");
  json["early_stopping"]["best"] = 1;
  json["history"] = {1};
  BOOST_TEST(refusal_of(json.dump()) == place + "history: expected an object");
  json["history"] = nlohmann::json::array();
  json["peak_learning_rate"] = nullptr;
  BOOST_TEST(refusal_of(json.dump()) ==
             place + "peak_learning_rate: expected a number of 0 or more");
}

BOOST_AUTO_TEST_CASE(counts_of_steps_are_whole_numbers) {
  const std::vector<std::uint64_t> counts = {0, 7, 1234567890123};
  const OptimizerProgress again =
      parse_optimizer_progress(format_optimizer_progress({.num_steps = counts}), "here");
  BOOST_TEST(again.num_steps == counts, boost::test_tools::per_element());
  BOOST_TEST(!again.loss_scaling.has_value());
  for (const char* text : {"{\"num_steps\": [1.5]}", "{\"num_steps\": [-1]}"}) {
    BOOST_CHECK_EXCEPTION(parse_optimizer_progress(text, "here"), Error, [](const Error& error) {
      return std::string(error.what()) ==
             "checkpoint: here: parts: optimizer: num_steps: expected whole numbers";
    });
  }
}

BOOST_AUTO_TEST_CASE(the_scale_of_losses_is_stored_beside_them) {
  const OptimizerProgress progress{
      .num_steps = {3}, .loss_scaling = LossScaling{.scale = 0.0625f, .num_good_steps = 1999}};
  const OptimizerProgress again =
      parse_optimizer_progress(format_optimizer_progress(progress), "here");
  BOOST_REQUIRE(again.loss_scaling.has_value());
  BOOST_TEST(again.loss_scaling->scale == 0.0625f);
  BOOST_TEST(again.loss_scaling->num_good_steps == 1999u);
  for (const char* scale : {"0", "1e30"}) {
    const std::string text = std::string(R"({"num_steps": [3], "num_good_steps": 1, )") +
                             "\"loss_scale\": " + scale + "}";
    BOOST_CHECK_EXCEPTION(parse_optimizer_progress(text, "here"), Error, [](const Error& error) {
      return std::string(error.what()) ==
             "checkpoint: here: parts: optimizer: loss_scale: expected above 0 to 16777216";
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
