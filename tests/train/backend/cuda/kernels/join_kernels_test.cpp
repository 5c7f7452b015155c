// Against the definitions, in double.
#include "train/backend/cuda/kernels/join_kernels.h"

#include <boost/test/unit_test.hpp>

#include "tests/train/backend/cuda/kernels/kernel_values.h"
#include "train/backend/cuda/kernels/channel_norm_kernels.h"

namespace penstock::train::cuda {
namespace {

using tests::KernelValues;
using Doubles = std::vector<double>;

/// Fewer than a pack, one block with a rest, several blocks.
constexpr std::size_t kCounts[] = {1, 5, 8, 1003, 20001};

/// [samples, places, channels].
struct Shape {
  std::size_t samples;
  std::size_t places;
  std::uint32_t channels;
  bool is_aligned = true;

  std::size_t num_rows() const { return samples * places; }
  std::size_t count() const { return num_rows() * channels; }
};

/// Odd channel counts, one place, several parts of a sample and of all, two tiles.
constexpr Shape kShapes[] = {{3, 1, 35},         {2, 49, 8},    {1, 6, 3},
                             {4, 30, 24},        {1, 1, 1},     {2, 35, 264},
                             {2, 17, 16, false}, {3, 2900, 16}, {1, 7000, 6}};

struct Fixture {
  std::mt19937_64 random{7};

  KernelValues drawn(ValueType type, std::size_t count, bool is_aligned = true) {
    return KernelValues(type, tests::normal_values(random, count, 0.2), is_aligned);
  }

  template <class Check>
  void for_each_shape(Check&& check) {
    for (const ValueType type : tests::kValueTypes) {
      for (const Shape& shape : kShapes) {
        BOOST_TEST_CONTEXT(tests::name_of(type) << ", " << shape.samples << " x " << shape.places
                                                << " x " << shape.channels) {
          tests::seed_host_gpu(random());
          check(type, shape);
        }
      }
    }
  }

