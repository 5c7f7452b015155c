#include "tools/prediction_text.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "streamer/core/error.h"

namespace penstock::tools {
namespace {

const std::vector<PictureAnswer> kAnswers = {
    {.path = "a.jpg", .top = {{"cat", 0, 0.75}, {"dog, \"wild\"", 3, 0.125}}},
    {.path = "b,c.jpg", .fault = "picture: b,c.jpg: expected a file, found none"},
    {.path = "d.jpg", .top = {{"dog", 2, 1}}}};

std::string text_of(PredictionFormat format, const std::vector<PictureAnswer>& answers) {
  PredictionText text(format);
  std::string all = text.begin();
  for (const PictureAnswer& answer : answers) all += text.answer(answer);
  return all + text.end();
}

BOOST_AUTO_TEST_SUITE(prediction_text)

BOOST_AUTO_TEST_CASE(text_names_classes_best_first_and_leaves_faults_to_stderr) {
  BOOST_TEST(text_of(PredictionFormat::kText, kAnswers) ==
             "a.jpg: cat 75.0 %, dog, \"wild\" 12.5 %\n"
             "d.jpg: dog 100.0 %\n");
}

// RFC 4180: a field with a comma or a quote stands in quotes, quotes are doubled.
BOOST_AUTO_TEST_CASE(csv_has_a_row_for_each_class_and_one_for_a_fault) {
  BOOST_TEST(text_of(PredictionFormat::kCsv, kAnswers) ==
             "path,rank,class,class_idx,probability,error\n"
             "a.jpg,1,cat,0,0.75,\n"
             "a.jpg,2,\"dog, \"\"wild\"\"\",3,0.125,\n"
             "\"b,c.jpg\",,,,,\"picture: b,c.jpg: expected a file, found none\"\n"
             "d.jpg,1,dog,2,1,\n");
}

BOOST_AUTO_TEST_CASE(json_is_an_array_with_one_picture_a_line) {
  const std::string text = text_of(PredictionFormat::kJson, kAnswers);
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 5);  // [, three pictures, ]
  const nlohmann::json json = nlohmann::json::parse(text);
  BOOST_REQUIRE(json.size() == 3u);
  BOOST_TEST(json[0]["path"] == "a.jpg");
  BOOST_TEST(json[0]["top"][1]["class"] == "dog, \"wild\"");
  BOOST_TEST(json[0]["top"][1]["class_idx"] == 3);
  BOOST_TEST(json[0]["top"][1]["probability"] == 0.125);
  BOOST_TEST(!json[0].contains("error"));
  BOOST_TEST(json[1]["error"] == kAnswers[1].fault);
  BOOST_TEST(json[1]["top"].empty());
}

BOOST_AUTO_TEST_CASE(nothing_is_a_whole_output_too) {
  BOOST_TEST(text_of(PredictionFormat::kText, {}) == "");
  BOOST_TEST(text_of(PredictionFormat::kCsv, {}) ==
             "path,rank,class,class_idx,probability,error\n");
  BOOST_TEST(nlohmann::json::parse(text_of(PredictionFormat::kJson, {})).empty());
}

BOOST_AUTO_TEST_CASE(names_that_are_no_text_harm_neither_terminal_nor_json) {
  const std::vector<PictureAnswer> bad = {{.path = "\x1B[2J\xFF.jpg", .top = {{"a\nb", 0, 1}}}};
  BOOST_TEST(text_of(PredictionFormat::kText, bad) == "\\x1b[2J\\xff.jpg: a\\x0ab 100.0 %\n");
  const nlohmann::json json = nlohmann::json::parse(text_of(PredictionFormat::kJson, bad));
  BOOST_TEST(json[0]["path"] == "\x1B[2J\xEF\xBF\xBD.jpg");  // U+FFFD
  BOOST_TEST(json[0]["top"][0]["class"] == "a\nb");
}

// U+FFFD stands in both.
BOOST_AUTO_TEST_CASE(paths_that_are_no_text_are_told_apart_in_json) {
  const std::vector<PictureAnswer> both = {{.path = "a\xFE.jpg"}, {.path = "a\xFF.jpg"}};
  const nlohmann::json json = nlohmann::json::parse(text_of(PredictionFormat::kJson, both));
  BOOST_TEST(json[0]["path"] == json[1]["path"]);
  BOOST_TEST(json[0]["path_hex"] == "61fe2e6a7067");
  BOOST_TEST(json[1]["path_hex"] == "61ff2e6a7067");
  const nlohmann::json text = nlohmann::json::parse(text_of(PredictionFormat::kJson, kAnswers));
  BOOST_TEST(!text[0].contains("path_hex"));
}

BOOST_AUTO_TEST_CASE(an_unknown_format_is_refused) {
  BOOST_TEST((prediction_format("csv") == PredictionFormat::kCsv));
  BOOST_CHECK_THROW(prediction_format("CSV"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
