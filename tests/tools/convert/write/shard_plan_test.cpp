#include "tools/convert/write/shard_plan.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>

namespace penstock::convert {
namespace {

PictureList pictures_of_sizes(const std::vector<std::uint64_t>& sizes) {
  PictureList pictures;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    pictures.add({.name = "a/" + std::to_string(1000 + i),
                  .size_bytes = sizes[i],
                  .split = SplitKind::kTrain});
  }
  return pictures;
}

BOOST_AUTO_TEST_SUITE(shard_plan)

BOOST_AUTO_TEST_CASE(shards_stay_below_their_size_and_hold_each_file_once) {
  const PictureList pictures = pictures_of_sizes(std::vector<std::uint64_t>(100, 30));
  const auto shards = plan_shards(pictures, 0, 100);
  BOOST_REQUIRE(shards.size() == 34u);  // three of 30 fit into 100
  std::vector<std::uint32_t> seen;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    BOOST_TEST(shards[i].number == i);
    BOOST_TEST(shards[i].source_bytes <= 100u);
    seen.insert(seen.end(), shards[i].pictures.begin(), shards[i].pictures.end());
  }
  BOOST_TEST(!std::is_sorted(seen.begin(), seen.end()));  // mixed
  std::sort(seen.begin(), seen.end());
  for (std::uint32_t i = 0; i < 100; ++i) BOOST_REQUIRE(seen[i] == i);
}

BOOST_AUTO_TEST_CASE(a_file_larger_than_a_shard_has_one_to_itself) {
  const PictureList pictures = pictures_of_sizes({500, 10, 500, 10});
  for (const ShardPlan& shard : plan_shards(pictures, 0, 100)) {
    if (shard.source_bytes >= 500) BOOST_TEST(shard.pictures.size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(the_seed_changes_the_order) {
  const PictureList pictures = pictures_of_sizes(std::vector<std::uint64_t>(50, 1));
  const auto order = [&](std::uint64_t seed) {
    return plan_shards(pictures, seed, 1000).at(0).pictures;
  };
  BOOST_CHECK(order(1) == order(1));
  BOOST_CHECK(order(1) != order(2));
}

BOOST_AUTO_TEST_CASE(splits_have_their_own_shards_and_numbers) {
  PictureList pictures = pictures_of_sizes({1, 1, 1});
  pictures.set_split(1, SplitKind::kTest);
  const auto shards = plan_shards(pictures, 0, 1000);
  BOOST_REQUIRE(shards.size() == 2u);
  BOOST_TEST(shards[0].file_name() == "train-00000.h5");
  BOOST_TEST(shards[1].file_name() == "test-00000.h5");
  BOOST_TEST(shards[1].pictures.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_estimate_covers_payload_index_and_names) {
  const PictureList pictures = pictures_of_sizes({1000, 2000});
  const auto shards = plan_shards(pictures, 0, 1000000);
  BOOST_TEST(estimate_dataset_bytes(pictures, shards) > 3000u + 2 * (64 + 6));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
