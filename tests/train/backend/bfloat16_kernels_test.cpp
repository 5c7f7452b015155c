// Every vector kernel on bfloat16 against itself on floats: the arithmetic is the same, so what comes out is
// that of floats, rounded, bit for bit. nhwc_kernels_test and the twin tests check the floats.
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "train/backend/onednn/activation_kernels.h"
#include "train/backend/onednn/layer_norm_kernels.h"
#include "train/backend/onednn/nhwc_overlapping_pool_kernels.h"
#include "train/backend/onednn/residual_kernels.h"

namespace penstock::train::onednn {
namespace {

/// Whole vectors and a rest with every instruction set; rows that end within a tile.
constexpr std::size_t kChannels = 35;
constexpr std::size_t kRows = 150;

/// The same values in both types.
struct Values {
  std::vector<float> wide;
  std::vector<Bfloat16> narrow;

  Values(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < count; ++i) {
      narrow.push_back(rounded_to<Bfloat16>(normal(random)));
      wide.push_back(to_float(narrow.back()));
    }
  }
};

std::vector<float> constants(float mean, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(mean, 0.5f);
  std::vector<float> values(kChannels);
  for (float& value : values) value = normal(random);
  return values;
}

/// Bits, so that what is no number has a value to compare.
std::vector<unsigned> bits_of(const std::vector<Bfloat16>& values) {
  std::vector<unsigned> bits;
  for (const Bfloat16 value : values) bits.push_back(value.bits);
  return bits;
}

void check_rounded(const std::vector<Bfloat16>& found, const std::vector<float>& exact) {
  std::vector<Bfloat16> expected;
  for (const float value : exact) expected.push_back(rounded_to<Bfloat16>(value));
  BOOST_TEST(bits_of(found) == bits_of(expected), boost::test_tools::per_element());
}

/// None, then all there are.
std::vector<Activation> all_activations() {
  std::vector<Activation> all(1);
  for (std::size_t kind = 0; kind < activation_names().size(); ++kind) {
    all.push_back(ActivationOp{.kind = static_cast<ActivationKind>(kind), .slope = 0.2});
  }
  return all;
}

struct Fixture {
  Values x{kRows * kChannels, 1};
  Values dy{kRows * kChannels, 2};
  Values residual{kRows * kChannels, 3};
  std::vector<float> gain = constants(1, 4);
  std::vector<float> offset = constants(0, 5);
  std::vector<float> slope = constants(0, 6);
  std::vector<float> level = constants(0, 7);
  Rows rows{kRows, kChannels};
  ChannelAffine affine{gain.data(), offset.data()};
  ChannelBackward backward{affine, slope.data(), level.data()};
  std::vector<float> wide = std::vector<float>(kRows * kChannels);
  std::vector<Bfloat16> narrow = std::vector<Bfloat16>(kRows * kChannels);
  std::vector<double> sums = std::vector<double>(2 * kChannels);
  std::vector<double> wide_sums = std::vector<double>(2 * kChannels);
};

BOOST_AUTO_TEST_SUITE(bfloat16_kernels)

// By hand: the upper half of a float. 1 + 2^-8 is tied and goes to the even 1, 1 + 3 * 2^-8 to 1 + 2^-6; the
// largest float is above the largest bfloat16, and becomes infinite. Vectors and single values alike.
BOOST_AUTO_TEST_CASE(values_are_rounded_to_the_nearest_and_even) {
  const std::vector<std::pair<float, unsigned>> known = {
      {1.0f, 0x3F80},          {-2.5f, 0xC020},
      {1 + 0x1p-8f, 0x3F80},   {1 + 3 * 0x1p-8f, 0x3F82},
      {1 + 0x1.1p-8f, 0x3F81}, {0x1.fffffep127f, 0x7F80},
      {INFINITY, 0x7F80},      {-0.0f, 0x8000},
      {0x1p-133f, 0x0001}};
  for (const auto& [value, bits] : known) {
    BOOST_TEST(rounded_to<Bfloat16>(value).bits == bits);
    // Through a kernel: the residual's gain is 0, so y is what is rounded, and below 0 it is 0.
    const std::vector<float> zero(kChannels, 0.0f);
    const std::vector<float> offset(kChannels, value);
    const std::vector<Bfloat16> x(kChannels);
    std::vector<Bfloat16> y(kChannels);
    affine_forward({1, kChannels}, {}, {zero.data(), offset.data()}, x.data(), y.data());
    BOOST_TEST(bits_of(y) == std::vector<unsigned>(kChannels, bits == 0x8000 ? 0 : bits),
               boost::test_tools::per_element());
  }
  BOOST_TEST(std::isnan(to_float(rounded_to<Bfloat16>(NAN))));
  // All bits of the lower half: adding up would carry into an infinity's pattern.
  BOOST_TEST(std::isnan(to_float(rounded_to<Bfloat16>(std::bit_cast<float>(0x7F80FFFFu)))));
}

BOOST_FIXTURE_TEST_CASE(batch_norm_is_that_of_floats_rounded, Fixture) {
  for (const Activation& activation : all_activations()) {
    affine_forward(rows, activation, affine, x.wide.data(), wide.data());
    affine_forward(rows, activation, affine, x.narrow.data(), narrow.data());
    check_rounded(narrow, wide);
    affine_backward(rows, activation, backward, x.wide.data(), dy.wide.data(), wide.data());
    affine_backward(rows, activation, backward, x.narrow.data(), dy.narrow.data(), narrow.data());
    check_rounded(narrow, wide);
    add_backward_sums(rows, activation, affine, slope.data(), x.wide.data(), dy.wide.data(),
                      wide_sums.data(), wide_sums.data() + kChannels);
    add_backward_sums(rows, activation, affine, slope.data(), x.narrow.data(), dy.narrow.data(),
                      sums.data(), sums.data() + kChannels);
    BOOST_TEST(sums == wide_sums, boost::test_tools::per_element());
  }
  add_moments(rows, x.wide.data(), x.wide.data(), wide_sums.data(), wide_sums.data() + kChannels);
  add_moments(rows, x.narrow.data(), x.narrow.data(), sums.data(), sums.data() + kChannels);
  BOOST_TEST(sums == wide_sums, boost::test_tools::per_element());
  BOOST_TEST(sums[0] != 0);
}

BOOST_FIXTURE_TEST_CASE(activations_and_products_are_those_of_floats_rounded, Fixture) {
  const std::size_t count = x.wide.size();
  for (const Activation& activation : all_activations()) {
    activate(activation, count, x.wide.data(), wide.data());
    activate(activation, count, x.narrow.data(), narrow.data());
    check_rounded(narrow, wide);
    activation_gradient(activation, count, x.wide.data(), dy.wide.data(), wide.data());
    activation_gradient(activation, count, x.narrow.data(), dy.narrow.data(), narrow.data());
    check_rounded(narrow, wide);
  }
  multiply_values(count, x.wide.data(), dy.wide.data(), wide.data());
  multiply_values(count, x.narrow.data(), dy.narrow.data(), narrow.data());
  check_rounded(narrow, wide);
}

BOOST_FIXTURE_TEST_CASE(layer_norm_is_that_of_floats_rounded, Fixture) {
  const RowNorm norm{gain.data(), offset.data(), 1e-5f};
  layer_norm_forward(rows, norm, x.wide.data(), wide.data());
  layer_norm_forward(rows, norm, x.narrow.data(), narrow.data());
  check_rounded(narrow, wide);
  std::vector<float> of_run(2 * kChannels);
  layer_norm_backward(rows, norm, x.wide.data(), dy.wide.data(), wide.data(),
                      {of_run.data(), wide_sums.data(), wide_sums.data() + kChannels});
  layer_norm_backward(rows, norm, x.narrow.data(), dy.narrow.data(), narrow.data(),
                      {of_run.data(), sums.data(), sums.data() + kChannels});
  check_rounded(narrow, wide);
  BOOST_TEST(sums == wide_sums, boost::test_tools::per_element());
  BOOST_TEST(sums[0] != 0);
}

BOOST_FIXTURE_TEST_CASE(the_end_of_a_residual_block_is_that_of_floats_rounded, Fixture) {
  residual_forward(rows, affine, x.wide.data(), residual.wide.data(), wide.data());
  residual_forward(rows, affine, x.narrow.data(), residual.narrow.data(), narrow.data());
  check_rounded(narrow, wide);
  const std::vector<Bfloat16> y = narrow;
  std::vector<float> wide_y;
  for (const Bfloat16 value : y) wide_y.push_back(to_float(value));
  residual_gradient_sums(rows, slope.data(), x.wide.data(), wide_y.data(), dy.wide.data(),
                         wide.data(), wide_sums.data(), wide_sums.data() + kChannels);
  residual_gradient_sums(rows, slope.data(), x.narrow.data(), y.data(), dy.narrow.data(),
                         narrow.data(), sums.data(), sums.data() + kChannels);
  check_rounded(narrow, wide);
  BOOST_TEST(sums == wide_sums, boost::test_tools::per_element());
  BOOST_TEST(sums[0] != 0);
}

// 2 samples of 5 x 15 places: the last row and column lie in no window.
BOOST_FIXTURE_TEST_CASE(a_pooled_norm_is_that_of_floats_rounded, Fixture) {
  const PooledSizes sizes{5, 15, kChannels};
  const PooledRows all{0, 4};
  const std::size_t num_pooled = std::size_t{4} * 7 * kChannels;
  std::vector<float> y(num_pooled);
  std::vector<float> at_max(num_pooled);
  std::vector<Bfloat16> narrow_y(num_pooled);
  std::vector<Bfloat16> narrow_at_max(num_pooled);
  pooled_forward(sizes, all, affine, x.wide.data(), y.data(), at_max.data());
  pooled_forward(sizes, all, affine, x.narrow.data(), narrow_y.data(), narrow_at_max.data());
  check_rounded(narrow_y, y);
  check_rounded(narrow_at_max, at_max);
  pooled_backward(sizes, all, backward, x.wide.data(), dy.wide.data(), wide.data());
  pooled_backward(sizes, all, backward, x.narrow.data(), dy.narrow.data(), narrow.data());
  check_rounded(narrow, wide);
}

// 2 samples of 5 x 15 places under 3 x 8 windows each.
BOOST_FIXTURE_TEST_CASE(a_norm_under_overlapping_windows_is_that_of_floats_rounded, Fixture) {
  const OverlappingSizes sizes{5, 15, kChannels};
  const PooledRows all{0, 6};
  const std::size_t num_pooled = std::size_t{6} * 8 * kChannels;
  std::vector<float> y(num_pooled);
  std::vector<std::uint8_t> places(num_pooled, 77);
  std::vector<Bfloat16> narrow_y(num_pooled);
  std::vector<std::uint8_t> narrow_places(num_pooled, 78);
  overlapping_forward(sizes, all, affine, x.wide.data(), y.data(), places.data());
  overlapping_forward(sizes, all, affine, x.narrow.data(), narrow_y.data(), narrow_places.data());
  check_rounded(narrow_y, y);
  BOOST_TEST(narrow_places == places, boost::test_tools::per_element());
  const float* mean = offset.data();
  add_overlapping_sums(sizes, all, mean, x.wide.data(), places.data(), dy.wide.data(),
                       wide_sums.data(), wide_sums.data() + kChannels);
  add_overlapping_sums(sizes, all, mean, x.narrow.data(), places.data(), dy.narrow.data(),
                       sums.data(), sums.data() + kChannels);
  BOOST_TEST(sums == wide_sums, boost::test_tools::per_element());
  overlapping_backward(sizes, all, backward, x.wide.data(), places.data(), dy.wide.data(),
                       wide.data());
  overlapping_backward(sizes, all, backward, x.narrow.data(), places.data(), dy.narrow.data(),
                       narrow.data());
  check_rounded(narrow, wide);
}

BOOST_FIXTURE_TEST_CASE(relu_sums_and_means_are_those_of_floats_rounded, Fixture) {
  const std::size_t count = x.wide.size();
  x.wide[3] = x.wide[count - 1] = NAN;
  x.narrow[3] = x.narrow[count - 1] = rounded_to<Bfloat16>(NAN);
  relu_forward(count, x.wide.data(), wide.data());
  relu_forward(count, x.narrow.data(), narrow.data());
  check_rounded(narrow, wide);
  relu_backward(count, residual.wide.data(), dy.wide.data(), wide.data());
  relu_backward(count, residual.narrow.data(), dy.narrow.data(), narrow.data());
  check_rounded(narrow, wide);
  add_values(count, residual.wide.data(), dy.wide.data(), wide.data());
  add_values(count, residual.narrow.data(), dy.narrow.data(), narrow.data());
  check_rounded(narrow, wide);
  wide.resize(kChannels);
  narrow.resize(kChannels);
  mean_forward(rows, dy.wide.data(), wide.data());
  mean_forward(rows, dy.narrow.data(), narrow.data());
  check_rounded(narrow, wide);
}

// Three rows of 3, 6, 9 have a mean of 6; a gradient of 12 leaves 4 to each.
BOOST_AUTO_TEST_CASE(means_over_rows_and_their_gradient_follow_the_definition) {
  std::vector<float> x;
  for (const float value : {3.0f, 6.0f, 9.0f}) x.insert(x.end(), kChannels, value);
  std::vector<float> mean(kChannels);
  mean_forward({3, kChannels}, x.data(), mean.data());
  BOOST_TEST(mean == std::vector<float>(kChannels, 6.0f), boost::test_tools::per_element());
  const std::vector<float> dmean(kChannels, 12.0f);
  mean_backward({3, kChannels}, dmean.data(), x.data());
  BOOST_TEST(x == std::vector<float>(3 * kChannels, 4.0f), boost::test_tools::per_element());
  std::vector<Bfloat16> dx(3 * kChannels);
  const std::vector<Bfloat16> narrow(kChannels, rounded_to<Bfloat16>(12.0f));
  mean_backward({3, kChannels}, narrow.data(), dx.data());
  BOOST_TEST(bits_of(dx) == std::vector<unsigned>(3 * kChannels, 0x4080),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::onednn
