#include "train/loss/loss_spec.h"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <string>
#include <vector>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

/// Message and hint of the refusal of `spec` for a network of 3 outputs.
std::string refusal(const LossSpec& spec) {
  try {
    spec.validate_for(3);
  } catch (const Error& error) {
    return std::string(error.what()) + (error.hint().empty() ? "" : " | " + error.hint());
  }
  return "accepted";
}

BOOST_AUTO_TEST_SUITE(loss_spec)

BOOST_AUTO_TEST_CASE(every_loss_is_read_by_the_name_that_it_has) {
  const std::vector<std::string_view> names = {"cross_entropy",        "focal",
                                               "binary_cross_entropy", "binary_focal",
                                               "mean_squared_error",   "mean_absolute_error"};
  const auto known = loss_names();
  BOOST_TEST(std::vector(known.begin(), known.end()) == names, boost::test_tools::per_element());
  for (const std::string_view name : names) {
    BOOST_TEST(loss_name(parse_loss(name)) == name);
  }
  BOOST_TEST((parse_loss("binary_focal") == LossKind::kBinaryFocal));
}

BOOST_AUTO_TEST_CASE(an_unknown_loss_is_refused_with_the_nearest_name) {
  BOOST_CHECK_EXCEPTION(parse_loss("crossentropy"), Error, [](const Error& error) {
    return std::string(error.what()) == "loss: expected the name of a loss, found 'crossentropy'" &&
           error.hint() == "did you mean 'cross_entropy'?";
  });
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(refusal({.label_smoothing = 1}) ==
             "loss: label_smoothing: expected 0 to below 1, found 1 | label_smoothing = 0.1");
  BOOST_TEST(refusal({.label_smoothing = nan}) ==
             "loss: label_smoothing: expected 0 to below 1, found nan | label_smoothing = 0.1");
  BOOST_TEST(refusal({.kind = LossKind::kSoftmaxFocal, .focal_gamma = -1}) ==
             "loss: focal_gamma: expected a finite number, 0 or more, found -1 | focal_gamma = 2");
  BOOST_TEST(refusal({.kind = LossKind::kBinaryFocal, .focal_alpha = {1.5f}}) ==
             "loss: focal_alpha: expected 0 to 1, found 1.5 | focal_alpha = 0.25");
  BOOST_TEST(refusal({.class_weights = {1, -1, 1}}) ==
             "loss: class_weights: expected finite numbers, 0 or more, found -1 | class_weights = "
             "\"balanced\"");
  BOOST_TEST(
      refusal({.class_weights = {0, 0, 0}}) ==
      "loss: class_weights: expected one above 0 at least, found only zeros | class_weights = "
      "\"balanced\"");
  BOOST_TEST(refusal({.kind = LossKind::kBinaryCrossEntropy, .positive_weights = {0.0f}}) ==
             "loss: positive_weights: expected finite numbers above 0, found 0 | positive_weights "
             "= [3.0]");
}

BOOST_AUTO_TEST_CASE(lists_must_have_one_value_for_each_output) {
  BOOST_TEST(
      refusal({.class_weights = {1, 2}}) ==
      "loss: class_weights: expected 3 values, one for each output, found 2 | class_weights = "
      "\"balanced\"");
  BOOST_TEST(
      refusal({.class_weights = {1}}) ==
      "loss: class_weights: expected 3 values, one for each output, found 1 | class_weights = "
      "\"balanced\"");
  BOOST_TEST(refusal({.kind = LossKind::kSoftmaxFocal, .focal_alpha = {1, 0.5f}}) ==
             "loss: focal_alpha: expected one value or 3 values, one for each output, found 2 | "
             "focal_alpha = 0.25");
  BOOST_TEST(refusal({.kind = LossKind::kSoftmaxFocal, .focal_alpha = {0.5f}}) == "accepted");
  BOOST_TEST(refusal({.kind = LossKind::kSoftmaxFocal, .class_weights = {1, 2, 0}}) == "accepted");
}

BOOST_AUTO_TEST_CASE(a_setting_that_the_loss_has_no_use_for_is_refused) {
  BOOST_TEST(refusal({.kind = LossKind::kMeanSquaredError, .label_smoothing = 0.1}) ==
             "loss: label_smoothing: expected with losses of classes and labels only, found with "
             "mean_squared_error | leave label_smoothing out");
  BOOST_TEST(refusal({.focal_alpha = {0.25f}}) ==
             "loss: focal_alpha: expected with focal and binary_focal only, found with "
             "cross_entropy | leave focal_alpha out");
  BOOST_TEST(refusal({.kind = LossKind::kBinaryCrossEntropy, .class_weights = {1, 1, 1}}) ==
             "loss: class_weights: expected with cross_entropy and focal only, found with "
             "binary_cross_entropy | leave class_weights out");
  BOOST_TEST(refusal({.positive_weights = {2.0f}}) ==
             "loss: positive_weights: expected with binary_cross_entropy only, found with "
             "cross_entropy | leave positive_weights out");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
