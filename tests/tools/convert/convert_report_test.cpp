#include "tools/convert/convert_report.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/contains.h"

namespace penstock::convert {
namespace {

using tests::contains;

// Ten pictures: six as JPEG, three as bare pixels, one as PNG; seven of them changed.
ConvertSummary encoded_on_request() {
  ConvertSummary summary;
  summary.manifest.num_reencoded = 10;
  summary.counted.num_reencoded_by_codec = {6, 3, 1};
  summary.counted.num_lossy = 7;
  summary.manifest.conversion = EncodeSettings{.quality = 80}.names_and_values();
  return summary;
}

BOOST_AUTO_TEST_SUITE(convert_report)

BOOST_AUTO_TEST_CASE(what_was_encoded_is_told_by_codec_with_how_many_lost_something) {
  const ConvertSummary summary = encoded_on_request();
  const std::string text = summary_text(summary, "a.ds");
  BOOST_TEST(contains(text,
                      "\n  re-encoded    10 pictures: 6 as JPEG of quality 80, 3 as bare pixels, 1 "
                      "as PNG\n"
                      "  lossy         7 pictures with other pixels than in the file; 3 re-encoded "
                      "without loss"),
             text);
  const auto json = nlohmann::json::parse(summary_json(summary));
  BOOST_TEST(json["num_reencoded"] == 10);
  BOOST_TEST(
      (json["num_reencoded_by_codec"] == nlohmann::json{{"jpeg", 6}, {"raw", 3}, {"png", 1}}));
  BOOST_TEST(json["num_lossy"] == 7);
}

BOOST_AUTO_TEST_CASE(loss_is_told_where_nothing_was_asked_for_too) {
  ConvertSummary summary;
  summary.manifest.num_reencoded = 1;
  summary.counted.num_reencoded_by_codec = {1, 0, 0};
  summary.counted.num_lossy = 1;
  const std::string text = summary_text(summary, "a.ds");
  BOOST_TEST(contains(text,
                      "\n  re-encoded    1 picture that could not stay as it was, as JPEG of "
                      "quality 95\n  lossy         1 picture with other pixels than in the file"),
             text);
}

BOOST_AUTO_TEST_CASE(one_codec_without_loss) {
  ConvertSummary summary = encoded_on_request();
  summary.counted.num_reencoded_by_codec = {0, 0, 10};
  summary.counted.num_lossy = 0;
  const std::string text = summary_text(summary, "a.ds");
  BOOST_TEST(contains(text,
                      "\n  re-encoded    10 pictures, as PNG\n"
                      "  lossy         none with other pixels than in the file; 10 re-encoded "
                      "without loss"),
             text);
}

BOOST_AUTO_TEST_CASE(bytes_are_told_where_some_were_saved_and_outside_files_with_how_to_list_them) {
  ConvertSummary summary;
  summary.manifest.sample_bytes = SampleBytes{.source_bytes = 1000, .stored_bytes = 1000};
  summary.num_outside = 2;
  const std::string text = summary_text(summary, "a.ds");
  BOOST_TEST(!contains(text, "saved"), text);
  BOOST_TEST(
      contains(text,
               "\n  left out      2 outside of class folders (--on outside_classes=quarantine "
               "lists them)"),
      text);
  summary.manifest.sample_bytes->stored_bytes = 900;
  BOOST_TEST(contains(summary_text(summary, "a.ds"), "100 B of 1000 B saved (10 %)"));
}

BOOST_AUTO_TEST_CASE(the_size_that_a_dataset_is_from_is_that_of_the_files_in_it) {
  ConvertSummary summary;
  summary.source_bytes = 3ull << 30;
  summary.manifest.sample_bytes = SampleBytes{.source_bytes = 2000, .stored_bytes = 2000};
  BOOST_TEST(contains(summary_text(summary, "a.ds"), "(from 2.0 KiB)"),
             summary_text(summary, "a.ds"));
}

BOOST_AUTO_TEST_CASE(one_of_a_kind_is_left_out_in_the_singular) {
  BOOST_TEST(left_out_text({.num_symlinks = 1, .num_special = 1}, 0, 0) ==
             "1 symbolic link, 1 special file");
  BOOST_TEST(left_out_text({.num_hidden = 2, .num_symlinks = 2}, 0, 3) ==
             "3 text, 2 hidden, 2 symbolic links");
  BOOST_TEST(left_out_text({}, 0, 0) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
