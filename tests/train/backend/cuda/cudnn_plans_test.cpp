// Plans of cuDNN for devices that are described: no device, no driver. What is asked is cuDNN itself.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>

#include "tests/contains.h"
#include "tests/train/backend/cuda/asked_plans.h"
#include "tests/train/backend/cuda/described_device.h"
#include "train/backend/cuda/product_plans.h"

namespace penstock::tests {
namespace {

using namespace train::cuda;
using train::Window;

// The middle of ResNet-18: 128 to 128 channels, 3 x 3, 28 x 28.
ConvolutionProblem resnet_problem(ProductPass pass, ValueType type = ValueType::kFloat16) {
  return {.pass = pass,
          .type = type,
          .batch = 32,
          .in_channels = 128,
          .height = 28,
          .width = 28,
          .filters = 128,
          .window = {.kernel = {3, 3},
                     .stride = {1, 1},
                     .pad_top = 1,
                     .pad_left = 1,
                     .pad_bottom = 1,
                     .pad_right = 1,
                     .dilation = {1, 1}}};
}

constexpr ProductPass kPasses[] = {ProductPass::kForward, ProductPass::kDataGradient,
                                   ProductPass::kWeightGradient};

BOOST_AUTO_TEST_SUITE(cudnn_plans)

BOOST_AUTO_TEST_CASE(keys_name_everything_that_makes_problems_differ) {
  ConvolutionProblem problem = resnet_problem(ProductPass::kForward);
  problem.has_bias = true;
  problem.window.pad_bottom = 2;
  BOOST_TEST(problem.key() == "conv forward f16 32x28x28x128 k128 g1 w3x3 s1x1 d1x1 p1.1.2.1 bias");
  const DenseProblem dense{.pass = ProductPass::kWeightGradient,
                           .may_use_tf32 = true,
                           .has_float32_result = true,
                           .rows = 32,
                           .inputs = 512,
                           .units = 1000};
  BOOST_TEST(dense.key() == "dense weight_gradient tf32 32x512 u1000 to_f32");
}

// Expected: PyTorch 2.11's output sizes of Conv2d, floor((side + padding - dilation * (kernel - 1) - 1) / stride + 1).
BOOST_AUTO_TEST_CASE(outputs_are_as_large_as_the_windows_places) {
  ConvolutionProblem problem = resnet_problem(ProductPass::kForward);
  problem.height = 225;
  problem.width = 7;
  problem.window.stride = {2, 3};
  problem.window.dilation = {2, 1};
  BOOST_TEST(problem.output().rows == 112u);  // (225 + 2 - 2 * 2 - 1) / 2 + 1
  BOOST_TEST(problem.output().cols == 3u);    // (7 + 2 - 2 - 1) / 3 + 1
  problem.width = 0;
  problem.window.pad_left = 0;
  BOOST_TEST(problem.output().cols == 0u);
}

BOOST_AUTO_TEST_CASE(a_stored_plan_is_found_again) {
  DescribedLibraries libraries(90);
  for (const ProductPass pass : kPasses) {
    const ConvolutionProblem problem = resnet_problem(pass);
    const AskedPlan asked = ask(libraries.get(), problem);
    ProductCandidates* candidates = nullptr;
    BOOST_REQUIRE(find_candidates(libraries.get(), problem, {}, &candidates).is_ok());
    ProductPlan* plan = nullptr;
    BOOST_REQUIRE(restore_plan(*candidates, asked.stored.c_str(), &plan).is_ok());
    BOOST_TEST(plan_facts(*plan).name == asked.name);
    BOOST_TEST(plan_facts(*plan).workspace_bytes == asked.workspace_bytes);
    destroy_plan(plan);
    const DeviceStatus other = restore_plan(*candidates, "cudnn 90100 sm_90 eng0_k2=1", &plan);
    BOOST_TEST(!other.is_ok());
    BOOST_TEST(contains(other.text, "found: cudnn 90100 sm_90 eng0_k2=1"));
    close_candidates(candidates);
  }
}

BOOST_AUTO_TEST_CASE(a_plan_outlives_its_candidates_and_does_not_run_without_a_device) {
  DescribedLibraries libraries(80);
  ProductCandidates* candidates = nullptr;
  const ConvolutionProblem problem = resnet_problem(ProductPass::kForward);
  BOOST_REQUIRE(find_candidates(libraries.get(), problem, {}, &candidates).is_ok());
  std::uint32_t idx = 0;
  while (is_compiled_for(*candidates, idx)) ++idx;
  ProductPlan* plan = nullptr;
  BOOST_REQUIRE(make_plan(*candidates, idx, &plan).is_ok());
  close_candidates(candidates);
  const DeviceStatus status = run_plan(*plan, {}, nullptr, nullptr);
  BOOST_TEST(std::string(status.text) == "the device of this plan is not here");
  destroy_plan(plan);
}

BOOST_AUTO_TEST_CASE(bfloat16_is_refused_before_ampere) {
  DescribedLibraries libraries(75);
  const AskedPlan asked =
      ask(libraries.get(), resnet_problem(ProductPass::kForward, ValueType::kBfloat16));
  BOOST_TEST(asked.name == "");
  BOOST_TEST(contains(asked.reason, "bfloat16 needs compute capability 8.0, found 7.5"));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  DescribedLibraries libraries(80);
  ConvolutionProblem problem = resnet_problem(ProductPass::kForward);
  problem.groups = 3;
  BOOST_TEST(contains(ask(libraries.get(), problem).reason, "channels that the groups divide"));
  problem = resnet_problem(ProductPass::kDataGradient);
  problem.has_bias = true;
  BOOST_TEST(ask(libraries.get(), problem).name == "");
}

// On tensor cores float32 is TF32.
BOOST_AUTO_TEST_CASE(float32_has_fewer_candidates_where_tf32_is_not_allowed) {
  DescribedLibraries libraries(80);
  for (const ProductPass pass : kPasses) {
    ConvolutionProblem problem = resnet_problem(pass, ValueType::kFloat32);
    const AskedPlan strict = ask(libraries.get(), problem);
    problem.may_use_tf32 = true;
    const AskedPlan tf32 = ask(libraries.get(), problem);
    BOOST_TEST(strict.num_candidates < tf32.num_candidates);
    BOOST_TEST(strict.name != tf32.name);
  }
}

BOOST_AUTO_TEST_CASE(plans_keep_to_the_workspace_and_to_determinism) {
  DescribedLibraries libraries(80);
  // In float16 all of cuDNN 9.19's are deterministic.
  const ConvolutionProblem problem =
      resnet_problem(ProductPass::kWeightGradient, ValueType::kFloat32);
  const AskedPlan free = ask(libraries.get(), problem, {.is_deterministic = false});
  const AskedPlan same = ask(libraries.get(), problem);
  const AskedPlan none = ask(libraries.get(), problem, {.workspace_bytes = 0});
  BOOST_TEST(same.is_deterministic);
  BOOST_TEST(same.num_candidates < free.num_candidates);
  BOOST_TEST(none.num_candidates < same.num_candidates);
  BOOST_TEST(none.workspace_bytes == 0u);
  BOOST_TEST(none.name != "");
}

// Padding as Keras has it at an even side, gaps, groups, odd channels: none of them is in the models by name.
BOOST_AUTO_TEST_CASE(unhandy_windows_and_channels_have_plans) {
  for (const std::uint32_t compute_capability : {75u, 80u, 90u}) {
    DescribedLibraries libraries(compute_capability);
    for (const ProductPass pass : kPasses) {
      ConvolutionProblem keras = resnet_problem(pass);
      keras.window.stride = {2, 2};
      keras.window.pad_top = keras.window.pad_left = 0;
      ConvolutionProblem dilated = resnet_problem(pass);
      dilated.window.dilation = {2, 2};
      ConvolutionProblem grouped = resnet_problem(pass);
      grouped.groups = 32;
      ConvolutionProblem odd = resnet_problem(pass);
      odd.in_channels = 35;
      odd.filters = 6;
      for (const ConvolutionProblem& problem : {keras, dilated, grouped, odd}) {
        const AskedPlan asked = ask(libraries.get(), problem);
        BOOST_TEST(asked.name != "",
                   "sm_" << compute_capability << " " << problem.key() << ": " << asked.reason);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
