// Every convolution of every named model has a plan, on each device for which the module is compiled, within 256 MiB.
// The tables go to standard output: ctest --verbose -R cudnn_plans.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/train/backend/cuda/asked_plans.h"
#include "tests/train/backend/cuda/described_device.h"
#include "tests/train/backend/cuda/zoo_convolutions.h"
#include "train/graph/model_zoo.h"

namespace penstock::tests {
namespace {

using namespace train::cuda;

struct Precision {
  const char* name;
  ValueType type;
  bool may_use_tf32;
  std::uint32_t first_compute_capability;
};
constexpr Precision kPrecisions[] = {{"float32", ValueType::kFloat32, false, 75},
                                     {"tf32", ValueType::kFloat32, true, 80},
                                     {"float16", ValueType::kFloat16, false, 75},
                                     {"bfloat16", ValueType::kBfloat16, false, 80}};

// At the side that models are trained at; the small ones also at that of CIFAR's pictures.
std::vector<ConvolutionProblem> problems_of(std::string_view model, std::uint32_t first_channels) {
  std::vector<ConvolutionProblem> problems = zoo_convolutions(model, 224, first_channels);
  constexpr std::string_view kSmall[] = {"lenet", "small_cnn", "resnet9", "resnet18"};
  if (std::ranges::find(kSmall, model) != std::end(kSmall)) {
    for (const auto& problem : zoo_convolutions(model, 32, first_channels)) {
      if (std::ranges::find(problems, problem) == problems.end()) problems.push_back(problem);
    }
  }
  return problems;
}

// One device and precision. Models share layers, which are asked once.
class PlanTable {
 public:
  PlanTable(std::uint32_t compute_capability, const Precision& precision)
      : libraries_(compute_capability),
        title_("sm_" + std::to_string(compute_capability) + " " + precision.name),
        precision_(precision) {}

  void add_row(std::string_view model) {
    std::size_t workspace_bytes = 0;
    int num_compiled = 0;
    const std::vector<ConvolutionProblem> problems = problems_of(model, 4);
    for (const ConvolutionProblem& problem : problems) {
      const AskedPlan& asked = asked_for(problem);
      BOOST_TEST(asked.name != "",
                 title_ << " " << model << ": " << problem.key() << ": " << asked.reason);
      BOOST_TEST(asked.workspace_bytes <= PlanLimits{}.workspace_bytes, problem.key());
      BOOST_TEST(asked.is_deterministic, problem.key());
      workspace_bytes = std::max(workspace_bytes, asked.workspace_bytes);
      if (asked.is_first_compiled) ++num_compiled;
    }
    // Torchvision's models have from 2 (lenet) to 120 (densenet121) convolutions.
    BOOST_TEST(problems.size() >= 5u);
    std::printf("%-15s %-19s %4zu problems, %3d compiled first, workspace %6.1f MiB\n",
                title_.c_str(), std::string(model).c_str(), problems.size(), num_compiled,
                static_cast<double>(workspace_bytes) / (1 << 20));
  }

 private:
  const AskedPlan& asked_for(ConvolutionProblem problem) {
    problem.type = precision_.type;
    problem.may_use_tf32 = precision_.may_use_tf32;
    const auto [place, is_new] = asked_.try_emplace(problem.key());
    if (is_new) place->second = ask(libraries_.get(), problem);
    return place->second;
  }

  DescribedLibraries libraries_;
  std::string title_;
  Precision precision_;
  std::map<std::string, AskedPlan> asked_;
};

void ask_for_all(std::uint32_t compute_capability) {
  for (const Precision& precision : kPrecisions) {
    if (compute_capability < precision.first_compute_capability) continue;
    PlanTable table(compute_capability, precision);
    for (const std::string_view model : train::model_names()) table.add_row(model);
  }
}

BOOST_AUTO_TEST_SUITE(zoo_plans)

BOOST_AUTO_TEST_CASE(every_convolution_has_a_plan_on_sm_75) {
  ask_for_all(75);
}

BOOST_AUTO_TEST_CASE(every_convolution_has_a_plan_on_sm_80) {
  ask_for_all(80);
}

BOOST_AUTO_TEST_CASE(every_convolution_has_a_plan_on_sm_90) {
  ask_for_all(90);
}

// Which pad of a picture's channels has what plan is for who chooses it to read; that there is one is tested.
BOOST_AUTO_TEST_CASE(first_layers_have_plans_with_3_4_and_8_channels) {
  for (const std::uint32_t compute_capability : {75u, 80u, 90u}) {
    DescribedLibraries libraries(compute_capability);
    for (const std::uint32_t channels : {3u, 4u, 8u}) {
      for (ConvolutionProblem problem : zoo_convolutions("resnet50", 224, channels)) {
        if (problem.in_channels != channels) continue;
        problem.type = ValueType::kFloat16;
        const AskedPlan asked = ask(libraries.get(), problem);
        BOOST_TEST(asked.name != "", problem.key() << ": " << asked.reason);
        std::printf("sm_%u %s: %s, %u candidates\n", compute_capability, problem.key().c_str(),
                    asked.name.c_str(), asked.num_candidates);
      }
    }
  }
}

// A gradient that a cheaper sum over micro-batches would want. Nothing relies on it: only the count is printed.
BOOST_AUTO_TEST_CASE(weight_gradients_of_float16_in_float32_are_given_or_refused_with_a_reason) {
  for (const std::uint32_t compute_capability : {75u, 80u, 90u}) {
    DescribedLibraries libraries(compute_capability);
    int num_asked = 0;
    int num_given = 0;
    for (ConvolutionProblem problem : problems_of("resnet50", 4)) {
      if (problem.pass != ProductPass::kWeightGradient) continue;
      problem.type = ValueType::kFloat16;
      problem.has_float32_result = true;
      const AskedPlan asked = ask(libraries.get(), problem);
      ++num_asked;
      if (asked.name != "") ++num_given;
      BOOST_TEST((asked.name != "" || asked.reason != ""));
    }
    BOOST_TEST(num_asked > 0);
    std::printf("sm_%u: %d of %d weight gradients of resnet50 in float16 have a float32 result\n",
                compute_capability, num_given, num_asked);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
