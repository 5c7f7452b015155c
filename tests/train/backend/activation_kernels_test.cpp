// The vector kernels of activations against their formulas in double, where a batch of a network hardly comes:
// far out, at corners, and at what is no number.
#include "train/backend/onednn/activation_kernels.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace penstock::train::onednn {
namespace {

struct Case {
  ActivationKind kind;
  std::function<double(double)> value;
  std::function<double(double)> slope;
};

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
/// Of the normal distribution, by the C library.
double share(double x) {
  return std::erfc(-x / std::sqrt(2.0)) / 2;
}

/// As operations.h defines them, and their derivatives by hand.
std::vector<Case> smooth_cases() {
  return {
      {ActivationKind::kSigmoid, sigmoid, [](double x) { return sigmoid(x) * (1 - sigmoid(x)); }},
      {ActivationKind::kSilu, [](double x) { return x * sigmoid(x); },
       [](double x) { return sigmoid(x) * (1 + x * (1 - sigmoid(x))); }},
      {ActivationKind::kGelu, [](double x) { return x * share(x); },
       [](double x) { return share(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1)); }},
  };
}

BOOST_AUTO_TEST_SUITE(activation_kernels)

// Absolute: gelu's normal share is good to 0.75e-7 and is multiplied by x, which ends to matter below -5.
BOOST_AUTO_TEST_CASE(smooth_activations_follow_their_formulas_from_minus_to_plus_200) {
  std::vector<float> x;
  for (int i = -4000; i <= 4000; ++i) x.push_back(static_cast<float>(i) / 20);
  const std::vector<float> dy(x.size(), 1.0f);
  std::vector<float> y(x.size());
  std::vector<float> dx(x.size());
  for (const Case& one : smooth_cases()) {
    const Activation activation = ActivationOp{.kind = one.kind};
    activate(activation, x.size(), x.data(), y.data());
    activation_gradient(activation, x.size(), x.data(), dy.data(), dx.data());
    BOOST_TEST_CONTEXT(activation_name(one.kind)) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double at = static_cast<double>(x[i]);
        const double bound = 1e-6 * std::max(1.0, std::abs(one.value(at)));
        BOOST_TEST_REQUIRE(std::abs(static_cast<double>(y[i]) - one.value(at)) < bound, x[i]);
        BOOST_TEST_REQUIRE(std::abs(static_cast<double>(dx[i]) - one.slope(at)) < 2e-6, x[i]);
      }
    }
  }
}

// By hand. Slopes at a corner are PyTorch's: 0 for relu6 and hard_sigmoid, `slope` for leaky_relu, and for
// hard_swish 0 at -3 and 1 at 3.
BOOST_AUTO_TEST_CASE(pieces_of_lines_are_exact_at_their_corners) {
  struct Corner {
    ActivationKind kind;
    float x, y, slope;
  };
  for (const Corner& corner :
       {Corner{ActivationKind::kRelu6, 0, 0, 0}, Corner{ActivationKind::kRelu6, 6, 6, 0},
        Corner{ActivationKind::kRelu6, 7, 6, 0}, Corner{ActivationKind::kRelu6, 5, 5, 1},
        Corner{ActivationKind::kLeakyRelu, 0, 0, 0.25f},
        Corner{ActivationKind::kLeakyRelu, -4, -1, 0.25f},
        Corner{ActivationKind::kHardSigmoid, -3, 0, 0},
        Corner{ActivationKind::kHardSigmoid, 3, 1, 0},
        Corner{ActivationKind::kHardSigmoid, 0, 0.5f, 1.0f / 6},
        Corner{ActivationKind::kHardSwish, -3, 0, 0}, Corner{ActivationKind::kHardSwish, 3, 3, 1},
        Corner{ActivationKind::kHardSwish, 0, 0, 0.5f}}) {
    // Whole vectors and a rest.
    const std::vector<float> x(35, corner.x);
    const std::vector<float> dy(35, 1.0f);
    std::vector<float> y(35, 9.0f);
    const Activation activation = ActivationOp{.kind = corner.kind, .slope = 0.25};
    activate(activation, x.size(), x.data(), y.data());
    BOOST_TEST(y == std::vector<float>(35, corner.y), boost::test_tools::per_element());
    activation_gradient(activation, x.size(), x.data(), dy.data(), y.data());
    BOOST_TEST(y == std::vector<float>(35, corner.slope), boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_number_stays_none) {
  const std::vector<float> x(35, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t kind = 0; kind < activation_names().size(); ++kind) {
    std::vector<float> y(35, 9.0f);
    activate(ActivationOp{.kind = static_cast<ActivationKind>(kind)}, x.size(), x.data(), y.data());
    for (const float value : y) BOOST_TEST(std::isnan(value), activation_names()[kind]);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::onednn
