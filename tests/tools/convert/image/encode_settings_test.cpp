#include "tools/convert/image/encode_settings.h"

#include <boost/test/unit_test.hpp>
#include <ostream>
#include <random>

#include "streamer/core/error.h"

namespace penstock::convert {

std::ostream& operator<<(std::ostream& out, const SidesPx& sides) {
  return out << sides.width_px << " x " << sides.height_px;
}

namespace {

BOOST_AUTO_TEST_SUITE(encode_settings)

BOOST_AUTO_TEST_CASE(sides_become_smaller_by_one_factor_and_never_larger) {
  const auto shorter = [](SidesPx from, std::uint64_t px) {
    return target_sides(from, {.resize_short_px = px});
  };
  const auto longer = [](SidesPx from, std::uint64_t px) {
    return target_sides(from, {.max_side_px = px});
  };
  // By hand: 533 * 256 / 400 = 341.12, 1000 * 256 / 999 = 256.26.
  BOOST_TEST(shorter({400, 533}, 256) == (SidesPx{256, 341}));
  BOOST_TEST(shorter({533, 400}, 256) == (SidesPx{341, 256}));
  BOOST_TEST(shorter({999, 1000}, 256) == (SidesPx{256, 256}));
  BOOST_TEST(shorter({256, 4000}, 256) == (SidesPx{256, 4000}));
  BOOST_TEST(shorter({255, 4000}, 256) == (SidesPx{255, 4000}));
  BOOST_TEST(longer({4000, 3000}, 1024) == (SidesPx{1024, 768}));
  BOOST_TEST(longer({1024, 3}, 1024) == (SidesPx{1024, 3}));
  BOOST_TEST(longer({20000, 3}, 64) == (SidesPx{64, 1}));
  // The longer side would be 400 px at a shorter one of 100: the stricter of the two counts.
  const EncodeSettings both{.resize_short_px = 100, .max_side_px = 300};
  BOOST_TEST(target_sides({800, 200}, both) == (SidesPx{300, 75}));
  BOOST_TEST(target_sides({250, 200}, both) == (SidesPx{125, 100}));
  BOOST_TEST(target_sides({300, 90}, both) == (SidesPx{300, 90}));
}

BOOST_AUTO_TEST_CASE(random_sides_keep_their_shape_and_their_bounds) {
  const unsigned seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::uint32_t> side(1, 65500);
  for (int i = 0; i < 2000; ++i) {
    const SidesPx from{side(random), side(random)};
    const EncodeSettings settings{.resize_short_px = side(random) / 16 + 8,
                                  .max_side_px = side(random) / 2 + 5000};
    const SidesPx to = target_sides(from, settings);
    BOOST_TEST_REQUIRE(to.width_px <= from.width_px);
    BOOST_TEST_REQUIRE(to.height_px <= from.height_px);
    BOOST_TEST_REQUIRE(std::max(to.width_px, to.height_px) <= *settings.max_side_px);
    const double x = static_cast<double>(to.width_px) / from.width_px;
    const double y = static_cast<double>(to.height_px) / from.height_px;
    // Half a pixel of rounding on either side.
    BOOST_TEST_REQUIRE(std::abs(x - y) <=
                       0.5 / from.width_px + 0.5 / from.height_px + 1e-9 +
                           (std::min(to.width_px, to.height_px) == 1 ? 1.0 : 0.0));
    const std::uint64_t max_px = std::uint64_t{side(random)} * 100;
    BOOST_TEST_REQUIRE(sides_within(from, max_px).num_px() <= std::max(max_px, from.num_px()));
    if (from.num_px() > max_px) BOOST_TEST_REQUIRE(sides_within(from, max_px).num_px() <= max_px);
  }
  BOOST_TEST(sides_within({65500, 1}, 100) == (SidesPx{100, 1}));
}

BOOST_AUTO_TEST_CASE(what_a_manifest_says_is_read_back) {
  for (const EncodeSettings& settings :
       {EncodeSettings{}, EncodeSettings{.resize_short_px = 256, .quality = 90},
        EncodeSettings{.max_side_px = 1024, .grayscale = true, .codec = CodecChoice::kAuto},
        EncodeSettings{.codec = CodecChoice::kPng}, EncodeSettings{.codec = CodecChoice::kRaw},
        EncodeSettings{.codec = CodecChoice::kJpeg}}) {
    BOOST_CHECK(encode_settings_of(settings.names_and_values()) == settings);
  }
  // Datasets that are older than these settings.
  BOOST_CHECK(encode_settings_of({{"max_pixels", "100"}}) == EncodeSettings{});
  BOOST_CHECK_THROW(encode_settings_of({{"quality", "high"}}), Error);
  BOOST_CHECK_THROW(encode_settings_of({{"codec", "gif"}}), Error);
  BOOST_CHECK_THROW(encode_settings_of({{"resize_short_px", "3"}}), Error);
}

BOOST_AUTO_TEST_CASE(what_is_out_of_range_or_contradicts_itself_is_refused_by_name) {
  const auto message = [](const EncodeSettings& settings) -> std::string {
    try {
      settings.validate();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  BOOST_TEST(message({.resize_short_px = 7}) ==
             "convert: resize_short: expected 8 to 65500, found 7");
  BOOST_TEST(message({.max_side_px = 65501}) ==
             "convert: max_side: expected 8 to 65500, found 65501");
  BOOST_TEST(message({.quality = 0}) == "convert: quality: expected 1 to 100, found 0");
  BOOST_TEST(message({.resize_short_px = 256, .max_side_px = 255}) ==
             "convert: max_side: expected at least resize_short, 256, found 255");
  BOOST_TEST(message({.quality = 90, .codec = CodecChoice::kRaw}) ==
             "convert: quality: expected a codec with one, found raw");
  BOOST_TEST(message({.resize_short_px = 256, .max_side_px = 256, .quality = 100}) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
