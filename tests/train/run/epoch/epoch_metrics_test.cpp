#include "train/run/epoch/epoch_metrics.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "train/run/epoch/metrics_log.h"

namespace penstock::train {
namespace {

using Json = nlohmann::json;

/// A sample by its class and the one that it is taken for.
struct Taken {
  std::uint32_t label_idx = 0;
  std::uint32_t predicted_idx = 0;
};

ValidationScores scores_of(std::uint32_t num_classes, const std::vector<Taken>& samples) {
  std::vector<float> logits(samples.size() * num_classes, 0.0F);
  std::vector<std::uint32_t> labels;
  std::vector<std::uint64_t> ids;
  for (std::size_t n = 0; n < samples.size(); ++n) {
    logits[n * num_classes + samples[n].predicted_idx] = 1.0F;
    labels.push_back(samples[n].label_idx);
    ids.push_back(n);
  }
  const std::vector<float> weights(samples.size(), 1.0F);
  ValidationScores scores(num_classes);
  scores.on_scores({.logits = logits,
                    .class_idx = labels,
                    .weights = weights,
                    .sample_ids = ids,
                    .num_classes = num_classes});
  return scores;
}

BOOST_AUTO_TEST_SUITE(epoch_metrics)

// The confusion, label by row, with cat, dog, fox as columns: 3 2 0, 1 3 0, 0 1 0. Figures by hand from it:
//   cat  5 samples, 4 taken for it, 3 right: 3/4, 3/5, 6/9
//   dog  4 samples, 6 taken for it, 3 right: 3/6, 3/4, 6/10
//   fox  1 sample, none taken for it: 0
BOOST_AUTO_TEST_CASE(the_event_of_a_validation_has_the_figures_of_each_class) {
  const std::vector<Taken> samples = {{0, 0}, {0, 0}, {0, 0}, {0, 1}, {0, 1},
                                      {1, 0}, {1, 1}, {1, 1}, {1, 1}, {2, 1}};
  const std::vector<std::string> names = {"cat", "dog", "fox"};
  EpochReport report;
  add_classes(report, scores_of(3, samples), names);
  const Json event = Json::parse(validation_event(report, {}, {}));
  const Json expected = {{{"name", "cat"},
                          {"num_samples", 5},
                          {"num_correct", 3},
                          {"num_predicted", 4},
                          {"precision", 0.75},
                          {"recall", 0.6},
                          {"f1", 6.0 / 9}},
                         {{"name", "dog"},
                          {"num_samples", 4},
                          {"num_correct", 3},
                          {"num_predicted", 6},
                          {"precision", 0.5},
                          {"recall", 0.75},
                          {"f1", 0.6}},
                         {{"name", "fox"},
                          {"num_samples", 1},
                          {"num_correct", 0},
                          {"num_predicted", 0},
                          {"precision", 0.0},
                          {"recall", 0.0},
                          {"f1", 0.0}}};
  BOOST_TEST(event["val_classes"] == expected);
  BOOST_TEST(event["val_confusion_matrix"] == Json({{3, 2, 0}, {1, 3, 0}, {0, 1, 0}}));
}

// A sample of each class that is taken for it; but one of 140 and one of 7 are taken for each other's class, and
// there is none of 0.
BOOST_AUTO_TEST_CASE(of_more_than_100_classes_those_of_lowest_f1_are_told) {
  std::vector<std::string> names;
  std::vector<Taken> samples = {{140, 7}, {7, 140}, {7, 140}};
  for (std::uint32_t idx = 0; idx < 150; ++idx) {
    names.push_back("class " + std::to_string(idx));
    if (idx > 0) samples.push_back({idx, idx});
  }
  EpochReport report;
  add_classes(report, scores_of(150, samples), names);
  BOOST_TEST(Json::parse(validation_event(report, {}, {}))["val_confusion_matrix"].is_null());
  const std::vector<ClassResult>& told = report.classes;
  BOOST_REQUIRE(told.size() == 100u);
  BOOST_TEST(told[0].name == "class 7");    // 2 / (3 + 2)
  BOOST_TEST(told[1].name == "class 140");  // 2 / (2 + 3)
  BOOST_TEST(told[0].figures.f1 == 0.4);
  BOOST_TEST(told[1].figures.f1 == 0.4);
  BOOST_TEST(told[2].name == "class 1");
  BOOST_TEST(told[99].figures.f1 == 1.0);
}

BOOST_AUTO_TEST_CASE(of_100_classes_all_are_told_in_their_order) {
  std::vector<std::string> names;
  for (std::uint32_t idx = 0; idx < 100; ++idx) names.push_back("class " + std::to_string(idx));
  EpochReport report;
  add_classes(report, scores_of(100, {{99, 3}}), names);
  const std::vector<ClassResult>& told = report.classes;
  BOOST_REQUIRE(told.size() == 100u);
  BOOST_TEST(told[0].name == "class 0");
  BOOST_TEST(told[3].counts.num_predicted == 1u);
  BOOST_TEST(told[99].counts.num_actual == 1u);
  BOOST_TEST(report.confusion[99][3] == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
