#include "train/run/epoch/metrics_log.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "tests/temporary_folder.h"

namespace penstock::train {
namespace {

constexpr const char* kHead =
    "epoch,step,loss,val_loss,learning_rate,images_per_s,waiting_share,num_samples,num_distinct,"
    "num_skipped,num_skipped_steps,train_s,val_num_skipped\n";

struct Fixture {
  penstock::tests::TemporaryFolder folder;

  /// Of a run that goes on behind so many whole epochs, and a step of the one under way.
  MetricsLog log(std::uint64_t num_epochs = 0, std::uint64_t num_steps = 0) const {
    return MetricsLog({.folder = folder.path(),
                       .metrics = {{"loss", MetricDirection::kLowerIsBetter},
                                   {"val_loss", MetricDirection::kLowerIsBetter}},
                       .num_epochs = num_epochs,
                       .num_steps = num_steps});
  }
  std::string table() const { return read_text_file(folder.path() / kMetricsName); }
  std::vector<nlohmann::json> events() const {
    std::ifstream file(folder.path() / kMetricEventsName);
    std::vector<nlohmann::json> found;
    for (std::string line; std::getline(file, line);) found.push_back(nlohmann::json::parse(line));
    return found;
  }
};

/// Five steps an epoch; loss 1 / epoch.
EpochReport epoch(std::uint32_t epoch_idx, double val_loss) {
  EpochReport report{.epoch_idx = epoch_idx, .num_epochs = 9};
  report.train = {.num_samples = 40,
                  .num_expected = 40,
                  .num_distinct = 40,
                  .num_skipped = 2,
                  .num_steps = 5,
                  .num_skipped_steps = 1,
                  .elapsed_s = 4,
                  .waiting_s = 1,
                  .learning_rate = 0.25};
  report.validation = PassReport{.num_samples = 16, .num_skipped = 3, .elapsed_s = 2};
  report.num_steps = (epoch_idx + 1) * 5;
  report.metrics.add(MetricSplit::kTrain, "loss", 1.0 / (epoch_idx + 1));
  report.metrics.add(MetricSplit::kValidation, "loss", val_loss);
  return report;
}

MetricTable validation_of(double val_loss) {
  MetricTable table;
  table.add(MetricSplit::kValidation, "loss", val_loss);
  return table;
}

BOOST_FIXTURE_TEST_SUITE(metrics_log, Fixture)

BOOST_AUTO_TEST_CASE(an_epoch_is_a_line_of_the_table_and_an_event) {
  MetricsLog written = log();
  BOOST_TEST(events().empty());
  written.note_epoch(epoch(0, 0.5));
  written.store();
  // By hand: 40 samples in 4 s, of which 1 s was waited.
  BOOST_TEST(table() == std::string(kHead) + "1,5,1.0,0.5,0.25,10.0,0.25,40,40,2,1,4.0,3\n");
  BOOST_REQUIRE(events().size() == 1u);
  const nlohmann::json event = events()[0];
  BOOST_TEST(event["event"] == "epoch");
  BOOST_TEST(event["epoch"] == 1);
  BOOST_TEST(event["step"] == 5);
  BOOST_TEST(event["val_loss"] == 0.5);
  BOOST_TEST(event["num_skipped_steps"] == 1);
  BOOST_TEST(event["waiting_share"] == 0.25);
}

BOOST_AUTO_TEST_CASE(what_there_is_no_figure_of_is_empty_or_null) {
  MetricsLog written = log();
  EpochReport report = epoch(0, std::nan(""));
  report.validation.reset();
  written.note_epoch(report);
  written.store();
  BOOST_TEST(table() == std::string(kHead) + "1,5,1.0,,0.25,10.0,0.25,40,40,2,1,4.0,\n");
  BOOST_TEST(events()[0]["val_loss"].is_null());
  BOOST_TEST(events()[0]["val_num_skipped"].is_null());
}

BOOST_AUTO_TEST_CASE(a_validation_is_an_event_and_no_line) {
  MetricsLog written = log();
  const EpochReport report = epoch(2, 0.5);
  written.note_validation(report, *report.validation, validation_of(0.75));
  written.store();
  BOOST_REQUIRE(events().size() == 1u);
  const nlohmann::json event = events()[0];
  BOOST_TEST(event["event"] == "validation");
  BOOST_TEST(event["epoch"] == 3);
  BOOST_TEST(event["step"] == 15);
  BOOST_TEST(event["val_loss"] == 0.75);
  BOOST_TEST(event["val_num_samples"] == 16);
  BOOST_TEST(event["val_images_per_s"] == 8.0);
  BOOST_TEST(!std::filesystem::exists(folder.path() / kMetricsName));
}

// It goes on behind two epochs: what an earlier process wrote after its checkpoint is written again.
BOOST_AUTO_TEST_CASE(a_run_that_goes_on_writes_no_line_twice) {
  {
    MetricsLog written = log();
    for (std::uint32_t idx = 0; idx < 3; ++idx) written.note_epoch(epoch(idx, 0.5));
    written.store();
  }
  // A process that died while it wrote.
  std::ofstream(folder.path() / kMetricEventsName, std::ios::app) << R"({"event":"epoch","st)";
  MetricsLog written = log(2);
  BOOST_TEST(events().size() == 2u);
  written.note_epoch(epoch(2, 0.25));
  written.store();
  const std::vector<nlohmann::json> found = events();
  BOOST_REQUIRE(found.size() == 3u);
  BOOST_TEST(found[1]["epoch"] == 2);
  BOOST_TEST(found[2]["epoch"] == 3);
  BOOST_TEST(found[2]["val_loss"] == 0.25);
  const std::string rest = "0.25,10.0,0.25,40,40,2,1,4.0,3\n";
  BOOST_TEST(table() == kHead + ("1,5,1.0,0.5," + rest) + "2,10,0.5,0.5," + rest +
                            "3,15,0.3333333333333333,0.25," + rest);
}

// The second epoch ended at step 10 of five an epoch; with a larger batch it goes on as step 4, and at step 5 it is
// stored within the third.
BOOST_AUTO_TEST_CASE(steps_that_are_counted_anew_cost_no_line_of_an_epoch_before) {
  const auto validate_at = [](MetricsLog& written, std::uint32_t epoch_idx, std::uint64_t step) {
    EpochReport report = epoch(epoch_idx, 0.5);
    report.num_steps = step;
    written.note_validation(report, *report.validation, validation_of(0.5));
  };
  {
    MetricsLog written = log();
    for (std::uint32_t idx = 0; idx < 2; ++idx) {
      validate_at(written, idx, 3 + 5 * idx);
      written.note_epoch(epoch(idx, 0.5));
    }
    validate_at(written, 2, 5);
    validate_at(written, 2, 6);  // behind the checkpoint
    written.note_epoch(epoch(2, 0.5));
    written.store();
  }
  const auto places = [&] {
    std::string text;
    for (const nlohmann::json& event : events()) {
      text += event["event"].get<std::string>().front() + event["epoch"].dump() + "@" +
              event["step"].dump() + " ";
    }
    return text;
  };
  std::ofstream(folder.path() / kMetricEventsName, std::ios::app)
      << R"({"event":5,"epoch":3,"step":4})"
      << "\n";  // of nobody's
  MetricsLog within = log(2, 5);
  BOOST_TEST(places() == "v1@3 e1@5 v2@8 e2@10 v3@5 ");
  MetricsLog between = log(2);  // an older checkpoint: the third epoch comes again, in other steps
  BOOST_TEST(places() == "v1@3 e1@5 v2@8 e2@10 ");
  between.note_epoch(epoch(2, 0.5));
  between.store();
  const std::string found = table();
  BOOST_TEST(std::count(found.begin(), found.end(), '\n') == 4);  // names and three epochs
}

BOOST_AUTO_TEST_CASE(a_table_with_other_columns_is_put_aside_and_not_over_another_one) {
  const auto there = [&](const std::string& name) { return read_text_file(folder.path() / name); };
  for (const char* name : {"metrics.csv.old", "metrics.csv.old.2"}) {
    std::ofstream(folder.path() / kMetricsName) << "epoch,step,train_loss\n1,5," << name << "\n";
    MetricsLog written = log(1);
    BOOST_TEST(written.old_table_name() == name);
    BOOST_TEST(there(name) == std::string("epoch,step,train_loss\n1,5,") + name + "\n");
    BOOST_TEST(!std::filesystem::exists(folder.path() / kMetricsName));
  }
  BOOST_TEST(there("metrics.csv.old") == "epoch,step,train_loss\n1,5,metrics.csv.old\n");
  BOOST_TEST(log(1).old_table_name().empty());
  std::ofstream(folder.path() / kMetricsName) << kHead << "1,5,\n";
  BOOST_TEST(log(1).old_table_name().empty());
}

BOOST_AUTO_TEST_CASE(a_new_run_forgets_what_lies_there) {
  {
    MetricsLog written = log();
    written.note_epoch(epoch(0, 0.5));
    written.store();
  }
  MetricsLog written = log();
  BOOST_TEST(events().empty());
  written.note_epoch(epoch(0, 0.25));
  written.store();
  BOOST_TEST(events().size() == 1u);
  BOOST_TEST(table().find("0.5,") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
