#include "train/plan/batch_parts.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

namespace penstock::train {
namespace {

std::string sizes_of(std::uint32_t num_samples, std::uint32_t most_samples) {
  const BatchParts parts(num_samples, most_samples);
  std::string text;
  for (std::uint32_t i = 0; i < parts.size(); ++i) {
    text += (i == 0 ? "" : " ") + std::to_string(parts[i].num_samples);
  }
  return text;
}

BOOST_AUTO_TEST_SUITE(batch_parts)

// By hand.
BOOST_AUTO_TEST_CASE(a_batch_falls_into_the_fewest_parts_of_nearly_one_size) {
  BOOST_TEST(sizes_of(32, 32) == "32");
  BOOST_TEST(sizes_of(32, 40) == "32");
  BOOST_TEST(sizes_of(32, 16) == "16 16");
  BOOST_TEST(sizes_of(32, 11) == "10 11 11");
  BOOST_TEST(sizes_of(33, 32) == "16 17");
  BOOST_TEST(sizes_of(5, 1) == "1 1 1 1 1");
  BOOST_TEST(sizes_of(0, 4) == "");
}

BOOST_AUTO_TEST_CASE(every_sample_is_in_one_part_and_no_part_is_too_large) {
  for (const std::uint32_t num_samples : {1u, 7u, 64u, 1000u, UINT32_MAX}) {
    for (const std::uint32_t most : {1u, 3u, 31u, 65'536u, UINT32_MAX}) {
      const BatchParts parts(num_samples, most);
      const std::uint32_t looked_at = std::min(parts.size(), 10'000u);
      std::uint32_t next = 0;
      for (std::uint32_t i = 0; i < looked_at; ++i) {
        BOOST_REQUIRE(parts[i].first_sample == next);
        BOOST_REQUIRE((parts[i].num_samples >= 1 && parts[i].num_samples <= most));
        next += parts[i].num_samples;
      }
      const BatchPart last = parts[parts.size() - 1];
      BOOST_TEST(last.first_sample + last.num_samples == num_samples);
      if (looked_at == parts.size()) BOOST_TEST(next == num_samples);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
