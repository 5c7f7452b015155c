// Against the reference in double.
#include "train/backend/cuda/kernels/activation_kernels.h"

#include <boost/test/unit_test.hpp>

#include "tests/train/backend/cuda/kernels/kernel_values.h"
#include "train/backend/reference/activation_reference.h"

namespace penstock::train::cuda {
namespace {

using tests::KernelValues;

constexpr float kSlope = 0.1f;

constexpr ActivationKind kKinds[] = {
    ActivationKind::kRelu,    ActivationKind::kRelu6,     ActivationKind::kLeakyRelu,
    ActivationKind::kSilu,    ActivationKind::kHardSwish, ActivationKind::kHardSigmoid,
    ActivationKind::kSigmoid, ActivationKind::kGelu,
};

Activation kernel_activation(ActivationKind kind) {
  return {static_cast<KernelActivation>(kind), kSlope};
}
ActivationOp reference_activation(ActivationKind kind) {
  return {.kind = kind, .slope = static_cast<double>(kSlope)};
}

/// Fewer than a pack, one block with a rest, several blocks.
constexpr std::size_t kCounts[] = {1, 5, 8, 1003, 20001};

struct Fixture {
  std::mt19937_64 random{3};

  /// Around the corners at -3, 0, 3 and 6, and on them.
  KernelValues inputs(ValueType type, std::size_t count, bool is_aligned) {
    std::vector<double> values = tests::normal_values(random, count, 0.5, 3.0);
    for (std::size_t i = 0; i < count; i += 7) values[i] = static_cast<double>(i % 4) * 3 - 3;
    return KernelValues(type, values, is_aligned);
  }

  void check_forward(ValueType type, ActivationKind kind, std::size_t count, bool is_aligned) {
    KernelValues x = inputs(type, count, is_aligned);
    std::vector<double> expected = x.values();
    for (double& value : expected) value = reference::activate(reference_activation(kind), value);
    KernelValues y(type, count, is_aligned);
    BOOST_TEST(activation_forward({.type = type,
                                   .count = count,
                                   .activation = kernel_activation(kind),
                                   .x = x.data(),
                                   .y = y.data()},
                                  nullptr)
                   .is_ok());
    BOOST_TEST(tests::relative_l2(y.values(), expected) < tests::bound_of(type));
    BOOST_TEST(y.is_kept_behind());
    activation_forward({.type = type,
                        .count = count,
                        .activation = kernel_activation(kind),
                        .x = x.data(),
                        .y = x.data()},
                       nullptr);
    BOOST_TEST(x.has_bits_of(y));
    BOOST_TEST(x.is_kept_behind());
  }

  void check_backward(ValueType type, ActivationKind kind, std::size_t count, bool is_aligned) {
    KernelValues x = inputs(type, count, is_aligned);
    KernelValues dy(type, tests::normal_values(random, count), is_aligned);
    std::vector<double> expected(count);
    for (std::size_t i = 0; i < count; ++i) {
      expected[i] = dy[i] * reference::slope_at(reference_activation(kind), x[i]);
    }
    KernelValues dx(type, count, is_aligned);
    const auto run = [&](KernelValues& to) {
      return activation_backward({.type = type,
                                  .count = count,
                                  .activation = kernel_activation(kind),
                                  .x = x.data(),
                                  .dy = dy.data(),
                                  .dx = to.data()},
                                 nullptr);
    };
    BOOST_TEST(run(dx).is_ok());
    BOOST_TEST(tests::relative_l2(dx.values(), expected) < tests::bound_of(type));
    BOOST_TEST(dx.is_kept_behind());
    KernelValues& in_place = count % 2 == 0 ? x : dy;
    run(in_place);
    BOOST_TEST(in_place.has_bits_of(dx));
  }

  template <class Check>
  void for_each_case(Check&& check) {
    for (const ValueType type : tests::kValueTypes) {
      for (const ActivationKind kind : kKinds) {
        for (const std::size_t count : kCounts) {
          for (const bool is_aligned : {true, false}) {
            BOOST_TEST_CONTEXT(tests::name_of(type) << ", kind " << static_cast<int>(kind) << ", "
                                                    << count << " values, aligned " << is_aligned) {
              tests::seed_host_gpu(count);
              check(type, kind, count, is_aligned);
            }
          }
        }
      }
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(cuda_activation_kernels, Fixture)

BOOST_AUTO_TEST_CASE(values_are_those_of_the_reference) {
  for_each_case([this](auto... args) { check_forward(args...); });
}

BOOST_AUTO_TEST_CASE(gradients_are_those_of_the_reference) {
  for_each_case([this](auto... args) { check_backward(args...); });
}

BOOST_AUTO_TEST_CASE(what_is_not_a_number_stays_so) {
  for (const ActivationKind kind : kKinds) {
    KernelValues x(ValueType::kFloat16, 9);  // NaN
    activation_forward({.type = ValueType::kFloat16,
                        .count = 9,
                        .activation = kernel_activation(kind),
                        .x = x.data(),
                        .y = x.data()},
                       nullptr);
    for (const double value : x.values()) BOOST_TEST(std::isnan(value));
  }
}

BOOST_AUTO_TEST_CASE(no_values_start_no_kernel) {
  const std::uint64_t before = tests::num_host_launches();
  BOOST_TEST(activation_forward(ActivationForward{}, nullptr).is_ok());
  BOOST_TEST(tests::num_host_launches() == before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
