#include "train/graph/model_zoo.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <string>

#include "streamer/core/error.h"
#include "train/graph/model_summary.h"

namespace penstock::train {
namespace {

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "no error";
}

std::uint64_t num_params(std::string_view name, const TensorShape& input) {
  return summarize(build_model(name, input, 10)).total.num_params;
}

double initial_scale(const ModelGraph& graph, std::string_view name) {
  for (const Parameter& parameter : graph.parameters()) {
    if (parameter.name == name) return parameter.initial.size;
  }
  BOOST_FAIL("no tensor " << name);
  return -1;
}

BOOST_AUTO_TEST_SUITE(model_zoo)

// LeCun et al. 1998, II.B, with 28 x 28 digits in the frame that the paper gives them: C1 156, C3 with all
// connections 16 * (6 * 25 + 1) = 2,416, C5 48,120, F6 10,164, and a linear output of 850.
BOOST_AUTO_TEST_CASE(lenet_has_the_parameters_counted_by_hand) {
  const ModelGraph graph = build_model("lenet", {1, 28, 28}, 10);
  BOOST_TEST(summarize(graph).total.num_params == 156u + 2416u + 48120u + 10164u + 850u);
  std::map<std::string, std::string> shapes;
  for (const Node& node : graph.nodes()) shapes[node.name] = node.shape.text();
  BOOST_TEST(shapes["c1"] == "[6, 28, 28]");
  BOOST_TEST(shapes["s2"] == "[6, 14, 14]");
  BOOST_TEST(shapes["c3"] == "[16, 10, 10]");
  BOOST_TEST(shapes["s4"] == "[16, 5, 5]");
}

// dawn.py of cifar10-fast: weights of 9 places for 3 to 64, 64 to 128, 128 to 128 twice, 128 to 256, 256 to
// 512 and 512 to 512 twice; two values a channel for norms; 512 to 10 without bias.
BOOST_AUTO_TEST_CASE(resnet9_has_the_parameters_counted_by_hand) {
  const std::uint64_t convolutions =
      9 * (3 * 64 + 64 * 128 + 2 * 128 * 128 + 128 * 256 + 256 * 512 + 2 * 512 * 512);
  const std::uint64_t norms = 2 * (64 + 3 * 128 + 256 + 3 * 512);
  BOOST_TEST(num_params("resnet9", {3, 32, 32}) == convolutions + norms + 512 * 10);
}

BOOST_AUTO_TEST_CASE(one_channel_changes_only_the_first_weights) {
  // 64 filters of 7 x 7 each lose two of three channels.
  BOOST_TEST(num_params("resnet18", {3, 64, 64}) - num_params("resnet18", {1, 64, 64}) ==
             2u * 64 * 49);
  // 96 filters of 4 x 4.
  BOOST_TEST(num_params("convnext_tiny", {3, 64, 64}) - num_params("convnext_tiny", {1, 64, 64}) ==
             2u * 96 * 16);
}

BOOST_AUTO_TEST_CASE(every_model_takes_one_and_three_channels_and_any_aspect) {
  for (const std::string_view name : model_names()) {
    for (const std::uint32_t channels : {1u, 3u}) {
      const ModelGraph wide = build_model(name, {channels, 40, 130}, 7);
      const ModelGraph tall = build_model(name, {channels, 130, 40}, 7);
      BOOST_TEST(wide.node(wide.output()).shape.text() == "[7]", name);
      BOOST_TEST(tall.node(tall.output()).shape.text() == "[7]", name);
      BOOST_TEST(wide.name() == name);
    }
  }
}

// The sides are those from which the last pool still has a window: torchvision's metadata has the same
// min_size for vgg11_bn (32), densenet121 (29), convnext_tiny (32) and 1 for those that pad all the way.
BOOST_AUTO_TEST_CASE(an_image_that_is_too_small_is_refused_with_the_smallest) {
  const std::map<std::string, std::uint32_t, std::less<>> smallest = {
      {"lenet", 12},  {"small_cnn", 16},   {"vgg11_bn", 32},
      {"resnet9", 8}, {"densenet121", 29}, {"convnext_tiny", 32}};
  for (const std::string_view name : model_names()) {
    const auto found = smallest.find(name);
    const std::uint32_t side = found == smallest.end() ? 1 : found->second;
    BOOST_TEST(message_of([&] { build_model(name, {3, side, side}, 10); }) == "no error", name);
    if (side == 1) continue;
    const std::string text = std::to_string(side);
    BOOST_TEST(message_of([&] {
                 build_model(name, {3, 96, side - 1}, 10);
               }) == "model: " + std::string(name) + ": expected an image of at least " + text +
                         " x " + text + " pixels, found 96 x " + std::to_string(side - 1) +
                         " | --image-size " + text);
  }
}

BOOST_AUTO_TEST_CASE(residual_blocks_begin_as_nothing_unless_asked_otherwise) {
  const TensorShape input{3, 64, 64};
  const ModelGraph basic = build_model("resnet18", input, 10);
  BOOST_TEST(initial_scale(basic, "layer2.1.bn2.weight") == 0.0);
  BOOST_TEST(initial_scale(basic, "layer2.1.bn1.weight") == 1.0);
  BOOST_TEST(initial_scale(basic, "layer2.0.downsample.1.weight") == 1.0);
  const ModelGraph bottleneck = build_model("resnet50", input, 10);
  BOOST_TEST(initial_scale(bottleneck, "layer4.2.bn3.weight") == 0.0);
  BOOST_TEST(initial_scale(bottleneck, "layer4.2.bn2.weight") == 1.0);
  const ModelGraph plain = build_model("resnet18", input, 10, {.zero_gamma = false});
  BOOST_TEST(initial_scale(plain, "layer2.1.bn2.weight") == 1.0);
  BOOST_TEST(plain.identity() == basic.identity());
}

// Liu et al. 2022, A.1: layer scale begins at 1e-6.
BOOST_AUTO_TEST_CASE(layer_scales_of_convnext_begin_small) {
  const ModelGraph graph = build_model("convnext_tiny", {3, 64, 64}, 10);
  BOOST_TEST(initial_scale(graph, "features.7.2.layer_scale") == 1e-6);
}

BOOST_AUTO_TEST_CASE(unknown_model_is_refused_with_a_hint) {
  BOOST_TEST(message_of([] {
               build_model("resnet19", {3, 32, 32}, 10);
             }) ==
             "model: expected lenet, small_cnn, vgg11_bn, resnet9, resnet18, resnet34, "
             "resnet50, mobilenet_v2, mobilenet_v3_small, efficientnet_b0, densenet121 "
             "or convnext_tiny, found 'resnet19' | did you mean 'resnet9'?");
  BOOST_TEST(
      message_of([] {
        build_model("weights.pth", {3, 32, 32}, 10);
      })
          .ends_with("found 'weights.pth' | a list of layers of one's own is a file whose name "
                     "ends in .toml"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
