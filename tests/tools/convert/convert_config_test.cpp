#include "tools/convert/convert_config.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

void check_refused(const ConvertConfig& config, const std::string& message) {
  BOOST_CHECK_EXCEPTION(config.validate(), Error, [&](const Error& error) {
    BOOST_TEST(error.what() == message);
    BOOST_TEST(!error.hint().empty());
    return error.code() == ErrorCode::kInvalidArgument;
  });
}

const ArrayFiles kArrays{.images = "x.npy", .labels = "y.npy"};

BOOST_AUTO_TEST_SUITE(convert_config)

BOOST_AUTO_TEST_CASE(what_other_sources_are_asked_is_refused_of_arrays) {
  const std::string expected = "convert: arrays: expected nothing that is asked of other sources";
  check_refused({.layout = {.choice = LayoutChoice::kFlat}, .arrays = {kArrays}},
                expected + ", found --layout");
  check_refused({.layout = {.class_depth = 2}, .arrays = {kArrays}},
                expected + ", found --class-depth");
  check_refused({.table = {.split_column = "set"}, .arrays = {kArrays}},
                expected + ", found the name of a column");
  check_refused({.label = CifarLabel::kFine, .arrays = {kArrays}}, expected + ", found --label");
  const std::string choice = expected + ", found --classes, --fraction or --split-anew";
  check_refused({.arrays = {kArrays}, .classes = {"cat"}}, choice);
  check_refused({.arrays = {kArrays}, .fraction = 0.5}, choice);
  check_refused({.arrays = {kArrays}, .dataset_splits = DatasetSplits::kDrawnAnew}, choice);
  ConvertConfig{.arrays = {kArrays}, .channel_axis = ChannelAxis::kFirst}.validate();
}

BOOST_AUTO_TEST_CASE(what_other_sources_are_asked_is_refused_beside_a_table_of_labels) {
  const std::string expected =
      "convert: labels: expected nothing that is asked of other sources than a table, found ";
  check_refused({.source = "a", .layout = {.class_depth = 2}, .labels = "l.csv"},
                expected + "--layout or --class-depth of folders");
  check_refused({.source = "a", .labels = "l.csv", .label = CifarLabel::kCoarse},
                expected + "--label");
  check_refused({.source = "a", .labels = "l.csv", .channel_axis = ChannelAxis::kLast},
                expected + "--channels-first or --channels-last");
  check_refused({.source = "a", .labels = "l.csv", .fraction = 0.5},
                expected + "--classes, --fraction or --split-anew");
  ConvertConfig{.source = "a",
                .layout = {.choice = LayoutChoice::kFlat},
                .labels = "l.csv",
                .table = {.path_column = "file"}}
      .validate();
  // The depth of a dataset that is added to is nobody's wish.
  ConvertConfig{
      .source = "a", .layout = {.class_depth = 2, .inherits_depth = true}, .labels = "l.csv"}
      .validate();
}

BOOST_AUTO_TEST_CASE(classes_fractions_and_splits_that_make_no_sense_are_refused) {
  check_refused({.source = "a", .classes = {"cat", ""}},
                "convert: classes: expected names, found an empty one");
  check_refused({.source = "a", .classes = {"cat", "dog", "cat"}},
                "convert: classes: expected each name once, found 'cat' twice");
  check_refused({.source = "a", .fraction = 0.0},
                "convert: fraction: expected above 0 to below 1, found 0");
  check_refused({.source = "a", .split = {.validation_fraction = 0.5, .test_fraction = 0.5}},
                "splits: validation_split and test_split: expected a sum from 0 to below 1, found "
                "0.500000 and 0.500000");
  check_refused(
      {.source = "a", .split = {.validation_fraction = 0.0, .draw = SplitDraw::kStratified}},
      "convert: stratify: expected a split to draw, found a validation_split of 0 and no "
      "test_split");
  ConvertConfig{.source = "a", .split = {.draw = SplitDraw::kStratified}}.validate();
  ConvertConfig{
      .source = "a",
      .split = {.validation_fraction = 0.0, .test_fraction = 0.1, .draw = SplitDraw::kStratified}}
      .validate();
}

BOOST_AUTO_TEST_CASE(a_background_that_nothing_lies_on_is_refused) {
  ConvertConfig config{.source = "a", .background = {.red = 0, .green = 0, .blue = 0}};
  config.validate();
  config.policies.set("transparency=quarantine");
  check_refused(config,
                "convert: background: expected --on transparency=fix beside it, found quarantine");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
