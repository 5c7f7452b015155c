// Every operation gives PyTorch's values and gradients: torch_ops.txt, which tests/interop/torch_ops.py writes.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/golden_file.h"
#include "tests/train/backend/even_values.h"
#include "tests/train/backend/torch_ops_cases.h"
#include "tests/train/backend/training_bench.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"
#include "train/graph/custom_operation.h"
#include "train/loss/custom_loss.h"

namespace penstock::train {
namespace {

using tests::GoldenCase;

/// An input of the operation as a parameter of the whole batch, so that its gradient can be read.
class GivenValues final : public CustomOperation {
 public:
  GivenValues(std::uint32_t batch, const TensorShape& shape) : batch_(batch), shape_(shape) {}

  std::string name() const override { return "given_values"; }
  TensorShape output_shape(std::span<const TensorShape>) const override { return shape_; }
  std::vector<CustomParameter> parameters(std::span<const TensorShape>) const override {
    return {{.name = "values", .shape = {batch_, shape_.channels, shape_.height, shape_.width}}};
  }
  std::uint64_t forward_flops(std::span<const TensorShape>) const override { return 0; }
  void forward(const CustomTensors& tensors, float* output) const override {
    std::copy_n(tensors.params[0], num_values(), output);
  }
  void backward(const CustomTensors&, const float* output_gradient, std::span<float* const>,
                std::span<float* const> param_gradients) const override {
    for (std::size_t i = 0; i < num_values(); ++i) param_gradients[0][i] += output_gradient[i];
  }

 private:
  std::size_t num_values() const { return batch_ * shape_.num_elements(); }

  std::uint32_t batch_;
  TensorShape shape_;
};

/// The sum of scores times targets: targets are the gradient that comes in.
class ScalarProduct final : public CustomLoss {
 public:
  std::string name() const override { return "scalar_product"; }
  double value(std::span<const double> scores, const TargetRow& target) const override {
    double sum = 0;
    for (std::size_t k = 0; k < scores.size(); ++k) sum += scores[k] * target.at<double>(k);
    return sum;
  }
  void gradient(std::span<const double>, const TargetRow& target,
                std::span<double> by_scores) const override {
    for (std::size_t k = 0; k < by_scores.size(); ++k) by_scores[k] = target.at<double>(k);
  }
};

std::unique_ptr<Backend> make_float_reference(const BackendSettings&) {
  return make_float_reference_backend();
}

/// What computes, and how far a tensor may be off: the file's seven digits, or sums of float32.
struct Computer {
  std::string name;
  std::unique_ptr<Backend> (*make)(const BackendSettings&);
  bool fuse = true;
  double tolerance = 0;
};

const std::vector<Computer> kComputers{{"reference", &make_reference_backend, true, 1e-6},
                                       {"reference in float", &make_float_reference, true, 1e-5},
                                       {"onednn", &make_onednn_backend, true, 1e-5},
                                       {"onednn, not fused", &make_onednn_backend, false, 1e-5}};

/// The script's Input.values().
std::vector<float> input_values(const GoldenCase& golden, const std::string& input,
                                std::size_t count) {
  const EvenValues even(golden.name() + "." + input);
  const double size = golden.number(input + ".size");
  const bool is_rounded = golden.has(input + ".step");
  const double step = is_rounded ? golden.number(input + ".step") : 0;
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double value = size * even.at(i);
    values[i] = static_cast<float>(is_rounded ? std::nearbyint(value / step) * step : value);
  }
  return values;
}

/// The script's parameter().
std::vector<float> parameter_values(const std::string& case_name, const Parameter& parameter) {
  const bool is_around_1 = parameter.name.ends_with("running_var") ||
                           (parameter.name.ends_with("weight") && parameter.shape.size() == 1);
  const EvenValues even(case_name + "." + parameter.name);
  std::vector<float> values(parameter.num_elements());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>((is_around_1 ? 1 : 0) + 0.5 * even.at(i));
  }
  return values;
}

/// The operation between its inputs and a flat output.
struct CaseGraph {
  ModelGraph graph{"case", {1, 1, 1}};
  std::uint32_t batch = 0;

