#include "train/graph/model_graph.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "streamer/core/error.h"
#include "train/graph/model_summary.h"
#include "train/graph/model_zoo.h"
#include "train/graph/train_draws.h"

namespace penstock::train {
namespace {

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

BOOST_AUTO_TEST_SUITE(model_graph)

// Counted by hand: 27*32+64, 288*64+128, 576*128+256, 1152*256+512, 256*10+10.
BOOST_AUTO_TEST_CASE(small_cnn_has_the_parameters_counted_by_hand) {
  const ModelSummary summary = summarize(small_cnn({3, 96, 96}, 10));
  BOOST_TEST(summary.total.num_params == 928u + 18560u + 73984u + 295424u + 2570u);
  BOOST_TEST(summary.total.num_statistics == 2u * (32 + 64 + 128 + 256));
  // conv2: 48*48 places, 64 filters, 2 * 32*9 operations each.
  BOOST_TEST(summary.layers[5].name == "conv2");
  BOOST_TEST(summary.layers[5].forward_flops == 48u * 48 * 64 * 2 * 288);
  BOOST_TEST(to_text(summary).find("391,466") != std::string::npos);
}

// TensorFlow, tf.nn "Notes on padding": in 8, kernel 3, stride 2 gives 4 outputs, padding 0 before
// and 1 after; in 7 gives 4 outputs, 1 and 1. PyTorch, Conv2d: floor((8 + 2 - 3) / 2) + 1 = 4.
BOOST_AUTO_TEST_CASE(padding_rules_follow_keras_and_pytorch) {
  const auto window_of = [](std::uint32_t side, PaddingRule rule, std::uint32_t& output) {
    ModelGraph graph("g", {1, side, side});
    const NodeId id = graph.conv2d(
        "c", graph.input(), {.filters = 1, .stride = {2, 2}, .padding = rule, .pad = {1, 1}});
    output = graph.node(id).shape.height;
    return std::get<Conv2dOp>(graph.node(id).op).window;
  };
  std::uint32_t output = 0;
  const Window even = window_of(8, PaddingRule::kSame, output);
  BOOST_TEST(output == 4u);
  BOOST_TEST(even.pad_top == 0u);
  BOOST_TEST(even.pad_bottom == 1u);
  const Window odd = window_of(7, PaddingRule::kSame, output);
  BOOST_TEST(output == 4u);
  BOOST_TEST(odd.pad_top == 1u);
  BOOST_TEST(odd.pad_bottom == 1u);
  const Window symmetric = window_of(8, PaddingRule::kExplicit, output);
  BOOST_TEST(output == 4u);
  BOOST_TEST(symmetric.pad_top == 1u);
  BOOST_TEST(symmetric.pad_left == 1u);
  window_of(8, PaddingRule::kValid, output);
  BOOST_TEST(output == 3u);
}

BOOST_AUTO_TEST_CASE(shapes_that_do_not_fit_name_the_layer) {
  ModelGraph graph("g", {3, 8, 8});
  BOOST_TEST(message_of([&] { graph.dense("head", graph.input(), {.units = 2}); }) ==
             "model: head: expected a flat input such as [192], found [3, 8, 8]");
  BOOST_TEST(message_of([&] {
               graph.conv2d("c", graph.input(),
                            {.filters = 4, .kernel = {9, 9}, .padding = PaddingRule::kValid});
             }) == "model: c: expected an input of at least [3, 9, 9], found [3, 8, 8]");
  // Padding of 2 on both sides is more than the 3 rows of the window; 9 columns are too many.
  BOOST_TEST(
      message_of([&] {
        graph.conv2d(
            "c", graph.input(),
            {.filters = 4, .kernel = {3, 9}, .padding = PaddingRule::kExplicit, .pad = {2, 0}});
      }) == "model: c: expected an input of at least [3, 1, 9], found [3, 8, 8]");
  BOOST_TEST(message_of([&] { graph.conv2d("c", graph.input(), {}); }) ==
             "model: c: filters: expected 1 to 1048576, found 0");
  BOOST_TEST(message_of([] {
               small_cnn({3, 15, 96}, 10);
             }) == "model: pool4: expected an input of at least [256, 2, 2], found [256, 1, 12]");
  BOOST_TEST(message_of([&] { graph.set_output(graph.input()); }) ==
             "model: input: expected a flat output, one value per class, found [3, 8, 8]");
}

// 2^20 * 2^20 * 2^12 * 2^12 = 2^64, which is 0 in 64 bits.
BOOST_AUTO_TEST_CASE(weights_whose_size_wraps_around_are_refused) {
  ModelGraph graph("g", {3, 8, 8});
  const NodeId pooled = graph.global_avg_pool("gap", graph.input());
  const NodeId wide = graph.conv2d("wide", pooled, {.filters = 1u << 20, .kernel = {1, 1}});
  BOOST_TEST(message_of([&] {
               graph.conv2d("c", wide, {.filters = 1u << 20, .kernel = {4096, 4096}});
             }) ==
             "model: c.weight: expected at most 1099511627776 elements, found [1048576, 1048576, "
             "4096, 4096]");
  BOOST_TEST(graph.nodes().size() == 3u);  // the graph is as before
  BOOST_TEST(graph.parameters().size() == 2u);
}

// 2^20 channels of 2^14 x 2^14 places are 2^48 values.
BOOST_AUTO_TEST_CASE(values_beyond_the_limit_are_refused_by_layer) {
  ModelGraph graph("g", {3, 1u << 14, 1u << 14});
  const Conv2dOptions widest{.filters = 1u << 20, .kernel = {1, 1}};
  BOOST_TEST(message_of([&] { graph.conv2d("c", graph.input(), widest); }) ==
             "model: c: expected at most 1099511627776 elements, found [1048576, 16384, 16384]");
  BOOST_TEST(message_of([] {
               ModelGraph("g", {1u << 20, 1u << 16, 1u << 16});
             }) ==
             "model: input: expected at most 1099511627776 elements, found [1048576, 65536, "
             "65536]");
  ModelGraph most("g", {1u << 20, 1u << 10, 1u << 10});
  BOOST_TEST(most.input_shape().num_elements() == std::size_t{1} << 40);
}

// 2^20 places and filters, and 2^20 terms each: 2^61 operations, thirty-two times over.
BOOST_AUTO_TEST_CASE(operations_beyond_64_bits_are_shown_as_the_largest_number) {
  ModelGraph graph("g", {1u << 20, 1u << 10, 1u << 10});
  NodeId x = graph.input();
  for (int i = 0; i < 32; ++i) x = graph.conv2d("", x, {.filters = 1u << 20, .kernel = {1, 1}});
  graph.set_output(graph.global_avg_pool("gap", x));
  const ModelSummary summary = summarize(graph);
  BOOST_TEST(summary.layers[1].forward_flops ==
             (std::uint64_t{1} << 61) + (std::uint64_t{1} << 40));
  BOOST_TEST(summary.total.forward_flops == UINT64_MAX);
}

BOOST_AUTO_TEST_CASE(names_are_unique_and_found_when_left_out) {
  ModelGraph graph("g", {3, 8, 8});
  const NodeId a = graph.relu("", graph.input());
  const NodeId b = graph.relu("", a);
  BOOST_TEST(graph.node(a).name == "relu_1");
  BOOST_TEST(graph.node(b).name == "relu_2");
  BOOST_TEST(message_of([&] { graph.relu("relu_1", b); }) ==
             "model: relu_1: expected a name not used yet, found a second layer of that name");
}

BOOST_AUTO_TEST_CASE(names_hold_dots_and_no_blanks) {
  ModelGraph graph("g", {3, 8, 8});
  const NodeId id = graph.conv2d("layer1.0.conv1", graph.input(), {.filters = 2});
  BOOST_TEST(graph.parameters()[graph.parameters_of(id)[0]].name == "layer1.0.conv1.weight");
  BOOST_TEST(message_of([&] { graph.relu("my relu", id); }) ==
             "model: my relu: expected a name of letters, digits, _, - and dots, found 'my relu'");
}

BOOST_AUTO_TEST_CASE(a_scale_that_is_no_number_is_refused) {
  ModelGraph graph("g", {3, 8, 8});
  BOOST_TEST(message_of([&] {
               graph.batch_norm("bn", graph.input(), {.initial_scale = std::nan("")});
             }) == "model: bn: expected initial_scale from -1000 to 1000, found nan");
  BOOST_TEST(message_of([&] { graph.channel_scale("s", graph.input(), 1e9); }) ==
             "model: s: expected initial from -1000 to 1000, found 1e+09");
}

BOOST_AUTO_TEST_CASE(layer_that_leads_nowhere_is_refused) {
  ModelGraph graph("g", {3, 8, 8});
  graph.relu("lost", graph.input());
  const NodeId pooled = graph.global_avg_pool("pool", graph.input());
  BOOST_TEST(message_of([&] { graph.set_output(pooled); }) ==
             "model: lost: expected a layer that leads to the output pool, found one that "
             "nothing uses");
  BOOST_TEST(message_of([&] { (void)graph.output(); }) ==
             "model: g: expected an output, found none");
}

BOOST_AUTO_TEST_CASE(identity_changes_with_the_mathematics_only) {
  const std::string base = small_cnn({3, 32, 32}, 10).identity();
  BOOST_TEST(base == small_cnn({3, 32, 32}, 10).identity());
  BOOST_TEST(base != small_cnn({3, 32, 33}, 10).identity());
  BOOST_TEST(base != small_cnn({3, 32, 32}, 9).identity());
  BOOST_TEST(base.find("dropout = dropout(global_pool) rate=0.2 -> [256]") != std::string::npos);
}

// Values from a separate Python program: Philox4x32-10 checked against Random123's vectors, then
// Box-Muller with variance 2 / 27.
BOOST_AUTO_TEST_CASE(initial_weights_equal_an_independent_computation) {
  const std::vector<float> weights = initial_value(small_cnn({3, 32, 32}, 10), 0, 42);
  BOOST_TEST(weights.size() == 864u);
  BOOST_TEST(weights[0] == -0.17446253063587244f, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(weights[1] == -0.13931044279795826f, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(weights[863] == -0.1322097632901554f, boost::test_tools::tolerance(1e-6f));
}

// He et al. 2015: variance 2 / fan_in; 294,912 draws leave a standard error of 0.3 %.
BOOST_AUTO_TEST_CASE(initial_weights_have_he_variance_and_norms_start_at_one) {
  const ModelGraph graph = small_cnn({3, 32, 32}, 10);
  for (std::uint32_t i = 0; i < graph.parameters().size(); ++i) {
    const Parameter& parameter = graph.parameters()[i];
    const std::vector<float> values = initial_value(graph, i, 1);
    if (parameter.name == "conv4.weight") {
      double sum = 0;
      double squares = 0;
      for (const float v : values) {
        sum += v;
        squares += double{v} * v;
      }
      BOOST_TEST(std::abs(sum / 294912) < 4 * std::sqrt(2.0 / 1152 / 294912));
      BOOST_TEST(squares / 294912 * 1152 / 2 == 1.0, boost::test_tools::tolerance(0.012));
    }
    if (parameter.name == "bn1.weight" || parameter.name == "bn1.running_var") {
      BOOST_TEST(values == std::vector<float>(32, 1.0f), boost::test_tools::per_element());
    }
    if (parameter.name == "head.bias" || parameter.name == "bn1.bias") {
      BOOST_TEST(values == std::vector<float>(values.size(), 0.0f),
                 boost::test_tools::per_element());
    }
  }
}

// From the same Python program: seed 5, step 1000, sample 3, node 7, quad 2.
BOOST_AUTO_TEST_CASE(dropout_draws_equal_an_independent_computation) {
  const PhiloxCounter expected = {0x61b35a82, 0x294fc0aa, 0x356fcad, 0xbd0364a7};
  BOOST_TEST(dropout_words(5, 1000, 3, 7, 2) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
