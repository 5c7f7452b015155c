#include "tools/evaluation_report.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::json;
using tests::contains;
using train::EvaluationReport;

/// A label and what it is taken for; all scores but that one are 0.
struct Sample {
  std::uint32_t actual = 0;
  std::uint32_t predicted = 0;
};

EvaluationReport report_of(std::vector<std::string> names, const std::vector<Sample>& samples,
                           std::uint32_t num_worst = 0) {
  EvaluationReport report;
  report.dataset = "pets.ds";
  report.split = "test";
  const auto num_classes = static_cast<std::uint32_t>(names.size());
  report.class_names = std::move(names);
  report.metrics =
      train::ClassificationMetrics({.num_classes = num_classes, .num_worst = num_worst});
  std::uint64_t id = 0;
  for (const Sample& sample : samples) {
    std::vector<float> scores(num_classes, 0.0f);
    scores[sample.predicted] = 2;
    report.metrics.add({.scores = scores,
                        .class_idx = {&sample.actual, 1},
                        .weights = {},
                        .sample_ids = {&id, 1}});
    ++id;
  }
  for (const train::Mistake& mistake : report.metrics.worst().list()) {
    report.worst.push_back({mistake, "cat/" + std::to_string(mistake.sample_id) + ".jpg"});
  }
  report.loss = 0.5;
  report.top1 = report.metrics.accuracy();
  return report;
}

EvaluationReport pets(std::uint32_t num_worst = 0) {
  // cat: 3, of which 2 found; dog: 1, found; the third cat is taken for a dog; no bird.
  return report_of({"cat", "dog", "bird, large"}, {{0, 0}, {0, 0}, {0, 1}, {1, 1}}, num_worst);
}

std::vector<std::string> numbered(std::uint32_t num) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < num; ++i) names.push_back("class" + std::to_string(i));
  return names;
}

BOOST_AUTO_TEST_SUITE(evaluation_report)

// By hand: F1 of cat 2 * 2 / (3 + 2) = 0.8, of dog 2 * 1 / (1 + 2) = 0.667; their mean 0.733.
BOOST_AUTO_TEST_CASE(text_has_totals_classes_and_the_matrix) {
  const std::string text = evaluation_text(pets());
  BOOST_TEST(contains(text, "pets.ds, split test: "));
  BOOST_TEST(contains(text, "loss 0.5000  top-1 75.0 % (3 of 4)"));
  BOOST_TEST(contains(text, "macro precision 75.0 %  recall 83.3 %  F1 73.3 %"));
  BOOST_TEST(!contains(text, "top-5"));  // of three classes
  BOOST_TEST(contains(text,
                      "\nclass         samples    recall  precision        F1"
                      "\ncat                 3    66.7 %    100.0 %    80.0 %"
                      "\ndog                 1   100.0 %     50.0 %    66.7 %"
                      "\nbird, large         0         -          -         -"));
  BOOST_TEST(contains(text,
                      "\ntaken for          0    1    2"
                      "\ncat           0    2    1    ."
                      "\ndog           1    .    1    ."
                      "\nbird, large   2    .    .    ."));
  BOOST_TEST(!contains(text, "worst"));
  BOOST_TEST(!contains(text, "mirror"));
}

// Its probabilities are e^2 / (e^2 + 2) = 0.787 for dog and 1 / (e^2 + 2) for cat, whose logarithm is -2.2395.
BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  EvaluationReport report = pets(5);
  BOOST_TEST(contains(evaluation_text(report),
                      "worst mistakes\n  sample 2 (cat/2.jpg): cat taken for dog with 78.7 %, loss "
                      "2.2395"));
  report.is_flipped = true;
  BOOST_TEST(contains(evaluation_text(report), "its mirror image's"));
}

BOOST_AUTO_TEST_CASE(of_more_classes_the_most_confused_pairs_are_named) {
  const std::string text =
      evaluation_text(report_of(numbered(13), {{0, 0}, {3, 4}, {3, 4}, {5, 1}}));
  BOOST_TEST(contains(text,
                      "\nmost confused"
                      "\n  class3 taken for class4: 2 of 2"
                      "\n  class5 taken for class1: 1 of 1"));
  BOOST_TEST(!contains(text, "taken for        0"));
  BOOST_TEST(contains(text, "top-5 "));
  BOOST_TEST(!contains(evaluation_text(report_of(numbered(13), {{0, 0}})), "most confused"));
}

BOOST_AUTO_TEST_CASE(of_very_many_classes_those_of_lowest_f1_are_in_the_table) {
  const std::string text = evaluation_text(report_of(numbered(60), {{7, 7}, {8, 9}}));
  BOOST_TEST(contains(text, "\nclass8 "));
  BOOST_TEST(contains(text, "\nclass9 "));
  BOOST_TEST(contains(text, "\nclass7 "));
  BOOST_TEST(text.find("\nclass9 ") < text.find("\nclass7 "));
  BOOST_TEST(!contains(text, "\nclass50 "));  // of which nothing is known
  BOOST_TEST(contains(text, "\n3 of lowest F1 of 60 classes; --json has all"));
}

BOOST_AUTO_TEST_CASE(json_has_all_of_it) {
  const Json json = Json::parse(evaluation_json(pets(5), {.run = "run"}));
  BOOST_TEST(json["top1"] == 0.75);
  BOOST_TEST(json["top5"] == 1.0);
  BOOST_TEST(json["num_counted"] == 4);
  BOOST_TEST(json["num_correct"] == 3);
  BOOST_TEST(json["macro_f1"].get<double>() == (0.8 + 2.0 / 3) / 2,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(json["is_flipped"] == false);
  BOOST_TEST(json["classes"][0]["num_samples"] == 3);
  BOOST_TEST(json["classes"][0]["f1"] == 0.8);
  BOOST_TEST((json["confusion_matrix"] == Json{{2, 1, 0}, {0, 1, 0}, {0, 0, 0}}));
  BOOST_TEST((json["most_confused"] ==
              Json::array({{{"class", "cat"}, {"predicted_class", "dog"}, {"num_samples", 1}}})));
  BOOST_REQUIRE(json["worst"].size() == 1u);
  BOOST_TEST(json["worst"][0]["name"] == "cat/2.jpg");
  BOOST_TEST(json["worst"][0]["sample_id"] == 2);
  const Json large = Json::parse(evaluation_json(report_of(numbered(101), {{1, 2}}), {}));
  BOOST_TEST(large["confusion_matrix"].is_null());
  BOOST_TEST(large["classes"].size() == 101u);
}

BOOST_AUTO_TEST_CASE(no_samples_are_no_figures) {
  const EvaluationReport report = report_of({"cat", "dog"}, {});
  const Json json = Json::parse(evaluation_json(report, {}));
  for (const char* key : {"top1", "top5", "macro_f1", "calibration_error"}) {
    BOOST_TEST(json[key].is_null());
  }
  BOOST_TEST(contains(evaluation_text(report), "top-1 - (0 of 0)"));
}

BOOST_AUTO_TEST_CASE(the_matrix_is_a_table_with_a_row_for_each_label) {
  const tests::TemporaryFolder folder;
  ResultStream out(folder.path() / "c.csv");
  write_confusion_csv(pets(), out);
  out.publish();
  BOOST_TEST(read_text_file(folder.path() / "c.csv") ==
             "label,cat,dog,\"bird, large\"\n"
             "cat,2,1,0\n"
             "dog,0,1,0\n"
             "\"bird, large\",0,0,0\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
