// One operation between inputs whose gradients can be read and a flat output, with the values of
// tests/interop/torch_ops.py.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/golden_file.h"
#include "tests/train/backend/even_values.h"
#include "tests/train/backend/torch_ops_cases.h"
#include "tests/train/backend/training_bench.h"
#include "train/graph/custom_operation.h"
#include "train/loss/custom_loss.h"

namespace penstock::train {

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

/// The script's Input.values().
inline std::vector<float> input_values(const penstock::tests::GoldenCase& golden,
                                       const std::string& input, std::size_t count) {
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
inline std::vector<float> parameter_values(const std::string& case_name,
                                           const Parameter& parameter) {
  const bool is_around_1 = parameter.name.ends_with("running_var") ||
                           (parameter.name.ends_with("weight") && parameter.shape.size() == 1);
  const EvenValues even(case_name + "." + parameter.name);
  std::vector<float> values(parameter.num_elements());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>((is_around_1 ? 1 : 0) + 0.5 * even.at(i));
  }
  return values;
}

/// A case of torch_ops.txt as a graph, and what a step of it comes to.
class OneOperation {
 public:
  /// What a backend computed, by the names of the file: "y", "x0.gradient", "op.weight.gradient",
  /// "op.running_mean".
  using Results = std::map<std::string, std::vector<float>>;
  /// Applied to all that goes in.
  using Rounding = std::function<void(std::vector<float>&)>;

  OneOperation(const penstock::tests::GoldenCase& golden, const OpBuilder& build)
      : golden_(golden) {
    std::vector<NodeId> inputs;
    for (std::string name = "x0"; golden.has(name + ".shape");
         name = "x" + std::to_string(inputs.size())) {
      const std::vector<double> sides = golden.numbers(name + ".shape");
      const auto side = [&](std::size_t i) { return static_cast<std::uint32_t>(sides.at(i)); };
      batch_ = side(0);
      const NodeId from[] = {graph_.input()};
      inputs.push_back(graph_.custom(
          name, from,
          std::make_shared<GivenValues>(batch_, TensorShape{side(1), side(2), side(3)})));
    }
    graph_.set_output(graph_.flatten("out", build(graph_, inputs)));
  }

  /// What the case's builder added: no input, no "out".
  std::vector<Operation> operations() const {
    std::vector<Operation> found;
    for (const Node& node : graph_.nodes()) {
      const bool is_frame = std::holds_alternative<InputOp>(node.op) || node.name == "out" ||
                            golden_.has(node.name + ".shape");
      if (!is_frame) found.push_back(node.op);
    }
    return found;
  }

  Lowering lowering(bool fuse, ComputeType compute = ComputeType::kFloat32) const {
    Lowering lowering{
        .batch = batch_,
        .compute = compute,
        .loss = {.kind = LossKind::kCustom, .custom = std::make_shared<ScalarProduct>()},
        .label_form = LabelForm::kTargets,
        .fuse = fuse};
    const bool is_norm_fixed = golden_.name().ends_with("_fixed");
    for (const Node& node : graph_.nodes()) {
      lowering.fixed_norms.push_back(is_norm_fixed && node.name == "op");
    }
    return lowering;
  }

  Results play(std::unique_ptr<Backend> backend, const Lowering& lowering,
               const Rounding& round = {}) const {
    Bench bench(std::move(backend), graph_, {lowering});
    const auto parameters = graph_.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::string input = input_of(parameters[i]);
      std::vector<float> values = input.empty()
                                      ? parameter_values(golden_.name(), parameters[i])
                                      : input_values(golden_, input, parameters[i].num_elements());
      if (round) round(values);
      bench.program().import_param(i, ParamPart::kMaster, values);
    }
    ToyBatch batch = bench.batch(batch_, 0);
    std::vector<float> by_output(std::size_t{batch_} * graph_.num_classes());
    const EvenValues even(golden_.name() + ".out");
    for (std::size_t i = 0; i < by_output.size(); ++i) {
      by_output[i] = static_cast<float>(even.at(i));
    }
    if (round) round(by_output);
    batch.set_targets(by_output);

    bench.backend().upload(batch.lease(), 0);
    bench.backend().set_scalars({.inv_weight_sum = 1}, 0);
    bench.program().run(Phase::kForward, 0);
    bench.program().run(Phase::kBackward, 0);
    Results results{{"y", bench.logits()}};
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::string input = input_of(parameters[i]);
      const std::string name = input.empty() ? parameters[i].name : input;
      if (parameters[i].is_trainable) {
        results[name + ".gradient"] = bench.read(i, ParamPart::kGrad);
      } else {
        results[name] = bench.read(i);
      }
    }
    return results;
  }

 private:
  /// "x0" of the tensor that is an input, nothing of one that the operation has.
  std::string input_of(const Parameter& parameter) const {
    const std::string& node = graph_.node(parameter.node).name;
    return node == "op" ? std::string() : node;
  }

  const penstock::tests::GoldenCase& golden_;
  ModelGraph graph_{"one_operation", {1, 1, 1}};
  std::uint32_t batch_ = 0;
};

}  // namespace penstock::train
