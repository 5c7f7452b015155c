#include "train/run/run_progress.h"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

using Parts = std::map<std::string, std::string>;

RunProgress busy_progress() {
  return {.num_epochs = 2,
          .under_way = EpochReport{.epoch_idx = 2,
                                   .num_epochs = 9,
                                   .train = {.totals = {.weighted_loss_sum = 2.5, .weight_sum = 32},
                                             .num_samples = 32,
                                             .num_expected = 80,
                                             .num_left_out = 7,
                                             .elapsed_s = 0.5,
                                             .learning_rate = 0.1}},
          .place = {.epoch = 2, .next_position = 32},
          .num_validated_steps = 11,
          .end_reason = "enough"};
}

RunProgress read(const Parts& parts) {
  return read_progress(
      parts, [](std::string_view) { return nullptr; }, "here");
}

std::string refusal_of(const Parts& parts) {
  try {
    read(parts);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kCorruptData));
    return error.what();
  }
  return "accepted";
}

/// A sample that failed, with a status as stored.
std::string skipped_with(const std::string& status) {
  return R"({"samples": [{"epoch_idx": 0, "split": "train", "sample_id": 5, "status": )" + status +
         R"(, "detail": "torn"}]})";
}

BOOST_AUTO_TEST_SUITE(run_progress)

BOOST_AUTO_TEST_CASE(what_is_written_reads_back_equal) {
  const RunProgress found = read(progress_parts(busy_progress()));
  BOOST_TEST(found.num_epochs == 2u);
  BOOST_TEST(!found.last.has_value());
  BOOST_REQUIRE(found.under_way.has_value());
  BOOST_TEST(found.under_way->train.num_samples == 32u);
  BOOST_TEST(found.under_way->train.totals.weighted_loss_sum == 2.5);
  BOOST_TEST(found.under_way->train.learning_rate == 0.1);
  BOOST_TEST(!found.under_way->validation.has_value());
  BOOST_TEST(found.place.next_position == 32u);
  BOOST_TEST(found.num_validated_steps == 11u);
  BOOST_TEST(found.end_reason == "enough");
}

// A diverged run is stored as any other, and its sum of losses is no number.
BOOST_AUTO_TEST_CASE(a_sum_of_losses_that_is_no_number_reads_back_as_none) {
  RunProgress progress = busy_progress();
  progress.under_way->train.totals.weighted_loss_sum = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(std::isnan(read(progress_parts(progress)).under_way->train.totals.weighted_loss_sum));
}

BOOST_AUTO_TEST_CASE(what_is_missing_or_of_another_kind_is_named) {
  const std::string place = "checkpoint: here: parts: ";
  Parts parts = progress_parts(busy_progress());
  auto epochs = nlohmann::json::parse(parts["epochs"]);
  const auto refused_with = [&](const nlohmann::json& changed) {
    return refusal_of({{"epochs", changed.dump()}, {"skipped", parts["skipped"]}});
  };
  auto changed = epochs;
  changed["num_epochs"] = -1;
  BOOST_TEST(refused_with(changed) == place + "epochs: num_epochs: expected a whole number");
  changed = epochs;
  changed["under_way"]["train"]["num_samples"] = 1.5;
  BOOST_TEST(refused_with(changed) ==
             place + "epochs: under_way: train: num_samples: expected a whole number");
  changed["under_way"]["train"]["num_samples"] = 1;
  changed["under_way"]["train"]["elapsed_s"] = -1;
  BOOST_TEST(refused_with(changed) ==
             place + "epochs: under_way: train: elapsed_s: expected a number of 0 or more");
  BOOST_TEST(refused_with("text") == place + "epochs: expected an object");
  parts.erase("skipped");
  BOOST_TEST(refusal_of(parts) ==
             place + "expected the parts \"epochs\" and \"skipped\", found others");
}

// The four of SampleStatus; a program of tomorrow may know more.
BOOST_AUTO_TEST_CASE(a_status_of_a_sample_that_is_none_is_refused) {
  const std::string epochs = progress_parts(busy_progress())["epochs"];
  BOOST_TEST(refusal_of({{"epochs", epochs}, {"skipped", skipped_with("3")}}) == "accepted");
  for (const char* status : {"4", "-1", "260", "1.5"}) {
    BOOST_TEST(refusal_of({{"epochs", epochs}, {"skipped", skipped_with(status)}}) ==
               "checkpoint: here: parts: skipped: samples: status: expected a whole number of at "
               "most 3");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