  /// Run by run(a, b, out): the pairs' result, also over either of them.
  template <class Run, class Expected>
  void check_pairs(Run&& run, Expected&& expected_of) {
    for (const ValueType type : tests::kValueTypes) {
      for (const std::size_t count : kCounts) {
        for (const bool is_aligned : {true, false}) {
          KernelValues a = drawn(type, count, is_aligned);
          KernelValues b = drawn(type, count, is_aligned);
          KernelValues out(type, count, is_aligned);
          Doubles expected(count);
          for (std::size_t i = 0; i < count; ++i) expected[i] = expected_of(a[i], b[i]);
          BOOST_TEST(run(type, count, a, b, out).is_ok());
          BOOST_TEST(tests::relative_l2(out.values(), expected) < tests::bound_of(type));
          BOOST_TEST(out.is_kept_behind());
          KernelValues& in_place = count % 2 == 0 ? a : b;
          run(type, count, a, b, in_place);
          BOOST_TEST(in_place.has_bits_of(out));
          BOOST_TEST(in_place.is_kept_behind());
        }
      }
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(cuda_join_kernels, Fixture)

BOOST_AUTO_TEST_CASE(values_are_added) {
  check_pairs(
      [](ValueType type, std::size_t count, KernelValues& a, KernelValues& b, KernelValues& out) {
        return add_values(
            {.type = type, .count = count, .a = a.data(), .b = b.data(), .sum = out.data()},
            nullptr);
      },
      [](double a, double b) { return a + b; });
}

BOOST_AUTO_TEST_CASE(values_are_multiplied) {
  check_pairs(
      [](ValueType type, std::size_t count, KernelValues& a, KernelValues& b, KernelValues& out) {
        return multiply_values(
            {.type = type, .count = count, .a = a.data(), .b = b.data(), .product = out.data()},
            nullptr);
      },
      [](double a, double b) { return a * b; });
}

BOOST_AUTO_TEST_CASE(gates_multiply_a_sample_s_channels) {
  for_each_shape([this](ValueType type, const Shape& shape) {
    KernelValues x = drawn(type, shape.count(), shape.is_aligned);
    KernelValues factor = drawn(type, shape.samples * shape.channels);
    KernelValues y(type, shape.count(), shape.is_aligned);
    Doubles expected(shape.count());
    for (std::size_t i = 0; i < shape.count(); ++i) {
      const std::size_t sample = i / shape.channels / shape.places;
      expected[i] = x[i] * factor[sample * shape.channels + i % shape.channels];
    }
    const auto run = [&](KernelValues& to) {
      return gate_forward({.type = type,
                           .samples = shape.samples,
                           .places = shape.places,
                           .channels = shape.channels,
                           .x = x.data(),
                           .factor = factor.data(),
                           .y = to.data()},
                          nullptr);
    };
    BOOST_TEST(run(y).is_ok());
    BOOST_TEST(tests::relative_l2(y.values(), expected) < tests::bound_of(type));
    BOOST_TEST(y.is_kept_behind());
    run(x);
    BOOST_TEST(x.has_bits_of(y));
  });
}

BOOST_AUTO_TEST_CASE(gradients_of_gates) {
  for_each_shape([this](ValueType type, const Shape& shape) {
    KernelValues x = drawn(type, shape.count(), shape.is_aligned);
    KernelValues dy = drawn(type, shape.count(), shape.is_aligned);
    KernelValues factor = drawn(type, shape.samples * shape.channels);
    KernelValues dx(type, shape.count(), shape.is_aligned);
    KernelValues dfactor(type, factor.size());
    Doubles expected(shape.count());
    Doubles expected_factor(factor.size());
    for (std::size_t i = 0; i < shape.count(); ++i) {
      const std::size_t f = i / shape.channels / shape.places * shape.channels + i % shape.channels;
      expected[i] = dy[i] * factor[f];
      expected_factor[f] += dy[i] * x[i];
    }
    const auto run = [&](void* dx_to, void* dfactor_to) {
      return gate_backward({.type = type,
                            .samples = shape.samples,
                            .places = shape.places,
                            .channels = shape.channels,
                            .x = x.data(),
                            .factor = factor.data(),
                            .dy = dy.data(),
                            .dx = dx_to,
                            .dfactor = dfactor_to},
                           nullptr);
    };
    BOOST_TEST(run(dx.data(), dfactor.data()).is_ok());
    BOOST_TEST(tests::relative_l2(dx.values(), expected) < tests::bound_of(type));
    BOOST_TEST(tests::relative_l2(dfactor.values(), expected_factor,
                                  std::sqrt(static_cast<double>(shape.places))) <
               tests::bound_of(type));
    BOOST_TEST(dx.is_kept_behind());
    BOOST_TEST(dfactor.is_kept_behind());
    KernelValues sums_alone(type, factor.size());
    run(nullptr, sums_alone.data());
    BOOST_TEST(sums_alone.has_bits_of(dfactor));
    run(dy.data(), nullptr);
    BOOST_TEST(dy.has_bits_of(dx));
  });
}

BOOST_AUTO_TEST_CASE(scales_multiply_channels) {
  for_each_shape([this](ValueType type, const Shape& shape) {
    KernelValues x = drawn(type, shape.count(), shape.is_aligned);
    KernelValues scale = drawn(ValueType::kFloat32, shape.channels);
    KernelValues y(type, shape.count(), shape.is_aligned);
    Doubles expected(shape.count());
    for (std::size_t i = 0; i < shape.count(); ++i) expected[i] = x[i] * scale[i % shape.channels];
    const auto run = [&](KernelValues& to) {
      return channel_scale_forward({.type = type,
                                    .num_rows = shape.num_rows(),
                                    .channels = shape.channels,
                                    .x = x.data(),
                                    .scale = scale.floats(),
                                    .y = to.data()},
                                   nullptr);
    };
    BOOST_TEST(run(y).is_ok());
    BOOST_TEST(tests::relative_l2(y.values(), expected) < tests::bound_of(type));
    BOOST_TEST(y.is_kept_behind());
    run(x);
    BOOST_TEST(x.has_bits_of(y));
  });
}

BOOST_AUTO_TEST_CASE(gradients_of_scales) {
  for_each_shape([this](ValueType type, const Shape& shape) {
    KernelValues x = drawn(type, shape.count(), shape.is_aligned);
    KernelValues dy = drawn(type, shape.count(), shape.is_aligned);
    KernelValues scale = drawn(ValueType::kFloat32, shape.channels);
    KernelValues dx(type, shape.count(), shape.is_aligned);
    KernelValues dscale(ValueType::kFloat32, shape.channels);
    KernelValues partials(ValueType::kFloat32, num_row_parts(shape.num_rows(), shape.channels) *
                                                   std::size_t{shape.channels});
    Doubles expected(shape.count());
    Doubles expected_scale(shape.channels);
    for (std::size_t i = 0; i < shape.count(); ++i) {
      expected[i] = dy[i] * scale[i % shape.channels];
      expected_scale[i % shape.channels] += dy[i] * x[i];
    }
    const auto run = [&](void* dx_to, KernelValues* dscale_to) {
      return channel_scale_backward(
          {.type = type,
           .num_rows = shape.num_rows(),
           .channels = shape.channels,
           .x = x.data(),
           .scale = scale.floats(),
           .dy = dy.data(),
           .partials = partials.floats(),
           .dx = dx_to,
           .dscale = dscale_to == nullptr ? nullptr : dscale_to->floats()},
          nullptr);
    };
    BOOST_TEST(run(dx.data(), &dscale).is_ok());
    BOOST_TEST(tests::relative_l2(dx.values(), expected) < tests::bound_of(type));
    BOOST_TEST(tests::relative_l2(dscale.values(), expected_scale,
                                  std::sqrt(static_cast<double>(shape.num_rows()))) < 1e-5);
    BOOST_TEST(partials.is_kept_behind());
    BOOST_TEST(dx.is_kept_behind());
    tests::seed_host_gpu(random());
    KernelValues again(ValueType::kFloat32, shape.channels);
    run(nullptr, &again);
    BOOST_TEST(again.has_bits_of(dscale));
    run(dy.data(), nullptr);
    BOOST_TEST(dy.has_bits_of(dx));
  });
}

/// Widths of which words of 16, 8, 4 and 2 bytes are the largest that fit (of 2-byte values), first channels too.
BOOST_AUTO_TEST_CASE(channels_of_rows_are_copied) {
  struct Copied {
    std::size_t num_rows;
    std::uint32_t channels, from_stride, from_first, to_stride, to_first;
  };
  constexpr Copied kCopies[] = {
      {40, 32, 32, 0, 96, 64},  {40, 32, 96, 32, 32, 0},        {11, 12, 28, 4, 12, 0},
      {11, 58, 116, 58, 58, 0}, {7, 3, 3, 0, 35, 32},           {1, 1, 5, 4, 5, 0},
      {5000, 6, 6, 0, 8, 2},    {3, 2056, 2056, 0, 4112, 2056}, {2, 300, 301, 1, 301, 0}};
  for (const ValueType type : tests::kValueTypes) {
    for (const Copied& copied : kCopies) {
      BOOST_TEST_CONTEXT(tests::name_of(type) << ", copy " << &copied - kCopies) {
        KernelValues from = drawn(type, copied.num_rows * copied.from_stride);
        KernelValues to = drawn(type, copied.num_rows * copied.to_stride);
        Doubles expected = to.values();
        for (std::size_t row = 0; row < copied.num_rows; ++row) {
          for (std::size_t c = 0; c < copied.channels; ++c) {
            expected[row * copied.to_stride + copied.to_first + c] =
                from[row * copied.from_stride + copied.from_first + c];
          }
        }
        BOOST_TEST(copy_channels({.type = type,
                                  .num_rows = copied.num_rows,
                                  .channels = copied.channels,
                                  .from = from.data(),
                                  .from_stride = copied.from_stride,
                                  .from_first = copied.from_first,
                                  .to = to.data(),
                                  .to_stride = copied.to_stride,
                                  .to_first = copied.to_first},
                                 nullptr)
                       .is_ok());
        BOOST_TEST(to.values() == expected);
        BOOST_TEST(to.is_kept_behind());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(values_are_flattened_and_back) {
  for_each_shape([this](ValueType type, const Shape& shape) {
    KernelValues from = drawn(type, shape.count());
    KernelValues flat(type, shape.count());
    KernelValues back(type, shape.count());
    Doubles expected(shape.count());
    for (std::size_t i = 0; i < shape.count(); ++i) {
      const std::size_t row = i / shape.channels;
      const std::size_t sample = row / shape.places;
      expected[(sample * shape.channels + i % shape.channels) * shape.places + row % shape.places] =
          from[i];
    }
    const auto run = [&](KernelValues& in, KernelValues& out, bool is_back) {
      return flatten_values({.type = type,
                             .samples = shape.samples,
                             .places = shape.places,
                             .channels = shape.channels,
                             .is_back = is_back,
                             .from = in.data(),
                             .to = out.data()},
                            nullptr);
    };
    BOOST_TEST(run(from, flat, false).is_ok());
    BOOST_TEST(flat.values() == expected);
    BOOST_TEST(flat.is_kept_behind());
    BOOST_TEST(run(flat, back, true).is_ok());
    BOOST_TEST(back.has_bits_of(from));
    BOOST_TEST(back.is_kept_behind());
  });
}

BOOST_AUTO_TEST_CASE(values_are_converted_between_the_types) {
  for (const ValueType from_type : tests::kValueTypes) {
    for (const ValueType to_type : tests::kValueTypes) {
      for (const std::size_t count : kCounts) {
        for (const bool is_aligned : {true, false}) {
          KernelValues from = drawn(from_type, count, is_aligned);
          KernelValues to(to_type, count);
          BOOST_TEST(convert_values({.count = count,
                                     .from_type = from_type,
                                     .from = from.data(),
                                     .to_type = to_type,
                                     .to = to.data()},
                                    nullptr)
                         .is_ok());
          const KernelValues expected(to_type, from.values());
          BOOST_TEST(to.has_bits_of(expected));
          BOOST_TEST(to.is_kept_behind());
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
