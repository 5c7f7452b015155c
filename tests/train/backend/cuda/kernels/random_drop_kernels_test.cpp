// Against dropout of the reference, in double and NCHW: the same values must be kept.
#include "train/backend/cuda/kernels/random_drop_kernels.h"

#include <boost/test/unit_test.hpp>

#include "tests/train/backend/cuda/kernels/kernel_values.h"
#include "train/backend/reference/dropout_reference.h"

namespace penstock::train::cuda {
namespace {

using tests::KernelValues;
using Doubles = std::vector<double>;

constexpr StepBlock kStep{.step = 77, .seed = 0x123456789ABCDEF0u, .first_place = 5};
constexpr std::uint32_t kNode = 31;

struct Shape {
  std::uint32_t samples;
  std::uint32_t places;
  std::uint32_t channels;
  bool is_aligned = true;

  std::size_t count() const { return std::size_t{samples} * places * channels; }
};

/// One place (a dense layer), one channel, places in fours and not, odd channels, several blocks of a sample, more
/// than 2^16 quads of one.
constexpr Shape kShapes[] = {{3, 1, 40},   {3, 1, 35},   {2, 1, 3},          {1, 1, 8200},
                             {2, 50, 1},   {2, 16, 24},  {3, 49, 16},        {2, 3, 8},
                             {2, 25, 35},  {1, 30, 264}, {2, 16, 16, false}, {2, 1, 16, false},
                             {1, 5, 60000}};

struct Fixture {
  std::mt19937_64 random{11};
  const StepBlock step = kStep;  // where a device reaches it, too

  static std::size_t nchw_of(const Shape& shape, std::size_t i) {
    const std::size_t row = i / shape.channels;
    return (row / shape.places * shape.channels + i % shape.channels) * shape.places +
           row % shape.places;
  }

  Doubles expected_of(const Shape& shape, double rate, bool drops_samples, const Doubles& from) {
    Doubles x(shape.count());
    Doubles y(shape.count());
    for (std::size_t i = 0; i < x.size(); ++i) x[nchw_of(shape, i)] = from[i];
    reference::forward(
        DropoutOp{.rate = rate, .drops_samples = drops_samples},
        reference::NodeTensors<double>{.batch = shape.samples,
                                       .node = kNode,
                                       .is_training = true,
                                       .scalars = {.num_samples_before = kStep.first_place,
                                                   .step = kStep.step,
                                                   .seed = kStep.seed},
                                       .shape = {shape.channels, 1, shape.places},
                                       .x = {x.data()},
                                       .y = y.data()});
    Doubles expected(shape.count());
    for (std::size_t i = 0; i < y.size(); ++i) expected[i] = y[nchw_of(shape, i)];
    return expected;
  }

  DeviceStatus run(const Shape& shape, ValueType type, double rate, bool drops_samples,
                   KernelValues& from, KernelValues& to) {
    return random_drop({.type = type,
                        .samples = shape.samples,
                        .places = shape.places,
                        .channels = shape.channels,
                        .rate = rate,
                        .drops_samples = drops_samples,
                        .node = kNode,
                        .step = &step,
                        .from = from.data(),
                        .to = to.data()},
                       nullptr);
  }

  void check(const Shape& shape, ValueType type, double rate, bool drops_samples) {
    KernelValues from(type, tests::normal_values(random, shape.count()), shape.is_aligned);
    const Doubles expected = expected_of(shape, rate, drops_samples, from.values());
    KernelValues to(type, shape.count(), shape.is_aligned);
    BOOST_TEST(run(shape, type, rate, drops_samples, from, to).is_ok());
    std::size_t num_different = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if ((to[i] == 0) != (expected[i] == 0)) ++num_different;
    }
    BOOST_TEST(num_different == 0);
    BOOST_TEST(tests::relative_l2(to.values(), expected) < tests::bound_of(type));
    BOOST_TEST(to.is_kept_behind());
    run(shape, type, rate, drops_samples, from, from);
    BOOST_TEST(from.has_bits_of(to));
  }
};

BOOST_FIXTURE_TEST_SUITE(cuda_random_drop_kernels, Fixture)

BOOST_AUTO_TEST_CASE(the_reference_s_values_are_kept) {
  for (const ValueType type : tests::kValueTypes) {
    for (const Shape& shape : kShapes) {
      for (const bool drops_samples : {false, true}) {
        BOOST_TEST_CONTEXT(tests::name_of(type)
                           << ", " << shape.samples << " x " << shape.places << " x "
                           << shape.channels << ", samples " << drops_samples) {
          tests::seed_host_gpu(random());
          check(shape, type, 0.4, drops_samples);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(samples_are_dropped_whole_and_some_are_kept) {
  constexpr Shape kMany{.samples = 64, .places = 3, .channels = 8};
  check(kMany, ValueType::kFloat32, 0.5, true);
  const Doubles ones(kMany.count(), 1.0);
  const Doubles expected = expected_of(kMany, 0.5, true, ones);
  BOOST_TEST(std::count(expected.begin(), expected.end(), 2.0) > 24);
  BOOST_TEST(std::count(expected.begin(), expected.end(), 0.0) > 24);
}

BOOST_AUTO_TEST_CASE(a_rate_of_0_keeps_all_and_one_near_1_next_to_none) {
  constexpr Shape kShape{.samples = 2, .places = 5, .channels = 16};
  check(kShape, ValueType::kFloat16, 0.0, false);
  check(kShape, ValueType::kFloat32, 0.99, false);
}

BOOST_AUTO_TEST_CASE(a_dropped_value_is_0_whatever_it_was) {
  constexpr Shape kShape{.samples = 1, .places = 4, .channels = 8};
  KernelValues nan(ValueType::kFloat32, kShape.count());
  KernelValues to(ValueType::kFloat32, kShape.count());
  run(kShape, ValueType::kFloat32, 0.5, false, nan, to);
  const Doubles expected = expected_of(kShape, 0.5, false, Doubles(kShape.count(), 1.0));
  for (std::size_t i = 0; i < to.size(); ++i) {
    BOOST_TEST(std::isnan(to[i]) == (expected[i] != 0));
    BOOST_TEST((to[i] == 0) == (expected[i] == 0));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
