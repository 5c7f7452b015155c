#include "train/run/settings/channel_statistics.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "train/run/settings/run_file.h"

namespace penstock::train {
namespace {

using Numbers = std::vector<double>;

Manifest colourful() {
  Manifest manifest;
  manifest.mean = {0.5, 0.25, 0.125};
  manifest.std = {0.2, 0.1, 0.3};
  return manifest;
}

RunConfig resolved(const std::string& text, const Manifest& manifest) {
  RunConfig config = parse_run_file(text, "run.toml");
  resolve_statistics(config, manifest);
  return config;
}

/// Message and hint, or "accepted".
std::string refusal(const std::string& text, const Manifest& manifest = colourful()) {
  try {
    resolved(text, manifest);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

BOOST_AUTO_TEST_SUITE(channel_statistics)

BOOST_AUTO_TEST_CASE(the_datasets_are_taken_when_left_out_or_asked_for_by_name) {
  for (const char* text : {"", "mean = \"dataset\"\nstd = \"dataset\"", "mean = \"dataset\""}) {
    const RunConfig config = resolved(text, colourful());
    BOOST_TEST((config.mean == Numbers{0.5, 0.25, 0.125}));
    BOOST_TEST((config.std == Numbers{0.2, 0.1, 0.3}));
  }
  RunConfig by_flag = parse_run_file("mean = [1, 2, 3]", "run.toml");
  set_run_value(by_flag, "mean", "dataset", "--mean");
  BOOST_TEST(by_flag.mean.empty());
}

BOOST_AUTO_TEST_CASE(one_may_be_given_and_the_other_left_to_the_dataset) {
  const RunConfig config = resolved("mean = [0.1, 0.2, 0.3]", colourful());
  BOOST_TEST((config.mean == Numbers{0.1, 0.2, 0.3}));
  BOOST_TEST((config.std == Numbers{0.2, 0.1, 0.3}));
}

BOOST_AUTO_TEST_CASE(a_dataset_without_statistics_leaves_pixels_as_they_are) {
  const RunConfig rgb = resolved("", {});
  BOOST_TEST((rgb.mean == Numbers{0, 0, 0}));
  BOOST_TEST((rgb.std == Numbers{1, 1, 1}));
  const RunConfig gray = resolved("color_mode = \"grayscale\"", {});
  BOOST_TEST((gray.mean == Numbers{0}));
  BOOST_TEST((gray.std == Numbers{1}));
}

BOOST_AUTO_TEST_CASE(gray_takes_what_conversion_measured_of_gray) {
  Manifest manifest = colourful();
  manifest.gray = {.mean = 0.4, .std = 0.15};
  const RunConfig config = resolved("color_mode = \"grayscale\"", manifest);
  BOOST_TEST((config.mean == Numbers{0.4}));
  BOOST_TEST((config.std == Numbers{0.15}));
}

// Before conversion measured gray, a gray picture already counted as three equal channels.
BOOST_AUTO_TEST_CASE(a_dataset_of_gray_pictures_has_gray_statistics_without_it) {
  Manifest manifest;
  manifest.mean = {0.5, 0.5, 0.5};
  manifest.std = {0.2, 0.2, 0.2};
  const RunConfig config = resolved("color_mode = \"grayscale\"", manifest);
  BOOST_TEST((config.mean == Numbers{0.5}));
  BOOST_TEST((config.std == Numbers{0.2}));
}

// Red and green of (0, 1) and (1, 0) have the deviations of (0, 0) and (1, 1), and gray other ones.
BOOST_AUTO_TEST_CASE(gray_statistics_that_are_not_known_are_refused_with_what_to_do) {
  const std::string gray = "color_mode = \"grayscale\"\n";
  BOOST_TEST(refusal(gray) ==
             "run: mean and std: expected the dataset's gray statistics, found none | convert the "
             "dataset again, which measures them; or give both: mean = [0.45], std = [0.25]");
  BOOST_TEST(refusal(gray + "mean = [0.45]\nstd = [0.25]") == "accepted");
}

// (p r - m) / s = (p / 255 - m / (255 r)) / (s / (255 r)); r = 1: pixels as they are stored.
BOOST_AUTO_TEST_CASE(statistics_in_other_units_become_those_of_pixels_divided_by_255) {
  const RunConfig config =
      resolved("mean = [51, 102, 153]\nstd = [255, 25.5, 51]\n[augment]\nrescale = 1", colourful());
  const Numbers mean = {0.2, 0.4, 0.6};
  const Numbers std = {1, 0.1, 0.2};
  for (std::size_t c = 0; c < 3; ++c) {
    BOOST_TEST(config.mean[c] == mean[c], boost::test_tools::tolerance(1e-15));
    BOOST_TEST(config.std[c] == std[c], boost::test_tools::tolerance(1e-15));
  }
  BOOST_TEST(config.augment.rescale == 1.0 / 255);
  // The dataset's are the same pixels whatever the unit.
  BOOST_TEST((resolved("[augment]\nrescale = 1", colourful()).mean == Numbers{0.5, 0.25, 0.125}));
}

BOOST_AUTO_TEST_CASE(a_wrong_number_of_channels_is_refused_with_the_run_file) {
  BOOST_TEST(refusal("mean = [0.5]\nstd = [0.5]") ==
             "run: run.toml: mean: expected three numbers with color_mode = \"rgb\", found 1 | "
             "mean = \"dataset\"");
  BOOST_TEST(refusal("std = [0.5, 0.5, 0.5, 0.5]") ==
             "run: run.toml: std: expected three numbers with color_mode = \"rgb\", found 4 | "
             "std = \"dataset\"");
  BOOST_TEST(refusal("color_mode = \"grayscale\"\nmean = [0.5, 0.5, 0.5]") ==
             "run: run.toml: mean: expected one number with color_mode = \"grayscale\", found 3 | "
             "mean = \"dataset\"");
}

BOOST_AUTO_TEST_CASE(values_out_of_range_are_refused_with_their_channel) {
  BOOST_TEST(refusal("std = [0.5, 0, 0.5]") ==
             "run: run.toml: std[1]: expected 1e-6 to 1e9, found 0 | std = \"dataset\"");
  BOOST_TEST(refusal("mean = [0.5, 0.5, nan]") ==
             "run: run.toml: mean[2]: expected -1e9 to 1e9, found nan | mean = \"dataset\"");
  BOOST_TEST(refusal("std = [inf, 1, 1]") ==
             "run: run.toml: std[0]: expected 1e-6 to 1e9, found inf | std = \"dataset\"");
  // In the units of augment.rescale.
  BOOST_TEST(refusal("std = [1e-4, 1, 1]\n[augment]\nrescale = 1") ==
             "run: run.toml: std[0]: expected 1e-6 to 1e9 times 255 times augment.rescale, found "
             "1e-04 | std = \"dataset\"");
  BOOST_TEST(refusal("mean = \"imagenet\"") ==
             "run: run.toml: mean: expected numbers, one for each channel, or \"dataset\", found "
             "the text \"imagenet\" | mean = \"dataset\"");
  BOOST_TEST(refusal("[augment]\nrescale = 0") ==
             "run: run.toml: augment: rescale: expected 1e-9 to 1e9, found 0 | rescale = "
             "0.00392156862745098");
}

BOOST_AUTO_TEST_CASE(an_unknown_colour_mode_is_refused_with_the_nearest) {
  BOOST_TEST(refusal("color_mode = \"greyscale\"") ==
             "run: run.toml: color_mode: expected rgb or grayscale, found \"greyscale\" | did you "
             "mean 'grayscale'?");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
