#include "tools/convert/source/picture_axes.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tests/contains.h"

namespace penstock::convert {
namespace {

using tests::contains;
using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(picture_axes)

BOOST_AUTO_TEST_CASE(sizes_tell_the_axis_of_the_channels_or_a_flag_does) {
  const auto axes = [](std::vector<std::uint64_t> shape, ChannelAxis axis = ChannelAxis::kBySize) {
    return picture_axes_of({.shape = std::move(shape)}, axis, "x.npy");
  };
  const auto refusal = [&](std::vector<std::uint64_t> shape,
                           ChannelAxis axis = ChannelAxis::kBySize) {
    try {
      axes(std::move(shape), axis);
    } catch (const Error& error) {
      return std::string(error.what()) + " | " + error.hint();
    }
    return "no error"s;
  };
  BOOST_TEST((axes({9, 32, 48, 3}).order == PixelOrder::kInterleaved));
  BOOST_TEST(axes({9, 32, 48, 3}).shape.width_px == 48u);
  BOOST_TEST((axes({9, 3, 32, 48}).order == PixelOrder::kPlanar));
  BOOST_TEST(axes({9, 3, 32, 48}).shape.height_px == 32u);
  BOOST_TEST(axes({9, 1, 32, 48}).shape.channels == 1u);
  BOOST_TEST(axes({9, 3, 5, 3}, ChannelAxis::kFirst).shape.height_px == 5u);
  BOOST_TEST(axes({9, 3, 5, 3}, ChannelAxis::kLast).shape.height_px == 3u);
  BOOST_TEST(contains(refusal({9, 3, 5, 3}), "| --channels-first or --channels-last"));
  BOOST_TEST(contains(refusal({9, 32, 48, 4}), "expected 1 or 3 channels"));
  BOOST_TEST(contains(refusal({9, 32, 48, 3}, ChannelAxis::kFirst), "as the second side"));
  BOOST_TEST(contains(refusal({0, 5, 5}), "expected at least one picture, found [0, 5, 5]"));
  BOOST_TEST(contains(refusal({9, 784}), "expected [n, height, width]"));
  BOOST_TEST(contains(refusal({9, 0, 5}), "sides from 1 to 65535 px"));
  BOOST_TEST(contains(refusal({9, 65536, 5}), "sides from 1 to 65535 px"));
  BOOST_TEST(contains(refusal({9, 65535, 65535}), "at most 1 GiB"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
