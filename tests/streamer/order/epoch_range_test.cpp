#include "streamer/order/epoch_range.h"

#include <boost/test/unit_test.hpp>
#include <vector>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(epoch_range)

BOOST_AUTO_TEST_CASE(the_last_batch_is_short_or_left_out) {
  // 3,068 = 95 * 32 + 28.
  EpochShape shape{.num_positions = 3068, .batch = 32};
  BOOST_TEST(num_batches(shape) == 96u);
  BOOST_TEST(batch_range(shape, 95).begin == 3040u);
  BOOST_TEST(batch_range(shape, 95).size() == 28u);
  shape.drop_remainder = true;
  BOOST_TEST(num_batches(shape) == 95u);
}

BOOST_AUTO_TEST_CASE(ranks_together_see_each_position_once_wherever_the_epoch_starts) {
  for (std::uint32_t world = 1; world <= 5; ++world) {
    for (const std::uint64_t first : {0u, 7u, 30u}) {
      BOOST_TEST_INFO("world " << world << ", first position " << first);
      std::vector<int> seen(50, 0);
      for (std::uint32_t rank = 0; rank < world; ++rank) {
        const EpochShape shape{.num_positions = 50,
                               .first_position = first,
                               .batch = 4,
                               .rank = {.index = rank, .world = world}};
        BOOST_TEST(
            num_batches(shape) ==
            num_batches(
                {.num_positions = 50, .first_position = first, .batch = 4, .rank = {0, world}}));
        for (std::uint64_t b = 0; b < num_batches(shape); ++b) {
          const PositionRange range = batch_range(shape, b);
          for (std::uint64_t p = range.begin; p < range.end; ++p) ++seen[p];
        }
      }
      for (std::uint64_t p = 0; p < 50; ++p) BOOST_REQUIRE(seen[p] == (p < first ? 0 : 1));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_rank_without_samples_in_the_short_batch_has_an_empty_range) {
  const EpochShape shape{.num_positions = 9, .batch = 4, .rank = {.index = 1, .world = 2}};
  BOOST_TEST(num_batches(shape) == 2u);
  BOOST_TEST(batch_range(shape, 1).size() == 0u);
  BOOST_TEST(position_after(shape, 0) == 8u);
  BOOST_TEST(position_after(shape, 1) == 9u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
