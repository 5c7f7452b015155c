// What a graph's plan hands to cuDNN when it runs. That it computes needs a device.
#include "train/backend/cuda/module/convolution_plans.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "tests/train/backend/cuda/described_device.h"
#include "tests/train/backend/cuda/recorded_cudnn.h"

namespace penstock::tests {
namespace {

using namespace train::cuda;

// The order in convolution_plans.cpp.
enum Uid : std::int64_t { kX = 1, kW, kDy, kBias, kResult, kScale, kShift, kSum, kSquareSum };

constexpr std::uint32_t kFilters = 32;

struct Memory {
  float x, w, dy, bias, scale, shift, result, workspace;
  float sums[2 * kFilters];
  ProductOperands operands() {
    return {.x = &x,
            .w = &w,
            .dy = &dy,
            .bias = &bias,
            .scale = &scale,
            .shift = &shift,
            .result = &result,
            .sums = sums};
  }
};

std::unique_ptr<ProductPlan> plan_of(ProductLibraries& libraries, ProductPass pass,
                                     bool is_fused = false) {
  const ConvolutionProblem problem{.pass = pass,
                                   .type = ValueType::kFloat16,
                                   .has_bias = pass == ProductPass::kForward && !is_fused,
                                   .has_norm_relu = is_fused,
                                   .has_statistics = is_fused && pass == ProductPass::kForward,
                                   .batch = 4,
                                   .in_channels = 64,
                                   .height = 14,
                                   .width = 14,
                                   .filters = kFilters,
                                   .window = {.kernel = {1, 1}, .stride = {1, 1}}};
  const auto candidates = graph_candidates(libraries, problem, {});
  std::uint32_t idx = 0;
  while (candidates->is_compiled_for(idx)) ++idx;
  return candidates->make(idx);
}

BOOST_AUTO_TEST_SUITE(convolution_plans)

BOOST_AUTO_TEST_CASE(each_pass_hands_over_what_it_reads_and_the_result) {
  Memory memory{};
  for (const ProductPass pass :
       {ProductPass::kForward, ProductPass::kDataGradient, ProductPass::kWeightGradient}) {
    DescribedLibraries libraries(80);
    const auto plan = plan_of(libraries.get(), pass);
    give_handle(libraries.get());
    BOOST_REQUIRE(plan->run(memory.operands(), &memory.workspace, nullptr).is_ok());
    std::map<std::int64_t, const void*> expected = {{kResult, &memory.result}};
    if (pass != ProductPass::kDataGradient) expected[kX] = &memory.x;
    if (pass != ProductPass::kWeightGradient) expected[kW] = &memory.w;
    if (pass != ProductPass::kForward) expected[kDy] = &memory.dy;
    if (pass == ProductPass::kForward) expected[kBias] = &memory.bias;
    const RecordedCall& call = RecordedCudnn::current().calls.at(0);
    BOOST_TEST((call.by_uid == expected));
    BOOST_TEST((call.workspace == &memory.workspace));
  }
}

BOOST_AUTO_TEST_CASE(a_fused_pass_hands_over_what_lies_beside_the_convolution) {
  Memory memory{};
  for (const ProductPass pass : {ProductPass::kForward, ProductPass::kWeightGradient}) {
    DescribedLibraries libraries(90);
    const auto plan = plan_of(libraries.get(), pass, true);
    give_handle(libraries.get());
    BOOST_REQUIRE(plan->run(memory.operands(), &memory.workspace, nullptr).is_ok());
    std::map<std::int64_t, const void*> expected = {{kX, &memory.x},
                                                    {kScale, &memory.scale},
                                                    {kShift, &memory.shift},
                                                    {kResult, &memory.result}};
    if (pass == ProductPass::kWeightGradient) expected[kDy] = &memory.dy;
    if (pass == ProductPass::kForward) {
      expected[kW] = &memory.w;
      expected[kSum] = memory.sums;
      expected[kSquareSum] = memory.sums + kFilters;
    }
    BOOST_TEST((RecordedCudnn::current().calls.at(0).by_uid == expected));
  }
}

BOOST_AUTO_TEST_CASE(the_same_operands_are_packed_once_and_others_anew) {
  Memory memory{};
  Memory other{};
  DescribedLibraries libraries(90);
  const auto plan = plan_of(libraries.get(), ProductPass::kDataGradient);
  give_handle(libraries.get());
  const RecordedCudnn& recorded = RecordedCudnn::current();
  BOOST_REQUIRE(plan->run(memory.operands(), &memory.workspace, nullptr).is_ok());
  const void* const pack = recorded.last_pack;
  BOOST_REQUIRE(plan->run(memory.operands(), &memory.workspace, nullptr).is_ok());
  BOOST_TEST((recorded.last_pack == pack));
  BOOST_REQUIRE(plan->run(other.operands(), &memory.workspace, nullptr).is_ok());
  BOOST_TEST((recorded.calls.back().by_uid.at(kDy) == &other.dy));
  BOOST_REQUIRE(plan->run(other.operands(), &other.workspace, nullptr).is_ok());
  BOOST_TEST((recorded.calls.back().workspace == &other.workspace));
}

BOOST_AUTO_TEST_CASE(the_stream_is_set_when_it_changes) {
  Memory memory{};
  int place = 0;
  const auto stream = reinterpret_cast<cudaStream_t>(&place);
  DescribedLibraries libraries(90);
  const auto first = plan_of(libraries.get(), ProductPass::kForward);
  const auto second = plan_of(libraries.get(), ProductPass::kWeightGradient);
  give_handle(libraries.get());
  for (ProductPlan* plan : {first.get(), second.get(), first.get()}) {
    BOOST_REQUIRE(plan->run(memory.operands(), &memory.workspace, stream).is_ok());
  }
  BOOST_REQUIRE(second->run(memory.operands(), &memory.workspace, nullptr).is_ok());
  const std::vector<cudaStream_t> expected = {stream, nullptr};
  BOOST_TEST((RecordedCudnn::current().streams == expected));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
