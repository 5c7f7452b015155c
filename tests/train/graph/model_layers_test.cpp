// Every type of layer of model files with all its keys, against the same layer of the builder in C++.
#include <array>
#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/train/graph/model_file_refusal.h"

namespace penstock::train {
namespace {

const std::string kPool = "[[layer]]\ntype = \"global_avg_pool\"\nname = \"gap\"\n";
const std::string kHead =
    kPool + "[[layer]]\ntype = \"dense\"\nname = \"head\"\nunits = \"num_classes\"\n";

/// The graph of one layer "x" before the head.
template <class Add>
ModelGraph built_with(const Add& add) {
  ModelGraph graph("test", {3, 32, 32});
  const NodeId x = add(graph);
  graph.set_output(graph.dense("head", graph.global_avg_pool("gap", x), {.units = 10}));
  return graph;
}

void check_same(const std::string& keys, const ModelGraph& expected) {
  const ModelGraph graph = parse_test_model("[[layer]]\nname = \"x\"\n" + keys + "\n" + kHead);
  BOOST_TEST(graph.identity() == expected.identity());
  BOOST_REQUIRE(graph.parameters().size() == expected.parameters().size());
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
    const Initializer& initial = graph.parameters()[i].initial;
    BOOST_TEST((initial.shape == expected.parameters()[i].initial.shape), keys);
    BOOST_TEST(initial.size == expected.parameters()[i].initial.size, keys);
  }
}

BOOST_AUTO_TEST_SUITE(model_layers)

BOOST_AUTO_TEST_CASE(convolutions_take_all_their_options) {
  check_same(
      "type = \"conv2d\"\nfilters = 6\nkernel = [3, 5]\nstride = [2, 1]\npadding = \"symmetric\"\n"
      "dilation = [1, 2]\ngroups = 3\nbias = false\ninit = \"truncated_normal\"\n"
      "init_deviation = 0.05",
      built_with([](ModelGraph& g) {
        return g.conv2d("x", 0,
                        {.filters = 6,
                         .kernel = {3, 5},
                         .stride = {2, 1},
                         .padding = PaddingRule::kSameSymmetric,
                         .dilation = {1, 2},
                         .groups = 3,
                         .has_bias = false,
                         .init = {.rule = InitRule::kTruncatedNormal, .deviation = 0.05}});
      }));
  check_same(
      "type = \"depthwise_conv2d\"\nmultiplier = 2\nkernel = 5\ndilation = 2\n"
      "padding = [1, 4]\ninit = \"glorot_uniform\"",
      built_with([](ModelGraph& g) {
        return g.conv2d("x", 0,
                        {.filters = 6,
                         .kernel = {5, 5},
                         .padding = PaddingRule::kExplicit,
                         .pad = {1, 4},
                         .dilation = {2, 2},
                         .groups = 3,
                         .init = {.rule = InitRule::kGlorotUniform}});
      }));
}

BOOST_AUTO_TEST_CASE(norms_and_scales_take_all_their_options) {
  check_same("type = \"batch_norm\"\nepsilon = 1e-3\nmomentum = 0.01\ninitial_scale = 0",
             built_with([](ModelGraph& g) {
               return g.batch_norm("x", 0, {.epsilon = 1e-3, .momentum = 0.01, .initial_scale = 0});
             }));
  check_same("type = \"group_norm\"\ngroups = 3\nepsilon = 1e-6", built_with([](ModelGraph& g) {
               return g.group_norm("x", 0, {.groups = 3, .epsilon = 1e-6});
             }));
  check_same("type = \"layer_norm\"\nepsilon = 1e-6",
             built_with([](ModelGraph& g) { return g.layer_norm("x", 0, {.epsilon = 1e-6}); }));
  check_same("type = \"channel_scale\"\ninitial = 1e-6",
             built_with([](ModelGraph& g) { return g.channel_scale("x", 0, 1e-6); }));
}

// The kinds as Keras and PyTorch name them, in the order of ActivationKind.
BOOST_AUTO_TEST_CASE(every_activation_is_a_layer_and_stands_inside_any_layer) {
  const std::array names{"relu",       "relu6",        "leaky_relu", "silu",
                         "hard_swish", "hard_sigmoid", "sigmoid",    "gelu"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto kind = static_cast<ActivationKind>(i);
    const std::string name = names[i];
    check_same("type = \"" + name + "\"",
               built_with([&](ModelGraph& g) { return g.activation("x", 0, kind); }));
    check_same("type = \"max_pool\"\nactivation = \"" + name + "\"", built_with([&](ModelGraph& g) {
                 return g.activation("x_" + name, g.max_pool("x", 0), kind);
               }));
  }
  check_same("type = \"leaky_relu\"\nslope = 0.2", built_with([](ModelGraph& g) {
               return g.activation("x", 0, ActivationKind::kLeakyRelu, 0.2);
             }));
  check_same("type = \"max_pool\"\nactivation = \"leaky_relu\"\nslope = 0.3",
             built_with([](ModelGraph& g) {
               return g.activation("x_leaky_relu", g.max_pool("x", 0), ActivationKind::kLeakyRelu,
                                   0.3);
             }));
  check_same("type = \"max_pool\"\nactivation = \"linear\"",
             built_with([](ModelGraph& g) { return g.max_pool("x", 0); }));
  check_same("type = \"softmax\"", built_with([](ModelGraph& g) { return g.softmax("x", 0); }));
}

BOOST_AUTO_TEST_CASE(pools_take_all_their_options) {
  check_same(
      "type = \"max_pool\"\nwindow = 3\nstride = 2\npadding = 1", built_with([](ModelGraph& g) {
        return g.max_pool(
            "x", 0,
            {.window = {3, 3}, .stride = {2, 2}, .padding = PaddingRule::kExplicit, .pad = {1, 1}});
      }));
  check_same("type = \"avg_pool\"\nwindow = 3\npadding = \"same\"\ncounts_padding = true",
             built_with([](ModelGraph& g) {
               return g.avg_pool(
                   "x", 0,
                   {.window = {3, 3}, .padding = PaddingRule::kSame, .counts_padding = true});
             }));
  check_same("type = \"adaptive_avg_pool\"\noutput = [3, 4]", built_with([](ModelGraph& g) {
               return g.adaptive_pool("x", 0, PoolKind::kAverage, {3, 4});
             }));
  check_same("type = \"adaptive_max_pool\"\noutput = 5", built_with([](ModelGraph& g) {
               return g.adaptive_pool("x", 0, PoolKind::kMax, {5, 5});
             }));
  check_same("type = \"global_max_pool\"",
             built_with([](ModelGraph& g) { return g.global_max_pool("x", 0); }));
}

BOOST_AUTO_TEST_CASE(dropouts_drop_values_or_samples) {
  check_same("type = \"dropout\"\nrate = 0.25",
             built_with([](ModelGraph& g) { return g.dropout("x", 0, 0.25); }));
  check_same("type = \"drop_samples\"\nrate = 0.25",
             built_with([](ModelGraph& g) { return g.drop_samples("x", 0, 0.25); }));
}

BOOST_AUTO_TEST_CASE(branches_are_joined_by_their_names) {
  const ModelGraph graph = parse_test_model(
      "[[layer]]\ntype = \"conv2d\"\nname = \"a\"\nfilters = 4\nactivation = \"relu\"\n"
      "[[layer]]\ntype = \"conv2d\"\nname = \"b\"\nfrom = \"input\"\nfilters = 4\n"
      "[[layer]]\ntype = \"add\"\nname = \"sum\"\nfrom = [\"a\", \"b\"]\n"
      "[[layer]]\ntype = \"concat\"\nname = \"both\"\nfrom = [\"sum\", \"a\"]\n"
      "[[layer]]\ntype = \"global_max_pool\"\nname = \"means\"\n"
      "[[layer]]\ntype = \"multiply\"\nname = \"scaled\"\nfrom = [\"both\", \"means\"]\n" +
      kHead);
  ModelGraph expected("test", {3, 32, 32});
  const NodeId a = expected.relu("a_relu", expected.conv2d("a", 0, {.filters = 4}));
  const NodeId b = expected.conv2d("b", 0, {.filters = 4});
  const NodeId both = expected.concat("both", std::array{expected.add("sum", a, b), a});
  const NodeId scaled = expected.multiply("scaled", both, expected.global_max_pool("means", both));
  expected.set_output(
      expected.dense("head", expected.global_avg_pool("gap", scaled), {.units = 10}));
  BOOST_TEST(graph.identity() == expected.identity());
}

BOOST_AUTO_TEST_CASE(filters_follow_the_number_of_classes_too) {
  const ModelGraph graph =
      parse_test_model("[[layer]]\ntype = \"conv2d\"\nfilters = \"num_classes\"\n" + kPool);
  BOOST_TEST(graph.num_classes() == 10u);
}

BOOST_AUTO_TEST_CASE(what_a_layer_does_not_take_is_refused_with_layer_and_key) {
  const auto refusal = [](const std::string& keys) {
    return model_file_refusal("[[layer]]\nname = \"x\"\n" + keys + "\n" + kHead);
  };
  BOOST_TEST(refusal("type = \"conv2d\"\nfilters = 4\ninit = \"he_norml\"") ==
             "model: x: init: expected he_normal, he_normal_fan_out, he_uniform, "
             "glorot_uniform, glorot_normal, lecun_normal, truncated_normal, normal or uniform, "
             "found 'he_norml' | did you mean 'he_normal'?");
  BOOST_TEST(refusal("type = \"conv2d\"\nfilters = 4\ninit_deviation = 0.1") ==
             "model: x: init_deviation: expected init = \"normal\", \"truncated_normal\" or "
             "\"uniform\" with it, found \"he_normal\" | init_deviation = 0.02");
  BOOST_TEST(
      refusal("type = \"relu\"\nslope = 0.1") ==
      "model: x: expected a known key, found 'slope' | known names: type name from activation");
  BOOST_TEST(refusal("type = \"max_pool\"\ncounts_padding = true") ==
             "model: x: expected a known key, found 'counts_padding' | known names: type name from "
             "window stride padding activation");
  BOOST_TEST(refusal("type = \"adaptive_avg_pool\"") ==
             "model: x: output: expected a whole number or [rows, columns], found nothing | "
             "output = 7");
  BOOST_TEST(refusal("type = \"depthwise_conv2d\"\nmultiplier = 2000000000") ==
             "model: x: multiplier: expected one that 3 channels bear, found 2000000000 | "
             "multiplier = 1");
  BOOST_TEST(refusal("type = \"max_pool\"\nactivation = \"sigmod\"") ==
             "model: x: activation: expected linear, relu, relu6, leaky_relu, silu, "
             "hard_swish, hard_sigmoid, sigmoid or gelu, found 'sigmod' | did you mean 'sigmoid'?");
}

BOOST_AUTO_TEST_CASE(wrong_inputs_are_refused_with_layer_and_key) {
  const auto refusal = [](const std::string& keys) {
    return model_file_refusal(
        "[[layer]]\ntype = \"relu\"\nname = \"first\"\n[[layer]]\nname = \"x\"\n" + keys + "\n" +
        kHead);
  };
  BOOST_TEST(refusal("type = \"relu\"\nfrom = \"frist\"") ==
             "model: x: from: expected the name of a layer before it, found 'frist' | did you "
             "mean 'first'?");
  BOOST_TEST(refusal("type = \"relu\"\nfrom = \"gap\"") ==
             "model: x: from: expected the name of a layer before it, found 'gap' | known names: "
             "first input");
  BOOST_TEST(refusal("type = \"relu\"\nfrom = [\"first\", \"input\"]") ==
             "model: x: from: expected one layer, found a list of 2 | from = [\"conv1\", "
             "\"conv2\"]");
  BOOST_TEST(refusal("type = \"add\"\nfrom = []") ==
             "model: x: from: expected 1 to 1000 names, found a list of 0 | from = [\"conv1\", "
             "\"conv2\"]");
  BOOST_TEST(refusal("type = \"add\"\nfrom = [\"first\", 3]") ==
             "model: x: from: expected a name or a list of names, found a list with the number 3 "
             "| from = [\"conv1\", \"conv2\"]");
  BOOST_TEST(refusal("type = \"add\"") ==
             "model: x: expected two inputs or more, found 1 | from = [\"conv1\", \"conv2\"]");
  BOOST_TEST(refusal("type = \"multiply\"") ==
             "model: x: from: expected two layers, the tensor and its factors, found 1 | from = "
             "[\"conv1\", \"conv2\"]");
  BOOST_TEST(model_file_refusal("[[layer]]\ntype = \"relu\"\nname = \"x\"\n"
                                "[[layer]]\ntype = \"relu\"\nname = \"x\"\n" +
                                kHead) ==
             "model: x: name: expected a name not used yet, found 'x' once more | name = "
             "\"conv1\"");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
