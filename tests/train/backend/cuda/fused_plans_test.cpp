// Which convolutions of ResNets cuDNN computes together with what lies beside them: asked of the library itself, for
// devices that are described. Where it says that it can, there is a plan within the limits; that it can is for who
// reads the table, and for float16 on sm_80 and later as NVIDIA's manual has it.
// Source  docs.nvidia.com, cuDNN graph API, "Specialized Pre-Compiled Engines": ConvBNfprop, ConvBNwgrad
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/contains.h"
#include "tests/train/backend/cuda/asked_plans.h"
#include "tests/train/backend/cuda/described_device.h"
#include "tests/train/backend/cuda/zoo_convolutions.h"

namespace penstock::tests {
namespace {

using namespace train::cuda;

struct Counted {
  int num_asked = 0;
  int num_with = 0;
  int num_compiled =
      0;  // of these, with kernels alone that are compiled as the plan is made, which needs a device
};

struct Precision {
  const char* name;
  ValueType type;
  bool may_use_tf32;
};
constexpr Precision kPrecisions[] = {{"float32", ValueType::kFloat32, false},
                                     {"tf32", ValueType::kFloat32, true},
                                     {"float16", ValueType::kFloat16, false},
                                     {"bfloat16", ValueType::kBfloat16, false}};

struct FusionKind {
  const char* name;
  ProductPass pass;
  bool has_norm_relu;
  bool has_statistics;
};
constexpr FusionKind kKinds[] = {
    {"statistics", ProductPass::kForward, false, true},
    {"norm_relu", ProductPass::kForward, true, false},
    {"norm_relu + statistics", ProductPass::kForward, true, true},
    {"norm_relu, weights' gradient", ProductPass::kWeightGradient, true, false}};

ConvolutionProblem fused(ConvolutionProblem problem, const FusionKind& kind) {
  problem.has_norm_relu = kind.has_norm_relu;
  problem.has_statistics = kind.has_statistics;
  return problem;
}

// All convolutions of a model, the first of 3 channels aside: no norm stands before it.
Counted count(ProductLibraries& libraries, std::string_view model, const Precision& precision,
              const FusionKind& kind) {
  Counted counted;
  for (ConvolutionProblem problem : zoo_convolutions(model, 224, 4)) {
    if (problem.pass != kind.pass || (kind.has_norm_relu && problem.in_channels == 4)) continue;
    problem.type = precision.type;
    problem.may_use_tf32 = precision.may_use_tf32;
    ++counted.num_asked;
    const AskedPlan asked = ask(libraries, fused(problem, kind));
    if (asked.num_candidates == 0) {
      BOOST_TEST(asked.reason != "");
      continue;
    }
    ++counted.num_with;
    if (asked.reason == "every candidate has to be compiled" && asked.name.empty()) {
      ++counted.num_compiled;
      continue;
    }
    BOOST_TEST(asked.name != "", fused(problem, kind).key() << ": " << asked.reason);
    BOOST_TEST(asked.workspace_bytes <= PlanLimits{}.workspace_bytes);
    BOOST_TEST(asked.is_deterministic);
  }
  return counted;
}

// ResNet-18, the middle: 128 to 128 channels.
ConvolutionProblem resnet_problem(ProductPass pass) {
  return {.pass = pass,
          .type = ValueType::kFloat16,
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
                     .pad_right = 1}};
}

BOOST_AUTO_TEST_SUITE(fused_plans)

BOOST_AUTO_TEST_CASE(what_is_claimed_has_a_plan_within_the_limits) {
  for (const std::uint32_t compute_capability : {75u, 80u, 90u}) {
    DescribedLibraries libraries(compute_capability);
    for (const Precision& precision : kPrecisions) {
      for (const FusionKind& kind : kKinds) {
        for (const char* model : {"resnet18", "resnet50"}) {
          const Counted counted = count(libraries.get(), model, precision, kind);
          std::printf("sm_%u %-8s %-8s %-28s %2d of %2d convolutions, %2d to be compiled\n",
                      compute_capability, precision.name, model, kind.name, counted.num_with,
                      counted.num_asked, counted.num_compiled);
          BOOST_TEST(counted.num_asked > 0);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_full_patterns_have_plans_in_float16_from_ampere_on) {
  for (const std::uint32_t compute_capability : {80u, 90u}) {
    DescribedLibraries libraries(compute_capability);
    for (const FusionKind& kind : kKinds) {
      const bool is_full = kind.has_statistics || kind.pass == ProductPass::kWeightGradient;
      if (!is_full) continue;
      const AskedPlan asked = ask(libraries.get(), fused(resnet_problem(kind.pass), kind));
      BOOST_TEST(asked.name != "", kind.name << ": " << asked.reason);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_fused_plan_is_stored_and_found_again) {
  DescribedLibraries libraries(90);
  for (const FusionKind& kind : kKinds) {
    const ConvolutionProblem problem = fused(resnet_problem(kind.pass), kind);
    const AskedPlan asked = ask(libraries.get(), problem);
    if (asked.num_candidates == 0) continue;
    ProductCandidates* candidates = nullptr;
    BOOST_REQUIRE(find_candidates(libraries.get(), problem, {}, &candidates).is_ok());
    ProductPlan* plan = nullptr;
    BOOST_REQUIRE(restore_plan(*candidates, asked.stored.c_str(), &plan).is_ok());
    BOOST_TEST(plan_facts(*plan).name == asked.name);
    destroy_plan(plan);
    close_candidates(candidates);
  }
}

BOOST_AUTO_TEST_CASE(what_no_pass_has_is_refused_before_the_library_is_asked) {
  DescribedLibraries libraries(80);
  ConvolutionProblem data = resnet_problem(ProductPass::kDataGradient);
  data.has_norm_relu = true;
  ConvolutionProblem weights = resnet_problem(ProductPass::kWeightGradient);
  weights.has_statistics = true;
  for (const ConvolutionProblem& problem : {data, weights}) {
    const AskedPlan asked = ask(libraries.get(), problem);
    BOOST_TEST(asked.num_candidates == 0u);
    BOOST_TEST(contains(asked.reason, problem.key() + ": expected sizes"));
  }
}

// By float16: 12 channels are 24 bytes, so that what lies behind scale would lie between two times 16.
BOOST_AUTO_TEST_CASE(channels_that_leave_shift_or_sums_unaligned_are_refused) {
  DescribedLibraries libraries(80);
  ConvolutionProblem norm = resnet_problem(ProductPass::kForward);
  norm.in_channels = 12;
  norm.has_norm_relu = true;
  ConvolutionProblem sums = resnet_problem(ProductPass::kForward);
  sums.filters = 6;
  sums.has_statistics = true;
  for (const ConvolutionProblem& problem : {norm, sums}) {
    BOOST_TEST(contains(ask(libraries.get(), problem).reason,
                        ": expected channels in multiples of 16 bytes"));
    BOOST_TEST(ask(libraries.get(), problem.alone()).name != "");
  }
}

BOOST_AUTO_TEST_CASE(keys_say_what_is_computed_beside_a_convolution) {
  ConvolutionProblem problem = resnet_problem(ProductPass::kForward);
  const std::string alone = problem.key();
  BOOST_TEST(alone == "conv forward f16 32x28x28x128 k128 g1 w3x3 s1x1 d1x1 p1.1.1.1");
  problem.has_statistics = true;
  BOOST_TEST(problem.key() == alone + " statistics");
  problem.has_norm_relu = true;
  BOOST_TEST(problem.key() == alone + " norm_relu statistics");
  BOOST_TEST(problem.alone().key() == alone);
  BOOST_TEST(problem.is_fused());
  BOOST_TEST(!problem.alone().is_fused());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
