#include "train/optim/lr_finder_plot.h"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <sstream>
#include <vector>

namespace penstock::train {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// A loss that falls from 15 to 0 in the first sixteen steps and stays, at rates 1e-4, 1e-3, ...
std::vector<LrFinderPoint> falling_points(std::size_t num) {
  std::vector<LrFinderPoint> points;
  double rate = 1e-4;
  for (std::size_t i = 0; i < num; ++i, rate *= 10) {
    const double loss = i < 16 ? 15.0 - static_cast<double>(i) : 0.0;
    points.push_back({rate, loss, loss});
  }
  return points;
}

BOOST_AUTO_TEST_SUITE(lr_finder_plot)

BOOST_AUTO_TEST_CASE(every_line_fits_80_columns_of_ascii) {
  for (const std::size_t num : {2u, 3u, 16u, 68u, 500u}) {
    const auto lines = lines_of(train::lr_finder_plot(falling_points(num), 1));
    BOOST_TEST(lines.size() == 19u);
    for (const std::string& line : lines) {
      BOOST_TEST(line.size() <= 80u);
      for (const char c : line) BOOST_TEST((c >= ' ' && c <= '~'));
    }
  }
}

// 68 points stand one in a column, 16 losses one in a row; columns begin behind twelve of labels.
BOOST_AUTO_TEST_CASE(points_stand_where_their_rate_and_loss_put_them) {
  const auto lines = lines_of(train::lr_finder_plot(falling_points(68), 3));
  BOOST_TEST(lines[0] == "smoothed loss by learning rate");
  BOOST_TEST(lines[1] == "        15 |*");
  BOOST_TEST(lines[2] == "           | *");
  BOOST_TEST(lines[4] == "           |   o");
  BOOST_TEST(lines[5] == "           |   .*");
  BOOST_TEST(lines[6] == "        10 |   . *");
  BOOST_TEST(lines[16] == "         0 |   .           " + std::string(53, '*'));
  BOOST_TEST(lines[17] == "           +" + std::string(68, '-'));
}

BOOST_AUTO_TEST_CASE(the_axis_names_the_first_the_middle_and_the_last_rate) {
  const auto lines = lines_of(train::lr_finder_plot(falling_points(5), std::nullopt));
  BOOST_TEST(lines[18] == "            1.0e-04" + std::string(24, ' ') + "1.0e-02" +
                              std::string(23, ' ') + "1.0e+00");
}

BOOST_AUTO_TEST_CASE(without_a_suggestion_nothing_is_marked) {
  const std::string plot = train::lr_finder_plot(falling_points(68), std::nullopt);
  BOOST_TEST(plot.substr(plot.find('\n')).find('o') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_loss_that_stands_is_a_line) {
  const std::vector<LrFinderPoint> points(68, {.learning_rate = 1, .loss = 2, .smoothed_loss = 2});
  BOOST_TEST(lines_of(train::lr_finder_plot(points, std::nullopt))[9] ==
             "           |" + std::string(68, '*'));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_drawn_is_an_empty_text) {
  BOOST_TEST(train::lr_finder_plot({}, std::nullopt).empty());
  BOOST_TEST(train::lr_finder_plot(falling_points(1), std::nullopt).empty());
  auto points = falling_points(4);
  points[2].smoothed_loss = std::numeric_limits<double>::infinity();
  BOOST_TEST(train::lr_finder_plot(points, std::nullopt).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
