// By hand: a line of six pixels that shows a source row of four.
#include "augment/warp/byte_table.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <vector>

namespace penstock::augment {
namespace {

struct Line {
  std::vector<std::int32_t> left = {0, 1, 3, 3, 0, 3};
  std::vector<std::int32_t> right = {1, 2, 0, 3, 0, 3};
  std::vector<float> weight = {0.5f, 0.25f, 0.75f, 0.125f, 0.125f, 0};
  alignas(64) std::byte place[8192]{};
  ByteTable table;

  bool make(std::uint32_t begin, std::uint32_t end, const ByteShape& shape) {
    ColumnTable columns;
    columns.left = left;
    columns.right = right;
    columns.weight = weight;
    columns.num_px = 4;
    columns.begin = begin;
    columns.end = end;
    BOOST_REQUIRE(byte_table_bytes(6) <= sizeof place);
    return make_byte_table(columns, shape, place, table);
  }
};

/// Halves of 32 bits, in whole multiples of 2^-14.
std::int32_t weights(std::int32_t left, std::int32_t right) {
  return left | right << 16;
}

BOOST_AUTO_TEST_SUITE(byte_table)

// Behind the four pixels: the last again, then twice the first.
BOOST_AUTO_TEST_CASE(neighbours_that_are_not_side_by_side_are_found_behind_the_row) {
  Line line;
  BOOST_REQUIRE(line.make(0, 6, {.num_blocks = 1, .channels = 1}));
  BOOST_TEST(line.table.num_units == 1u);
  const std::vector<std::uint32_t> expected = {0, 1, 4, 3, 5, 3};
  const std::vector<std::uint32_t> found(line.table.places, line.table.places + 6);
  BOOST_TEST(found == expected, boost::test_tools::per_element());
  BOOST_TEST(line.table.weights[0] == weights(8192, 8192));
  BOOST_TEST(line.table.weights[2] == weights(4096, 12288));
  BOOST_TEST(line.table.weights[5] == weights(16384, 0));
  for (std::size_t i = 6; i < 16; ++i) {  // the last pixel again
    BOOST_TEST(line.table.places[i] == 3u);
    BOOST_TEST(line.table.weights[i] == weights(16384, 0));
  }
}

BOOST_AUTO_TEST_CASE(pixels_lie_as_vectors_of_three_channels_take_them) {
  Line line;
  line.left.assign(40, 0);
  line.right.assign(40, 1);
  line.weight.assign(40, 0.5f);
  line.left[1] = 1, line.right[1] = 2;    // the second vector
  line.left[16] = 2, line.right[16] = 3;  // the second block
  BOOST_REQUIRE(line.make(0, 40, {.num_blocks = 2, .channels = 3}));
  BOOST_TEST(line.table.num_units == 2u);
  BOOST_TEST(line.table.places[0] == 0u);
  BOOST_TEST(line.table.places[1] == 2u * 3);
  BOOST_TEST(line.table.places[2] == 1u * 3);
  BOOST_TEST(line.table.weights[4 * 63 + 3] == weights(8192, 8192));
}

BOOST_AUTO_TEST_CASE(pixels_lie_as_vectors_of_one_channel_take_them) {
  Line line;
  line.left.assign(32, 0);
  line.right.assign(32, 1);
  line.weight.assign(32, 0.5f);
  line.left[1] = 1, line.right[1] = 2;
  line.left[16] = 2, line.right[16] = 3;
  BOOST_REQUIRE(line.make(0, 32, {.num_blocks = 2, .channels = 1}));
  BOOST_TEST(line.table.places[1] == 1u);
  BOOST_TEST(line.table.places[4] == 2u);
}

/// Thirty-two pixels, `step` source pixels apart.
ColumnTable wide_columns(Line& line, std::int32_t step) {
  line.left.clear();
  line.right.clear();
  line.weight.assign(32, 0.5f);
  for (std::int32_t i = 0; i < 32; ++i) {
    line.left.push_back(i * step);
    line.right.push_back(i * step + 1);
  }
  ColumnTable columns;
  columns.left = line.left;
  columns.right = line.right;
  columns.weight = line.weight;
  columns.num_px = static_cast<std::uint32_t>(31 * step + 2);
  columns.end = 32;
  return columns;
}

// Neighbours of 32 pixels two apart are 64, from 0 to 63; three apart they are 95, and of 16 pixels 47.
BOOST_AUTO_TEST_CASE(a_unit_of_words_has_one_window_or_two) {
  Line line;
  WordTable table;
  BOOST_REQUIRE(make_word_table(wide_columns(line, 2), line.place, table));
  BOOST_TEST(table.num_units == 1u);
  BOOST_TEST(table.windows[0] == 0u);
  BOOST_TEST(table.windows[1] == 0u);
  BOOST_TEST(table.left[31] == 62);
  BOOST_TEST(table.weights[31] == 16384);
  BOOST_REQUIRE(make_word_table(wide_columns(line, 3), line.place, table));
  BOOST_TEST(table.windows[0] == 0u);
  BOOST_TEST(table.windows[1] == 48u);
  BOOST_TEST(table.left[16] == 0);
  BOOST_TEST(table.left[31] == 45);
  BOOST_TEST(!make_word_table(wide_columns(line, 5), line.place, table));
}

// 16 signed bits have no 2^15: the right neighbour alone is a left one.
BOOST_AUTO_TEST_CASE(the_whole_weight_of_a_word_is_that_of_the_next_pixel) {
  Line line;
  WordTable table;
  const ColumnTable columns = wide_columns(line, 1);
  line.weight[3] = 1;
  line.weight[4] = 0x1p-14f;
  BOOST_REQUIRE(make_word_table(columns, line.place, table));
  BOOST_TEST(table.left[3] == 4);
  BOOST_TEST(table.weights[3] == 0);
  BOOST_TEST(table.left[4] == 4);
  BOOST_TEST(table.weights[4] == 2);
}

BOOST_AUTO_TEST_CASE(other_neighbours_have_no_table) {
  Line line;
  line.left[1] = 2, line.right[1] = 0;
  BOOST_TEST(!line.make(0, 6, {.num_blocks = 1, .channels = 1}));
  BOOST_TEST(line.make(2, 6, {.num_blocks = 1, .channels = 1}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
