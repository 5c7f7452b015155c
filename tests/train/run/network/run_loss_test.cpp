#include "train/run/network/run_loss.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/train/run/tiny_run.h"
#include "train/run/network/run_model.h"
#include "train/run/settings/idle_settings.h"
#include "train/run/settings/run_file.h"

namespace penstock::train {
namespace {

using penstock::tests::contains;
using tests::pets;
using tests::TinyRun;

constexpr std::array<std::uint64_t, 3> kCounts = {10, 30, 60};

std::string refusal_of(const std::string& text) {
  try {
    loss_of(parse_run_file(text, "run.toml"), kCounts);
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

/// Of a dense layer for two classes, `last_layers` behind it.
std::string refusal_of_end(const std::string& last_layers) {
  RunConfig config;
  config.model = "net";
  config.image_height_px = config.image_width_px = 8;
  config.model_layers =
      "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\nname = \"head\"\n"
      "units = \"num_classes\"\n" +
      last_layers;
  try {
    build_run_model(config, 3, 2);
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

BOOST_FIXTURE_TEST_SUITE(run_loss, TinyRun)

// n / (k count), compute_class_weight of scikit-learn: 100 / (3 * 10), 100 / (3 * 30), 100 / (3 * 60).
BOOST_AUTO_TEST_CASE(balanced_weights_come_from_the_counts_of_the_classes) {
  const LossSpec loss =
      loss_of(parse_run_file("class_weights = \"balanced\"\n", "run.toml"), kCounts);
  BOOST_REQUIRE(loss.class_weights.size() == 3u);
  BOOST_TEST(loss.class_weights[0] == 10.0f / 3, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(loss.class_weights[1] == 10.0f / 9, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(loss.class_weights[2] == 5.0f / 9, boost::test_tools::tolerance(1e-6f));
}

BOOST_AUTO_TEST_CASE(a_model_that_ends_in_a_softmax_or_a_bound_is_refused) {
  const std::string expected = ": expected an output of scores, which may be any numbers, found ";
  const std::string hint = " | leave it out of the last layer: the loss applies softmax";
  const std::string softmax = "[[layer]]\ntype = \"softmax\"\nname = \"end\"\n";
  BOOST_TEST(refusal_of_end(softmax) == "model: end" + expected + "softmax" + hint);
  BOOST_TEST(refusal_of_end(softmax + "[[layer]]\ntype = \"flatten\"\n") ==
             "model: end" + expected + "softmax" + hint);
  for (const std::string name :
       {"relu", "relu6", "silu", "hard_swish", "hard_sigmoid", "sigmoid", "gelu"}) {
    BOOST_TEST(refusal_of_end("activation = \"" + name + "\"\n") ==
               "model: head_" + name + expected + name + hint);
  }
  for (const std::string fair :
       {"", "activation = \"leaky_relu\"\n",
        "[[layer]]\ntype = \"relu\"\n[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n"}) {
    BOOST_TEST(refusal_of_end(fair) == "accepted");
  }
}

BOOST_AUTO_TEST_CASE(an_output_of_any_kind_suits_other_losses) {
  ModelGraph graph("net", {2, 1, 1});
  graph.set_output(graph.softmax("end", graph.flatten("flat", 0)));
  BOOST_CHECK_NO_THROW(check_output(graph, LossKind::kCustom));
  BOOST_CHECK_NO_THROW(check_output(graph, LossKind::kMeanSquaredError));
  BOOST_CHECK_EXCEPTION(check_output(graph, LossKind::kBinaryFocal), Error, [](const Error& error) {
    return error.hint() == "leave it out of the last layer: the loss applies sigmoid";
  });
}

BOOST_AUTO_TEST_CASE(settings_of_the_run_become_those_of_the_loss) {
  const LossSpec plain = loss_of({}, kCounts);
  BOOST_TEST((plain.kind == LossKind::kSoftmaxCrossEntropy));
  BOOST_TEST(plain.label_smoothing == 0.1);
  BOOST_TEST(plain.class_weights.empty());
  const LossSpec focal =
      loss_of(parse_run_file("loss = \"focal\"\nfocal_gamma = 1.5\nfocal_alpha = [0.25, 0.5, 1]\n"
                             "class_weights = [1, 0, 2.5]\nlabel_smoothing = 0\n",
                             "run.toml"),
              kCounts);
  BOOST_TEST((focal.kind == LossKind::kSoftmaxFocal));
  BOOST_TEST(focal.focal_gamma == 1.5);
  BOOST_TEST((focal.focal_alpha == std::vector<float>{0.25f, 0.5f, 1}));
  BOOST_TEST((focal.class_weights == std::vector<float>{1, 0, 2.5f}));
  BOOST_TEST(focal.label_smoothing == 0.0);
}

BOOST_AUTO_TEST_CASE(what_a_dataset_cannot_deliver_is_refused_in_one_line) {
  for (const std::string name :
       {"binary_cross_entropy", "binary_focal", "mean_squared_error", "mean_absolute_error"}) {
    BOOST_TEST(refusal_of("loss = \"" + name + "\"") ==
               "run: run.toml: loss: expected \"cross_entropy\" or \"focal\", since a sample of a "
               "dataset has one class, found \"" +
                   name + "\" | loss = \"cross_entropy\"");
  }
  BOOST_TEST(contains(refusal_of("loss = \"cross_entrpy\""), "did you mean 'cross_entropy'?"));
}

BOOST_AUTO_TEST_CASE(lists_that_are_not_one_value_for_each_class_are_refused) {
  BOOST_TEST(contains(refusal_of("class_weights = [1, 2]"),
                      "class_weights: expected 3 values, one for each output, found 2"));
  BOOST_TEST(contains(refusal_of("class_weights = [1, -2, 1]"),
                      "class_weights: expected 0 to 1e9, found -2"));
  BOOST_TEST(refusal_of("class_weights = [0, 0, 0]") ==
             "run: run.toml: class_weights: expected one above 0 at least, found only zeros | "
             "class_weights = \"balanced\"");
  BOOST_TEST(contains(refusal_of("class_weights = \"fair\""),
                      "class_weights: expected numbers, one for each class, \"balanced\" or "
                      "\"none\", found the text \"fair\""));
  BOOST_TEST(
      contains(refusal_of("focal_gamma = nan"), "focal_gamma: expected 0 to 100, found nan"));
  BOOST_TEST(contains(refusal_of("focal_alpha = [2]"), "focal_alpha: expected 0 to 1, found 2"));
  RunConfig short_list = config();
  short_list.class_weights = {1, 2, 3};  // of cats and dogs
  BOOST_TEST(contains(failure_of(short_list).what(),
                      "class_weights: expected 2 values, one for each output, found 3"));
}

BOOST_AUTO_TEST_CASE(focal_settings_do_nothing_with_another_loss_and_are_not_stored) {
  RunConfig config;
  config.focal_gamma = 3;
  const std::vector<std::string> expected = {"focal_gamma 3.0 does nothing: loss is not \"focal\""};
  BOOST_TEST(idle_settings(config) == expected, boost::test_tools::per_element());
  BOOST_TEST(!contains(format_run_file(config), "focal_gamma"));
  config.loss = LossKind::kSoftmaxFocal;
  BOOST_TEST(idle_settings(config).empty());
  const std::string text = format_run_file(config);
  BOOST_TEST(contains(text, "loss = \"focal\"\n"));
  BOOST_TEST(contains(text, "focal_gamma = 3.0\n"));
}

// What a sample weighs is its class's weight: the dogs count four times, the cats not at all, and in the
// validation every sample once.
BOOST_AUTO_TEST_CASE(class_weights_reach_the_training_and_no_validation) {
  RunConfig one_sided = config();
  one_sided.epochs = 1;
  one_sided.class_weights = {0, 4};
  const RunOutcome outcome = train_run(one_sided, watcher, stop.get_token());
  const Dataset dataset = Dataset::open(pets());
  const std::uint64_t num_dogs = dataset.manifest().find_split("train")->num_by_class[1];
  BOOST_REQUIRE(outcome.last.has_value());
  BOOST_TEST(outcome.last->train.totals.weight_sum == 4.0 * static_cast<double>(num_dogs));
  BOOST_TEST(outcome.last->validation->totals.weight_sum ==
             static_cast<double>(dataset.manifest().find_split("validation")->num_samples));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
