#include "train/export/folded_norms.h"

#include <boost/test/unit_test.hpp>

#include "tests/train/backend/branched_models.h"
#include "tests/train/export/exported_model.h"

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(folded_norms)

/// Two channels of two inputs each, at one place.
ModelGraph dense_and_norm(bool has_bias) {
  ModelGraph graph("small", {2, 1, 1});
  const NodeId dense = graph.dense("dense", graph.input(), {.units = 2, .has_bias = has_bias});
  graph.set_output(graph.batch_norm("norm", dense, {.epsilon = 0.75}));
  return graph;
}

// By hand: deviations are sqrt(0.25 + 0.75) = 1 and sqrt(3.25 + 0.75) = 2, so the factors 3 and 5 / 2.
BOOST_AUTO_TEST_CASE(weight_and_bias_take_the_norm_in) {
  const ModelGraph graph = dense_and_norm(true);
  const std::vector<NamedTensor> weights = {
      {"dense.weight", {2, 2}, {1, 2, 4, 8}}, {"dense.bias", {2}, {10, 20}},
      {"norm.weight", {2}, {3, 5}},           {"norm.bias", {2}, {-1, 1}},
      {"norm.running_mean", {2}, {8, 26}},    {"norm.running_var", {2}, {0.25, 3.25}}};
  const FoldedLayer folded = fold_norm(graph, weights, 1, 2);
  BOOST_TEST(folded.weight.name == "dense.weight");
  BOOST_TEST(folded.bias.name == "dense.bias");
  BOOST_TEST((folded.weight.values == std::vector<float>{3, 6, 10, 20}));
  BOOST_TEST((folded.bias.values == std::vector<float>{-1 + 2 * 3, 1 - 6 * 2.5f}));
}

BOOST_AUTO_TEST_CASE(a_layer_without_bias_gets_one) {
  const ModelGraph graph = dense_and_norm(false);
  const std::vector<NamedTensor> weights = {{"dense.weight", {2, 2}, {1, 2, 4, 8}},
                                            {"norm.weight", {2}, {3, 5}},
                                            {"norm.bias", {2}, {-1, 1}},
                                            {"norm.running_mean", {2}, {8, 26}},
                                            {"norm.running_var", {2}, {0.25, 3.25}}};
  const FoldedLayer folded = fold_norm(graph, weights, 1, 2);
  BOOST_TEST((folded.weight.values == std::vector<float>{3, 6, 10, 20}));
  BOOST_TEST((folded.bias.values == std::vector<float>{-1 - 8 * 3, 1 - 26 * 2.5f}));
}

BOOST_AUTO_TEST_CASE(only_a_norm_that_alone_reads_a_weighted_layer_is_folded) {
  ModelGraph graph("branches", {3, 8, 8});
  const NodeId on_input = graph.batch_norm("on_input", graph.input());
  const NodeId conv = graph.conv2d("conv", on_input, {.filters = 4});
  const NodeId shared = graph.conv2d("shared", conv, {.filters = 4});
  const NodeId beside = graph.batch_norm("beside", shared);
  const NodeId sum = graph.add("sum", shared, beside);
  const NodeId behind_sum = graph.batch_norm("behind_sum", sum);
  const NodeId alone = graph.conv2d("alone", behind_sum, {.filters = 5});
  const NodeId folded = graph.batch_norm("folded", alone);
  const NodeId pool = graph.global_avg_pool("pool", folded);
  const NodeId dense = graph.dense("dense", pool, {.units = 3});
  const NodeId last = graph.batch_norm("last", dense);
  graph.set_output(last);
  const auto norm_of = find_foldable_norms(graph);
  BOOST_TEST(norm_of.size() == 2u);
  BOOST_TEST(norm_of.at(alone) == folded);
  BOOST_TEST(norm_of.at(dense) == last);
}

BOOST_AUTO_TEST_CASE(folded_norms_are_no_nodes_and_others_stay) {
  const ModelGraph graph = residual_model();  // four norms, each alone behind its convolution
  const OnnxModel folded = exported(graph);
  BOOST_TEST(folded.num_folded_norms == 4u);
  BOOST_TEST(num_nodes_of(folded.proto, "BatchNormalization") == 0u);
  BOOST_TEST(constant_of(folded.proto, "stem.bias").size() == 6u);
  const OnnxModel kept = exported(graph, {.folds_batch_norms = false});
  BOOST_TEST(kept.num_folded_norms == 0u);
  BOOST_TEST(num_nodes_of(kept.proto, "BatchNormalization") == 4u);
  BOOST_TEST(constant_of(kept.proto, "stem.bias").size() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
