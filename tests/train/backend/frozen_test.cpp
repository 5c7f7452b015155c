#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"

namespace penstock::train {
namespace {

std::size_t bytes_of(const Program& program, Role role) {
  std::size_t bytes = 0;
  for (const Buffer& buffer : program.buffers()) bytes += buffer.role == role ? buffer.bytes : 0;
  return bytes;
}

std::vector<bool> frozen_but(const ModelGraph& graph, std::string_view layer) {
  std::vector<bool> frozen;
  for (const Parameter& parameter : graph.parameters()) {
    frozen.push_back(graph.node(parameter.node).name != layer);
  }
  return frozen;
}

BOOST_AUTO_TEST_SUITE(frozen)

BOOST_AUTO_TEST_CASE(frozen_weights_stay_and_the_others_learn_as_before) {
  for (const std::string_view name : backend_names()) {
    for (const ModelGraph& graph : {strided_model(), residual_model(), resnet_blocks_model()}) {
      Bench free(make_backend(name, {.num_threads = 2}), graph, {{.batch = 4}});
      Bench fixed(make_backend(name, {.num_threads = 2}), graph,
                  {{.batch = 4, .frozen_params = frozen_but(graph, "head")}});
      const ToyBatch batch = free.batch(4, 1);
      free.forward_and_backward(batch, {});
      fixed.forward_and_backward(batch, {.learning_rate = 0.1});
      std::vector<std::vector<float>> before;
      for (std::size_t i = 0; i < graph.parameters().size(); ++i) before.push_back(fixed.read(i));
      fixed.update();
      for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
        if (!graph.parameters()[i].is_trainable) continue;
        const bool is_head = graph.node(graph.parameters()[i].node).name == "head";
        BOOST_TEST_CONTEXT(name << ", " << graph.parameters()[i].name) {
          BOOST_TEST((fixed.read(i) != before[i]) == is_head);
          if (!is_head) {
            BOOST_CHECK_THROW(fixed.read(i, ParamPart::kGrad), Error);
            continue;
          }
          BOOST_TEST(relative_l2(fixed.read(i, ParamPart::kGrad), free.read(i, ParamPart::kGrad)) <
                     1e-6);
        }
      }
      // Nothing before the head is kept for a backward pass that there is none of.
      BOOST_TEST(bytes_of(fixed.program(), Role::kGrad) < bytes_of(free.program(), Role::kGrad));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_layer_in_the_middle_learns_alone) {
  for (const std::string_view name : backend_names()) {
    const ModelGraph graph = residual_model();
    Bench free(make_backend(name, {.num_threads = 2}), graph, {{.batch = 4}});
    Bench fixed(make_backend(name, {.num_threads = 2}), graph,
                {{.batch = 4, .frozen_params = frozen_but(graph, "left1_bn")}});
    const ToyBatch batch = free.batch(4, 1);
    free.forward_and_backward(batch, {});
    fixed.forward_and_backward(batch, {});
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      const Parameter& parameter = graph.parameters()[i];
      if (!parameter.is_trainable || graph.node(parameter.node).name != "left1_bn") continue;
      BOOST_TEST_CONTEXT(name << ", " << parameter.name) {
        BOOST_TEST(relative_l2(fixed.read(i, ParamPart::kGrad), free.read(i, ParamPart::kGrad)) <
                   1e-5);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_step_in_which_nothing_learns_changes_nothing) {
  for (const std::string_view name : backend_names()) {
    const ModelGraph graph = strided_model();
    Bench bench(
        make_backend(name, {.num_threads = 2}), graph,
        {{.batch = 4, .frozen_params = std::vector<bool>(graph.parameters().size(), true)}});
    bench.forward_and_backward(bench.batch(4, 1), {.learning_rate = 0.1});
    BOOST_TEST(bench.update().gradient_norm == 0.0);
    BOOST_TEST(bench.read(0) == initial_value(graph, 0, 3), boost::test_tools::per_element());
    std::vector<std::uint64_t> num_steps(graph.parameters().size(), 1);
    bench.program().export_num_steps(num_steps);
    BOOST_TEST(num_steps == std::vector<std::uint64_t>(num_steps.size(), 0),
               boost::test_tools::per_element());
  }
}

// With running statistics batch norm is y = (x - mean) / deviation * scale + shift: the same in training as in
// evaluation, and the statistics stay. Gradients of both backends agree.
BOOST_AUTO_TEST_CASE(a_fixed_norm_takes_running_statistics_and_leaves_them) {
  const ModelGraph graph = normalized_model();
  std::vector<bool> fixed_norms(graph.nodes().size(), true);
  std::vector<std::vector<std::vector<float>>> gradients;
  for (const std::string_view name : backend_names()) {
    Bench bench(make_backend(name, {.num_threads = 2}), graph,
                {{.batch = 1, .fixed_norms = fixed_norms}, {.batch = 1, .mode = Mode::kEvaluate}});
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      const ParamKind kind = graph.parameters()[i].kind;
      if (kind != ParamKind::kRunningMean && kind != ParamKind::kRunningVar) continue;
      std::vector<float> values(graph.parameters()[i].num_elements());
      for (std::size_t j = 0; j < values.size(); ++j) {
        values[j] =
            (kind == ParamKind::kRunningVar ? 0.5f : -0.2f) + 0.1f * static_cast<float>(j % 7);
      }
      bench.program().import_param(i, ParamPart::kMaster, values);
    }
    const ToyBatch batch = bench.batch(1, 3);
    bench.forward_and_backward(batch, {});
    gradients.emplace_back();
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      if (graph.parameters()[i].is_trainable) {
        gradients.back().push_back(bench.read(i, ParamPart::kGrad));
      }
    }
    const std::vector<float> trained = bench.logits(0);
    bench.forward(bench.program(1), batch);
    BOOST_TEST(relative_l2(bench.logits(1), trained) < 1e-6);
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      if (graph.parameters()[i].kind == ParamKind::kRunningVar) {
        BOOST_TEST(bench.read(i)[1] == 0.6f, boost::test_tools::tolerance(1e-6f));
      }
    }
  }
  BOOST_REQUIRE(gradients.size() >= 2u);
  for (std::size_t i = 0; i < gradients[0].size(); ++i) {
    BOOST_TEST(relative_l2(gradients[0][i], gradients[1][i]) < 1e-5);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
