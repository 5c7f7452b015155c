// By hand: a line of five pixels that shows a source row of four.
#include "augment/warp/pick_table.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <vector>

namespace penstock::augment {
namespace {

BOOST_AUTO_TEST_SUITE(pick_table)

struct Line {
  std::vector<std::int32_t> left = {0, 0, 1, 2, 3};
  std::vector<std::int32_t> right = {1, 1, 2, 3, 3};
  std::vector<float> weight = {0.5f, 0.25f, 0.75f, 0.125f, 0};
  alignas(64) std::byte place[4096]{};

  PickTable table(std::uint32_t begin, std::uint32_t end, const PickShape& shape) {
    ColumnTable columns;
    columns.left = left;
    columns.right = right;
    columns.weight = weight;
    columns.num_px = 4;
    columns.begin = begin;
    columns.end = end;
    BOOST_REQUIRE(pick_table_bytes(5) <= sizeof place);
    return make_pick_table(columns, shape, place);
  }
};

void check_lanes(const std::int32_t* found, const std::vector<std::int32_t>& expected) {
  BOOST_TEST(std::vector<std::int32_t>(found, found + expected.size()) == expected,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_last_vector_ends_with_the_line) {
  Line line;
  const PickTable table = line.table(0, 5, {.lanes = 2});
  BOOST_REQUIRE(table.vectors.size() == 3u);
  BOOST_TEST(table.vectors[0].at == 0u);
  BOOST_TEST(table.vectors[1].at == 2u);
  BOOST_TEST(table.vectors[2].at == 3u);
  // Bases are multiples of the two lanes, and indices count from them.
  BOOST_TEST(table.vectors[0].base == 0);
  BOOST_TEST(table.vectors[1].base == 0);
  BOOST_TEST(table.vectors[2].base == 2);
  check_lanes(table.left, {0, 0, 1, 2, 0, 1});
  check_lanes(table.right, {1, 1, 2, 3, 1, 1});
  BOOST_TEST(table.weight[4] == 0.125f);
  BOOST_TEST(table.vectors[0].num_vectors == 1u);
  BOOST_TEST(table.vectors[1].num_vectors == 2u);
  BOOST_TEST(table.vectors[2].num_vectors == 1u);
}

BOOST_AUTO_TEST_CASE(interleaved_channels_are_floats_side_by_side) {
  Line line;
  const PickTable table = line.table(1, 3, {.lanes = 4, .out_channels = 3, .row_channels = 3});
  BOOST_REQUIRE(table.vectors.size() == 2u);
  BOOST_TEST(table.vectors[0].at == 3u);
  BOOST_TEST(table.vectors[1].at == 5u);
  // Floats 3 to 6 are R G B of pixel 1 and R of pixel 2; 5 to 8 are B of pixel 1 and pixel 2.
  check_lanes(table.left, {0, 1, 2, 3, 2, 3, 4, 5});
  check_lanes(table.right, {3, 4, 5, 6, 5, 6, 7, 8});
  BOOST_TEST(table.weight[2] == 0.25f);
  BOOST_TEST(table.weight[3] == 0.75f);
  BOOST_TEST(table.vectors[0].num_vectors == 2u);
  BOOST_TEST(table.vectors[1].num_vectors == 3u);
}

BOOST_AUTO_TEST_CASE(gray_serves_for_all_channels) {
  Line line;
  const PickTable table = line.table(1, 3, {.lanes = 2, .out_channels = 3, .row_channels = 1});
  check_lanes(table.left, {0, 0, 0, 1, 1, 1});
  check_lanes(table.right, {1, 1, 1, 2, 2, 2});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
