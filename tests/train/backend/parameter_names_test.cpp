// Programs share memory by name: no parameter may be called as what a backend keeps beside another.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/train/backend/training_bench.h"
#include "train/graph/custom_operation.h"

namespace penstock::train {
namespace {

/// Its input, with parameters that have no effect.
class Bystander final : public CustomOperation {
 public:
  explicit Bystander(std::vector<std::string> params) : params_(std::move(params)) {}

  std::string name() const override { return "bystander"; }
  TensorShape output_shape(std::span<const TensorShape> inputs) const override { return inputs[0]; }
  std::vector<CustomParameter> parameters(std::span<const TensorShape>) const override {
    std::vector<CustomParameter> list;
    for (const std::string& name : params_) list.push_back({.name = name, .shape = {2, 4}});
    return list;
  }
  std::uint64_t forward_flops(std::span<const TensorShape>) const override { return 0; }
  void forward(const CustomTensors& t, float* output) const override {
    std::copy_n(t.inputs[0], t.batch * t.input_shapes[0].num_elements(), output);
  }
  void backward(const CustomTensors& t, const float* output_gradient,
                std::span<float* const> input_gradients, std::span<float* const>) const override {
    if (input_gradients[0] == nullptr) return;
    for (std::size_t i = 0; i < t.batch * t.input_shapes[0].num_elements(); ++i) {
      input_gradients[0][i] += output_gradient[i];
    }
  }

 private:
  std::vector<std::string> params_;
};

ModelGraph look_alikes() {
  ModelGraph graph("look_alikes", {4, 1, 1});
  NodeId x = graph.input();
  const auto add = [&](const std::string& layer, std::vector<std::string> params) {
    const NodeId from[] = {x};
    x = graph.custom(layer, from, std::make_shared<Bystander>(std::move(params)));
  };
  add("head.weight", {"momentum", "ema", "sum", "copy1", "before_step"});
  add("head.weight.grad", {"sum"});
  add("optimizer", {"num_steps"});
  add("step", {"under_way"});
  graph.set_output(graph.dense("head", x, {.units = 2}));
  return graph;
}

BOOST_AUTO_TEST_SUITE(parameter_names)

BOOST_AUTO_TEST_CASE(every_parameter_and_state_has_memory_of_its_own) {
  for (const std::string_view name : backend_names()) {
    BOOST_TEST_CONTEXT("backend " << name) {
      Bench bench(
          make_backend(name, {.num_threads = 1}), look_alikes(),
          {{.batch = 2, .optimizer = {.momentum = 0.9, .ema_decay = 0.9}, .accumulates = true}});
      const std::size_t num_params = bench.graph().parameters().size();
      constexpr ParamPart kParts[] = {ParamPart::kMaster, ParamPart::kState, ParamPart::kEma};
      const auto values_of = [&](std::size_t param_idx, std::size_t k) {
        return std::vector<float>(bench.graph().parameters()[param_idx].num_elements(),
                                  static_cast<float>(1 + 10 * param_idx + k));
      };
      for (std::size_t i = 0; i < num_params; ++i) {
        for (std::size_t k = 0; k < std::size(kParts); ++k) {
          bench.program().import_param(i, kParts[k], values_of(i, k));
        }
      }
      bench.forward_and_backward(bench.batch(2, 1), {});  // gradients are somewhere, too
      for (std::size_t i = 0; i < num_params; ++i) {
        for (std::size_t k = 0; k < std::size(kParts); ++k) {
          BOOST_TEST_CONTEXT(bench.graph().parameters()[i].name << ", part " << k) {
            BOOST_TEST(bench.read(i, kParts[k]) == values_of(i, k),
                       boost::test_tools::per_element());
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
