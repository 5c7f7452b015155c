#include "tools/drawn_values.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace penstock::tools {
namespace {

BOOST_AUTO_TEST_SUITE(drawn_values)

BOOST_AUTO_TEST_CASE(phrases_name_what_can_be_drawn_and_nothing_else) {
  augment::AugmentDraws drawn;
  drawn.is_flipped = true;
  drawn.rotation_rad = 0.5235987755982988;  // 30 degrees
  drawn.shift_px = {.x = 2.25, .y = -3};
  drawn.zoom = {.x = 0.9, .y = 1.1};
  const std::vector<std::string> flip_only = {"flipped"};
  BOOST_TEST(drawn_phrases({.horizontal_flip = 0.5}, drawn) == flip_only,
             boost::test_tools::per_element());
  const std::vector<std::string> expected = {"flipped", "moved 2.2 px right", "moved 3.0 px down",
                                             "zoom 0.90 x 1.10", "30.0 deg counterclockwise"};
  BOOST_TEST(drawn_phrases({.horizontal_flip = 0.5,
                            .width_shift_range = 0.1,
                            .height_shift_range = 0.1,
                            .zoom_range = {.lo = 0.8, .hi = 1.2},
                            .rotation_range = 40},
                           drawn) == expected,
             boost::test_tools::per_element());
  drawn.channel_shift = -3.25;
  drawn.brightness = 1.25;
  drawn.contrast = 0.5;
  drawn.saturation = 0;
  drawn.hue_turns = 0.0625;
  drawn.erased = {.x = 3, .y = 4, .width = 10, .height = 20};
  const std::vector<std::string> colours = {"channels -3.2",   "brightness 1.25", "contrast 0.50",
                                            "saturation 0.00", "hue +0.062",      "erased 10 x 20",
                                            "at 3, 4"};
  BOOST_TEST(drawn_phrases({.channel_shift_range = 4,
                            .brightness_range = {.lo = 0.5, .hi = 1.5},
                            .contrast_range = {.lo = 0.5, .hi = 1.5},
                            .saturation_range = {.lo = 0, .hi = 1},
                            .hue_range = 0.1,
                            .random_erasing = 0.5},
                           {.channel_shift = drawn.channel_shift,
                            .brightness = drawn.brightness,
                            .contrast = drawn.contrast,
                            .saturation = drawn.saturation,
                            .hue_turns = drawn.hue_turns,
                            .erased = drawn.erased}) == colours,
             boost::test_tools::per_element());
  BOOST_TEST(nlohmann::ordered_json::parse(drawn_json(drawn))["rotation_deg"].get<double>() == 30,
             boost::test_tools::tolerance(1e-12));
}

// By hand: output pixel x shows x + 2.25, so the picture went left; 30 degrees bring what was right of the
// centre below it. A mirror behind them exchanges left and right and the sense of the turn, one upside
// down up and down and the sense again.
BOOST_AUTO_TEST_CASE(moves_and_turns_go_the_way_that_the_flipped_sample_shows) {
  const augment::AugmentConfig config{
      .width_shift_range = 0.1, .height_shift_range = 0.1, .rotation_range = 40};
  const auto phrases = [&](bool is_flipped, bool is_flipped_vertically, double sign) {
    return drawn_phrases(config, {.is_flipped = is_flipped,
                                  .is_flipped_vertically = is_flipped_vertically,
                                  .rotation_rad = sign * 0.5235987755982988,  // 30 degrees
                                  .shift_px = {.x = sign * 2.25, .y = sign * 3}});
  };
  using Phrases = std::vector<std::string>;
  BOOST_TEST((phrases(false, false, 1) ==
              Phrases{"moved 2.2 px left", "moved 3.0 px up", "30.0 deg clockwise"}));
  BOOST_TEST((phrases(false, false, -1) ==
              Phrases{"moved 2.2 px right", "moved 3.0 px down", "30.0 deg counterclockwise"}));
  BOOST_TEST((phrases(true, false, 1) == Phrases{"flipped", "moved 2.2 px right", "moved 3.0 px up",
                                                 "30.0 deg counterclockwise"}));
  BOOST_TEST((phrases(true, false, -1) ==
              Phrases{"flipped", "moved 2.2 px left", "moved 3.0 px down", "30.0 deg clockwise"}));
  BOOST_TEST(
      (phrases(false, true, 1) == Phrases{"upside down", "moved 2.2 px left", "moved 3.0 px down",
                                          "30.0 deg counterclockwise"}));
  BOOST_TEST((phrases(true, true, 1) == Phrases{"flipped", "upside down", "moved 2.2 px right",
                                                "moved 3.0 px down", "30.0 deg clockwise"}));
}

BOOST_AUTO_TEST_CASE(moves_that_cannot_be_drawn_or_are_none_are_not_mentioned) {
  using Phrases = std::vector<std::string>;
  const augment::AugmentDraws moved = {.shift_px = {.x = 2, .y = -3}};
  BOOST_TEST((drawn_phrases({.width_shift_range = 0.1}, moved) == Phrases{"moved 2.0 px left"}));
  BOOST_TEST((drawn_phrases({.height_shift_range = 0.1}, moved) == Phrases{"moved 3.0 px down"}));
  BOOST_TEST((drawn_phrases({.random_crop_padding = 4}, moved) ==
              Phrases{"moved 2.0 px left", "moved 3.0 px down"}));
  const augment::AugmentDraws small = {.rotation_rad = -1e-4, .shift_px = {.x = -0.04, .y = 0.06}};
  BOOST_TEST((drawn_phrases({.rotation_range = 1, .random_crop_padding = 4}, small) ==
              Phrases{"moved 0.1 px up"}));
}

BOOST_AUTO_TEST_CASE(operations_of_a_policy_are_named_with_what_they_do) {
  using augment::PolicyOperation;
  augment::AugmentDraws drawn;
  for (const augment::PolicyStep& step : {augment::PolicyStep{PolicyOperation::kShearX, -0.33},
                                          {PolicyOperation::kTranslateY, 12},
                                          {PolicyOperation::kRotate, 4.5},
                                          {PolicyOperation::kColor, 1.27},
                                          {PolicyOperation::kPosterize, 5},
                                          {PolicyOperation::kSolarize, 246.5},
                                          {PolicyOperation::kEqualize, 0}}) {
    drawn.policy.add(step);
  }
  const std::vector<std::string> expected = {
      "ShearX -0.33",     "TranslateY +12 px",   "Rotate +4.5 deg", "Color x 1.27",
      "Posterize 5 bits", "Solarize from 246.5", "Equalize"};
  BOOST_TEST(drawn_phrases({}, drawn) == expected, boost::test_tools::per_element());
  // What a program reads: the full numbers, each under a name that says its unit.
  const auto json = nlohmann::ordered_json::parse(R"([
    {"operation": "ShearX", "slope": -0.33},
    {"operation": "TranslateY", "shift_px": 12},
    {"operation": "Rotate", "angle_deg": 4.5},
    {"operation": "Color", "factor": 1.27},
    {"operation": "Posterize", "num_bits": 5},
    {"operation": "Solarize", "threshold": 246.5},
    {"operation": "Equalize"}])");
  BOOST_TEST(nlohmann::ordered_json::parse(drawn_json(drawn))["auto_augment"] == json);
  BOOST_TEST(nlohmann::ordered_json::parse(drawn_json({}))["auto_augment"] ==
             nlohmann::ordered_json::array());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