  CaseGraph(const GoldenCase& golden, const OpBuilder& build) {
    std::vector<NodeId> inputs;
    for (std::string name = "x0"; golden.has(name + ".shape");
         name = "x" + std::to_string(inputs.size())) {
      const auto sides = golden.values_or_none<std::uint32_t>(name + ".shape");
      BOOST_REQUIRE(sides.size() == 4u);
      batch = sides[0];
      const TensorShape shape{sides[1], sides[2], sides[3]};
      const NodeId from[] = {graph.input()};
      inputs.push_back(graph.custom(name, from, std::make_shared<GivenValues>(batch, shape)));
    }
    graph.set_output(graph.flatten("out", build(graph, inputs)));
  }

  Lowering lowering(bool fuse, bool is_norm_fixed) const {
    Lowering lowering{
        .batch = batch,
        .loss = {.kind = LossKind::kCustom, .custom = std::make_shared<ScalarProduct>()},
        .label_form = LabelForm::kTargets,
        .fuse = fuse};
    for (const Node& node : graph.nodes()) {
      lowering.fixed_norms.push_back(is_norm_fixed && node.name == "op");
    }
    return lowering;
  }
};

void compare(const std::string& what, const std::vector<float>& found,
             const std::vector<float>& expected, double tolerance) {
  BOOST_TEST_CONTEXT(what) {
    BOOST_REQUIRE(found.size() == expected.size());
    BOOST_TEST(relative_l2(found, expected) < tolerance);
  }
}

void play(const GoldenCase& golden, const OpBuilder& build, const Computer& computer) {
  const CaseGraph made(golden, build);
  Bench bench(computer.make({.num_threads = 2}), made.graph,
              {made.lowering(computer.fuse, golden.name().ends_with("_fixed"))});
  const auto parameters = made.graph.parameters();
  const auto input_of = [&](const Parameter& parameter) {
    const std::string& node = made.graph.node(parameter.node).name;
    return node == "op" ? std::string() : node;
  };
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string input = input_of(parameters[i]);
    bench.program().import_param(i, ParamPart::kMaster,
                                 input.empty()
                                     ? parameter_values(golden.name(), parameters[i])
                                     : input_values(golden, input, parameters[i].num_elements()));
  }
  ToyBatch batch = bench.batch(made.batch, 0);
  std::vector<float> by_output(std::size_t{made.batch} * made.graph.num_classes());
  const EvenValues even(golden.name() + ".out");
  for (std::size_t i = 0; i < by_output.size(); ++i) by_output[i] = static_cast<float>(even.at(i));
  batch.set_targets(by_output);

  bench.backend().upload(batch.lease(), 0);
  bench.backend().set_scalars({.inv_weight_sum = 1}, 0);
  bench.program().run(Phase::kForward, 0);
  compare("values", bench.logits(), golden.values_or_none<float>("y"), computer.tolerance);
  bench.program().run(Phase::kBackward, 0);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string input = input_of(parameters[i]);
    const std::string name = input.empty() ? parameters[i].name : input;
    if (parameters[i].is_trainable) {
      compare(name + ".gradient", bench.read(i, ParamPart::kGrad),
              golden.values_or_none<float>(name + ".gradient"), computer.tolerance);
    } else {
      compare(name, bench.read(i), golden.values_or_none<float>(name), computer.tolerance);
    }
  }
}

BOOST_AUTO_TEST_SUITE(torch_ops)

BOOST_AUTO_TEST_CASE(every_operation_gives_pytorchs_values_and_gradients) {
  const auto builders = torch_ops_cases();
  const auto goldens = tests::read_goldens(
      std::filesystem::path(PENSTOCK_SOURCE_DIR) / "tests/train/backend/torch_ops.txt", "");
  BOOST_TEST(goldens.size() == builders.size());
  for (const GoldenCase& golden : goldens) {
    for (const Computer& computer : kComputers) {
      BOOST_TEST_CONTEXT(golden.name() << ", " << computer.name) {
        BOOST_REQUIRE(builders.contains(golden.name()));
        play(golden, builders.at(golden.name()), computer);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
