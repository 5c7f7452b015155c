// Named models against what torchvision says of its own: torchvision_parameters.txt, which
// tests/interop/torchvision_parameters.py writes.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "train/graph/model_summary.h"
#include "train/graph/model_zoo.h"

namespace penstock::train {
namespace {

using Shape = std::vector<std::uint32_t>;

struct NormSettings {
  double epsilon = 0;
  double momentum = 0;  // 0: a layer norm
};

struct TorchvisionModel {
  std::string name;
  std::uint64_t num_params = 0;
  double giga_multiply_adds = 0;  // rounded to three decimals
  std::uint32_t num_classes = 0;
  std::map<std::string, Shape> tensors{};
  std::map<std::string, double>
      spreads{};  // standard deviations of one draw, of 4,096 values or more
  std::map<std::string, NormSettings> norms{};
  std::map<std::string, double> drop_rates{};
};

std::vector<TorchvisionModel> read_torchvision_models() {
  std::ifstream file(std::filesystem::path(PENSTOCK_SOURCE_DIR) /
                     "tests/train/graph/zoo/torchvision_parameters.txt");
  std::vector<TorchvisionModel> models;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string kind;
    std::string name;
    words >> kind >> name;
    if (kind == "model") {
      TorchvisionModel& model = models.emplace_back();
      model.name = name;
      words >> model.num_params >> model.giga_multiply_adds >> model.num_classes;
    } else if (kind == "tensor") {
      Shape& shape = models.back().tensors[name];
      for (std::uint32_t side = 0; words >> side;) shape.push_back(side);
    } else if (kind == "spread") {
      words >> models.back().spreads[name];
    } else if (kind == "norm") {
      NormSettings& norm = models.back().norms[name];
      words >> norm.epsilon >> norm.momentum;
    } else if (kind == "drop") {
      words >> models.back().drop_rates[name];
    } else {
      BOOST_FAIL("a line of another kind: " << line);
    }
  }
  BOOST_REQUIRE(models.size() == 9u);
  return models;
}

ModelGraph built(const TorchvisionModel& model) {
  return build_model(model.name, {3, 224, 224}, model.num_classes);
}

std::string shape_text(Shape shape) {
  while (!shape.empty() && shape.back() == 1) shape.pop_back();
  std::string text;
  for (const std::uint32_t side : shape) text += " " + std::to_string(side);
  return text;
}

/// Multiply-adds of convolutions and dense layers, a bias left out.
std::uint64_t multiply_adds(const ModelGraph& graph) {
  std::uint64_t sum = 0;
  for (const Parameter& parameter : graph.parameters()) {
    if (parameter.kind != ParamKind::kConvWeight && parameter.kind != ParamKind::kDenseWeight) {
      continue;
    }
    sum += parameter.num_elements() * graph.node(parameter.node).shape.area();
  }
  return sum;
}

double deviation_of(const Initializer& initial) {
  switch (initial.shape) {
    case DrawShape::kNormal:
      return initial.size;
    case DrawShape::kUniform:
      return initial.size / std::sqrt(3.0);
    default:
      return 0;
  }
}

BOOST_AUTO_TEST_SUITE(torchvision_models)

BOOST_AUTO_TEST_CASE(every_tensor_has_torchvisions_name_and_shape) {
  for (const TorchvisionModel& expected : read_torchvision_models()) {
    const ModelGraph graph = built(expected);
    std::map<std::string, Shape> missing = expected.tensors;
    for (const Parameter& parameter : graph.parameters()) {
      const auto found = missing.find(parameter.name);
      if (found == missing.end()) {
        BOOST_ERROR(expected.name << ": torchvision has no " << parameter.name);
        continue;
      }
      BOOST_TEST(shape_text(parameter.shape) == shape_text(found->second),
                 expected.name << ": " << parameter.name);
      missing.erase(found);
    }
    for (const auto& [name, shape] : missing) BOOST_ERROR(expected.name << ": no " << name);
  }
}

// docs.pytorch.org/vision/stable/models.html, the table of classification weights.
BOOST_AUTO_TEST_CASE(as_many_parameters_as_the_table_of_torchvisions_documentation) {
  const std::map<std::string, std::uint64_t> table = {
      {"vgg11_bn", 132'868'840},      {"resnet18", 11'689'512},
      {"resnet34", 21'797'672},       {"resnet50", 25'557'032},
      {"mobilenet_v2", 3'504'872},    {"mobilenet_v3_small", 2'542'856},
      {"efficientnet_b0", 5'288'548}, {"densenet121", 7'978'856},
      {"convnext_tiny", 28'589'128}};
  for (const TorchvisionModel& expected : read_torchvision_models()) {
    const ModelSummary summary = summarize(built(expected));
    BOOST_TEST(summary.total.num_params == table.at(expected.name), expected.name);
    BOOST_TEST(summary.total.num_params == expected.num_params, expected.name);
    BOOST_TEST(summary.total.output.text() == "[1000]", expected.name);
  }
}

// torchvision's GFLOPS count one for a multiplication with its addition, in convolutions and dense layers.
BOOST_AUTO_TEST_CASE(as_many_multiply_adds_as_torchvision_counts) {
  for (const TorchvisionModel& expected : read_torchvision_models()) {
    const double giga = static_cast<double>(multiply_adds(built(expected))) * 1e-9;
    BOOST_TEST(std::abs(giga - expected.giga_multiply_adds) < 0.00051,
               expected.name << ": " << giga << ", not " << expected.giga_multiply_adds);
  }
}

BOOST_AUTO_TEST_CASE(norms_have_torchvisions_epsilon_and_momentum) {
  for (const TorchvisionModel& expected : read_torchvision_models()) {
    std::size_t num_norms = 0;
    const ModelGraph graph = built(expected);
    for (const Node& node : graph.nodes()) {
      const auto* batch = std::get_if<BatchNormOp>(&node.op);
      const auto* layer = std::get_if<LayerNormOp>(&node.op);
      if (batch == nullptr && layer == nullptr) continue;
      ++num_norms;
      BOOST_REQUIRE_MESSAGE(expected.norms.contains(node.name), expected.name << node.name);
      const NormSettings& norm = expected.norms.at(node.name);
      BOOST_TEST((batch != nullptr ? batch->epsilon : layer->epsilon) == norm.epsilon);
      BOOST_TEST((batch != nullptr ? batch->momentum : 0.0) == norm.momentum);
    }
    BOOST_TEST(num_norms == expected.norms.size(), expected.name);
  }
}

BOOST_AUTO_TEST_CASE(dropout_and_stochastic_depth_have_torchvisions_rates) {
  for (const TorchvisionModel& expected : read_torchvision_models()) {
    std::size_t num_drops = 0;
    const ModelGraph graph = built(expected);
    for (const Node& node : graph.nodes()) {
      const auto* drop = std::get_if<DropoutOp>(&node.op);
      if (drop == nullptr) continue;
      ++num_drops;
      BOOST_REQUIRE_MESSAGE(expected.drop_rates.contains(node.name), expected.name << node.name);
      // Six digits are written.
      BOOST_TEST(drop->rate == expected.drop_rates.at(node.name),
                 boost::test_tools::tolerance(1e-5));
      BOOST_TEST(drop->drops_samples == node.name.ends_with(".stochastic_depth"));
    }
    BOOST_TEST(num_drops == expected.drop_rates.size(), expected.name);
  }
}

// 4,096 normal values have a deviation within 1.1 % of the rule's, one time in three; 5 % are 4.5 times that.
BOOST_AUTO_TEST_CASE(initial_weights_spread_as_torchvisions) {
  std::size_t num_compared = 0;
  for (const TorchvisionModel& expected : read_torchvision_models()) {
    const ModelGraph graph = built(expected);
    for (const Parameter& parameter : graph.parameters()) {
      const auto spread = expected.spreads.find(parameter.name);
      if (spread == expected.spreads.end()) continue;
      ++num_compared;
      const double deviation = deviation_of(parameter.initial);
      BOOST_TEST(std::abs(deviation / spread->second - 1) < 0.05,
                 expected.name << ": " << parameter.name << ": " << deviation << ", not "
                               << spread->second);
    }
  }
  BOOST_TEST(num_compared > 300u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
