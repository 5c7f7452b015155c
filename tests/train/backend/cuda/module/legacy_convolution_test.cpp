// What cuDNN's older calls are given, and what they are not asked. That they compute needs a device.
#include "train/backend/cuda/module/legacy_convolution.h"

#include <boost/test/unit_test.hpp>
#include <exception>
#include <string>

#include "tests/train/backend/cuda/recorded_cudnn.h"

namespace penstock::tests {
namespace {

using namespace train::cuda;

ConvolutionProblem square_problem(ProductPass pass) {
  return {.pass = pass,
          .type = ValueType::kFloat16,
          .batch = 2,
          .in_channels = 8,
          .height = 9,
          .width = 9,
          .filters = 8,
          .window = {.kernel = {3, 3},
                     .stride = {1, 1},
                     .pad_top = 1,
                     .pad_left = 1,
                     .pad_bottom = 1,
                     .pad_right = 1,
                     .dilation = {1, 1}}};
}

std::string refusal_of(const ConvolutionProblem& problem) {
  ProductLibraries libraries;
  try {
    legacy_candidates(libraries, problem, {});
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

BOOST_AUTO_TEST_SUITE(legacy_convolution)

BOOST_AUTO_TEST_CASE(uneven_padding_is_refused) {
  ConvolutionProblem problem = square_problem(ProductPass::kForward);
  problem.window.pad_right = 0;
  BOOST_TEST(refusal_of(problem) == "padding that differs from side to side");
}

BOOST_AUTO_TEST_CASE(results_of_another_type_are_refused) {
  ConvolutionProblem problem = square_problem(ProductPass::kWeightGradient);
  problem.has_float32_result = true;
  BOOST_TEST(refusal_of(problem) == "a result of another type");
}

// 2 x 9 x 9 x 8 to 12 filters of 3 x 3 in 4 groups, every second place.
ConvolutionProblem grouped_problem(ProductPass pass) {
  ConvolutionProblem problem = square_problem(pass);
  problem.filters = 12;
  problem.groups = 4;
  problem.window.stride = {2, 2};
  return problem;
}
constexpr Sides kX = {2, 8, 9, 9};
constexpr Sides kW = {12, 2, 3, 3};
constexpr Sides kY = {2, 12, 5, 5};

// Memory that nobody reads.
struct Memory {
  float x, w, dy, bias, result, workspace;
  ProductOperands operands() {
    return {.x = &x, .w = &w, .dy = &dy, .bias = &bias, .result = &result};
  }
};

void check_operand(const RecordedCall& call, const char* name, const void* memory,
                   const Sides& sides) {
  const auto place = call.operands.find(name);
  BOOST_REQUIRE(place != call.operands.end());
  BOOST_TEST((place->second.memory == memory), call.name << ": " << name);
  BOOST_TEST(place->second.sides == sides, boost::test_tools::per_element());
}

std::vector<RecordedCall> run(const ConvolutionProblem& problem, Memory& memory) {
  ProductLibraries libraries;
  give_handle(libraries);
  const auto plan = legacy_candidates(libraries, problem, {})->make(0);
  BOOST_REQUIRE(plan->run(memory.operands(), &memory.workspace, nullptr).is_ok());
  return RecordedCudnn::current().calls;
}

BOOST_AUTO_TEST_CASE(only_algorithms_within_the_limits_are_candidates) {
  ProductLibraries libraries;
  give_handle(libraries);
  for (const ProductPass pass :
       {ProductPass::kForward, ProductPass::kDataGradient, ProductPass::kWeightGradient}) {
    const auto same = legacy_candidates(libraries, square_problem(pass), {});
    BOOST_TEST(same->count() == 1u);
    BOOST_TEST(same->make(0)->name == "legacy algorithm 2 math 3");  // CUDNN_FMA_MATH
    BOOST_TEST(same->make(0)->is_deterministic);
    const auto free =
        legacy_candidates(libraries, square_problem(pass),
                          {.workspace_bytes = std::size_t{1} << 30, .is_deterministic = false});
    BOOST_TEST(free->count() == 3u);
    BOOST_TEST(free->restore(free->make(1)->stored)->name == "legacy algorithm 1 math 3");
    BOOST_CHECK_THROW(same->restore(free->make(1)->stored), std::exception);
  }
}

BOOST_AUTO_TEST_CASE(forward_takes_x_and_w_and_adds_the_bias) {
  Memory memory{};
  ConvolutionProblem problem = grouped_problem(ProductPass::kForward);
  problem.has_bias = true;
  const std::vector<RecordedCall> calls = run(problem, memory);
  BOOST_REQUIRE(calls.size() == 2u);
  check_operand(calls[0], "x", &memory.x, kX);
  check_operand(calls[0], "w", &memory.w, kW);
  check_operand(calls[0], "y", &memory.result, kY);
  BOOST_TEST(calls[0].algorithm == 2);
  BOOST_TEST((calls[0].workspace == &memory.workspace));
  BOOST_TEST(calls[0].workspace_bytes == std::size_t{1} << 20);
  check_operand(calls[1], "A", &memory.bias, {1, 12, 1, 1});
  check_operand(calls[1], "C", &memory.result, kY);
}

BOOST_AUTO_TEST_CASE(gradients_take_dy_and_the_other_operand) {
  Memory memory{};
  std::vector<RecordedCall> calls = run(grouped_problem(ProductPass::kDataGradient), memory);
  BOOST_REQUIRE(calls.size() == 1u);
  check_operand(calls[0], "dy", &memory.dy, kY);
  check_operand(calls[0], "w", &memory.w, kW);
  check_operand(calls[0], "dx", &memory.result, kX);
  calls = run(grouped_problem(ProductPass::kWeightGradient), memory);
  BOOST_REQUIRE(calls.size() == 1u);
  check_operand(calls[0], "x", &memory.x, kX);
  check_operand(calls[0], "dy", &memory.dy, kY);
  check_operand(calls[0], "dw", &memory.result, kW);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
