// Which matrix dense products read how: the module's own code, with cuBLASLt's product on the CPU. Small whole numbers:
// every sum is exact.
#include "train/backend/cuda/module/dense_plans.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace penstock::tests {
namespace {

using namespace train::cuda;

// Rows of `cols` values.
struct Rows {
  std::size_t cols;
  std::vector<float> values;
  float& at(std::size_t row, std::size_t col) { return values[row * cols + col]; }
};

Rows drawn(std::size_t rows, std::size_t cols, std::uint32_t seed) {
  Rows drawn{cols, std::vector<float>(rows * cols)};
  for (float& value : drawn.values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 28) - 7.0f;
  }
  return drawn;
}

struct Place {
  // Never called: there is one algorithm, and the product is ours.
  int stands_for_handle = 0;
  ProductLibraries libraries;
  Place() { libraries.cublaslt.reset(reinterpret_cast<cublasLtHandle_t>(&stands_for_handle)); }

  std::unique_ptr<ProductPlan> plan_of(const DenseProblem& problem) {
    return dense_candidates(libraries, problem, {})->make(0);
  }
};

constexpr std::uint32_t kRows = 5;
constexpr std::uint32_t kInputs = 7;
constexpr std::uint32_t kUnits = 3;

DenseProblem problem_of(ProductPass pass) {
  return {.pass = pass, .rows = kRows, .inputs = kInputs, .units = kUnits};
}

BOOST_AUTO_TEST_SUITE(dense_plans)

BOOST_AUTO_TEST_CASE(forward_is_x_times_w_transposed_plus_bias) {
  Place place;
  Rows x = drawn(kRows, kInputs, 1);
  Rows w = drawn(kUnits, kInputs, 2);
  for (const bool has_bias : {true, false}) {
    DenseProblem problem = problem_of(ProductPass::kForward);
    problem.has_bias = has_bias;
    Rows bias = drawn(1, kUnits, has_bias ? 3 : 4);
    Rows y = drawn(kRows, kUnits, 5);
    const auto plan = place.plan_of(problem);
    BOOST_REQUIRE(plan->run({.x = x.values.data(),
                             .w = w.values.data(),
                             .bias = bias.values.data(),
                             .result = y.values.data()},
                            nullptr, nullptr)
                      .is_ok());
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t unit = 0; unit < kUnits; ++unit) {
        float sum = has_bias ? bias.at(0, unit) : 0.0f;
        for (std::size_t i = 0; i < kInputs; ++i) sum += x.at(row, i) * w.at(unit, i);
        BOOST_TEST(y.at(row, unit) == sum);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(gradient_by_data_is_dy_times_w) {
  Place place;
  Rows dy = drawn(kRows, kUnits, 1);
  Rows w = drawn(kUnits, kInputs, 2);
  Rows dx = drawn(kRows, kInputs, 3);
  const auto plan = place.plan_of(problem_of(ProductPass::kDataGradient));
  BOOST_REQUIRE(
      plan->run({.w = w.values.data(), .dy = dy.values.data(), .result = dx.values.data()}, nullptr,
                nullptr)
          .is_ok());
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t input = 0; input < kInputs; ++input) {
      float sum = 0;
      for (std::size_t unit = 0; unit < kUnits; ++unit) sum += dy.at(row, unit) * w.at(unit, input);
      BOOST_TEST(dx.at(row, input) == sum);
    }
  }
}

BOOST_AUTO_TEST_CASE(gradient_by_weights_is_dy_transposed_times_x) {
  Place place;
  Rows dy = drawn(kRows, kUnits, 1);
  Rows x = drawn(kRows, kInputs, 2);
  Rows dw = drawn(kUnits, kInputs, 3);
  const auto plan = place.plan_of(problem_of(ProductPass::kWeightGradient));
  BOOST_REQUIRE(
      plan->run({.x = x.values.data(), .dy = dy.values.data(), .result = dw.values.data()}, nullptr,
                nullptr)
          .is_ok());
  for (std::size_t unit = 0; unit < kUnits; ++unit) {
    for (std::size_t input = 0; input < kInputs; ++input) {
      float sum = 0;
      for (std::size_t row = 0; row < kRows; ++row) sum += dy.at(row, unit) * x.at(row, input);
      BOOST_TEST(dw.at(unit, input) == sum);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_stored_product_is_found_again) {
  Place place;
  const auto candidates =
      dense_candidates(place.libraries, problem_of(ProductPass::kForward), PlanLimits{});
  const auto plan = candidates->make(0);
  BOOST_TEST(plan->workspace_bytes == 1024u);
  BOOST_TEST(candidates->restore(plan->stored)->stored == plan->stored);
  BOOST_CHECK_THROW(candidates->restore("cublaslt 120100 sm_0 00"), std::exception);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
