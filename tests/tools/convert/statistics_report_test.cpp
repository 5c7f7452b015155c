#include "tools/convert/statistics_report.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

namespace penstock::convert {
namespace {

BOOST_AUTO_TEST_SUITE(statistics_report)

BOOST_AUTO_TEST_CASE(empty_classes_are_counted_and_no_measure_of_the_rest) {
  const ClassBalance balance = class_balance({30, 0, 12, 120});
  BOOST_TEST(balance.least == 12u);
  BOOST_TEST(balance.most == 120u);
  BOOST_TEST(balance.num_empty == 1u);
  BOOST_TEST(balance.imbalance() == 10.0);
  BOOST_TEST(class_balance({0, 0}).imbalance() == 0.0);
}

BOOST_AUTO_TEST_CASE(histograms_name_their_bins) {
  BOOST_TEST(size_histogram_text({{16, 4}, {1024, 12000}}) ==
             "16 to 31 px 4, 1024 to 2047 px 12,000");
  BOOST_TEST(aspect_histogram_text({{0, 1}, {90, 2}, {333, 3}}) ==
             "0.00 to 0.30 1, 0.90 to 1.11 2, from 3.33 3");
}

BOOST_AUTO_TEST_CASE(bytes_are_saved_or_more) {
  BOOST_TEST(sample_bytes_text({.source_bytes = 4 << 20, .stored_bytes = 3 << 20}) ==
             "1.0 MiB of 4.0 MiB saved (25 %)");
  BOOST_TEST(sample_bytes_text({.source_bytes = 4 << 20, .stored_bytes = 5 << 20}) ==
             "1.0 MiB more than the 4.0 MiB of the source (25 %)");
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_null) {
  const auto json = nlohmann::json::parse(statistics_json({}));
  BOOST_TEST(json["sample_bytes"].is_null());
  BOOST_TEST(json["gray_mean"].is_null());
  Manifest manifest;
  manifest.sample_bytes = SampleBytes{.source_bytes = 3, .stored_bytes = 5};
  BOOST_TEST(nlohmann::json::parse(statistics_json(manifest))["sample_bytes"]["saved_bytes"] == -2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
