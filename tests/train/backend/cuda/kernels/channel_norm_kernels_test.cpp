// Against batch norm, sum and activation of the reference, in double and NCHW.
#include "train/backend/cuda/kernels/channel_norm_kernels.h"

#include <boost/test/unit_test.hpp>
#include <optional>

#include "tests/train/backend/cuda/kernels/kernel_values.h"
#include "train/backend/reference/activation_reference.h"
#include "train/backend/reference/norm_reference.h"

namespace penstock::train::cuda {
namespace {

using tests::KernelValues;
using Doubles = std::vector<double>;

constexpr BatchNormOp kNorm{.epsilon = 1e-3, .momentum = 0.2};
constexpr float kSlope = 0.1f;
/// Sums of channels are float32 whatever the values are.
constexpr double kSumBound = 1e-5;

/// A network's values, [samples, height, width, channels].
struct Shape {
  std::uint32_t samples;
  std::uint32_t height;
  std::uint32_t width;
  std::uint32_t channels;
  bool is_aligned = true;

  std::size_t area() const { return std::size_t{height} * width; }
  std::size_t num_rows() const { return samples * area(); }
  std::size_t count() const { return num_rows() * channels; }
};

/// Odd channel counts, two tiles (of packs, of single values), one row, several parts.
constexpr Shape kShapes[] = {{2, 1, 1, 3},        {3, 5, 7, 35},  {4, 9, 9, 6},     {5, 13, 11, 24},
                             {2, 7, 7, 264},      {1, 3, 5, 260}, {1, 150, 130, 1}, {3, 33, 32, 16},
                             {2, 6, 5, 8, false}, {2, 1, 1, 16}};

Doubles to_nchw(const Shape& shape, const Doubles& nhwc) {
  Doubles nchw(nhwc.size());
  for (std::size_t i = 0; i < nhwc.size(); ++i) {
    const std::size_t row = i / shape.channels;
    const std::size_t c = i % shape.channels;
    nchw[(row / shape.area() * shape.channels + c) * shape.area() + row % shape.area()] = nhwc[i];
  }
  return nchw;
}
Doubles to_nhwc(const Shape& shape, const Doubles& nchw) {
  Doubles nhwc(nchw.size());
  for (std::size_t i = 0; i < nhwc.size(); ++i) {
    const std::size_t row = i / shape.channels;
    const std::size_t c = i % shape.channels;
    nhwc[i] = nchw[(row / shape.area() * shape.channels + c) * shape.area() + row % shape.area()];
  }
  return nhwc;
}

struct Given {
  std::optional<ActivationKind> activation;
  bool has_other = false;
  bool is_batch = true;
};

/// What kernels get, and what the reference makes of it.
struct NormCase {
  Shape shape;
  Given given;
  ValueType type;
  KernelValues x;
  KernelValues other;
  KernelValues dy;
  KernelValues scale;
  KernelValues shift;
  KernelValues running_mean;
  KernelValues running_var;
  struct {
    Doubles y, dx, dother, dscale, dshift, running_mean, running_var;
  } expected{};

  NormCase(std::mt19937_64& random, const Shape& of_shape, ValueType of_type, const Given& of)
      : shape(of_shape),
        given(of),
        type(of_type),
        x(type, tests::normal_values(random, shape.count(), 4.0, 2.0), shape.is_aligned),
        other(type, tests::normal_values(random, shape.count()), shape.is_aligned),
        dy(type, tests::normal_values(random, shape.count(), 0.3), shape.is_aligned),
        scale(ValueType::kFloat32, tests::normal_values(random, shape.channels)),
        shift(ValueType::kFloat32, tests::normal_values(random, shape.channels)),
        running_mean(ValueType::kFloat32, tests::normal_values(random, shape.channels, 4.0)),
        running_var(ValueType::kFloat32, positive(random, shape.channels)) {
    compute_expected();
  }

  ValueRows rows() const { return {type, shape.num_rows(), shape.channels}; }
  Activation activation() const {
    if (!given.activation) return {};
    return {static_cast<KernelActivation>(*given.activation), kSlope};
  }
  std::size_t num_partials() const {
    return std::size_t{2} * num_row_parts(shape.num_rows(), shape.channels) * shape.channels;
  }

 private:
  static Doubles positive(std::mt19937_64& random, std::size_t count) {
    Doubles values = tests::normal_values(random, count);
    for (double& value : values) value = value * value + 0.5;
    return values;
  }

  void compute_expected() {
    Doubles x_nchw = to_nchw(shape, x.values());
    Doubles y_nchw(shape.count());
    Doubles scales = scale.values();
    Doubles shifts = shift.values();
    expected.running_mean = running_mean.values();
    expected.running_var = running_var.values();
    expected.dscale.assign(shape.channels, 0);
    expected.dshift.assign(shape.channels, 0);
    Doubles dx_nchw(shape.count());
    reference::NodeTensors<double> t{
        .batch = shape.samples,
        .is_training = given.is_batch,
        .shape = {shape.channels, shape.height, shape.width},
        .input_shapes = {{shape.channels, shape.height, shape.width}},
        .x = {x_nchw.data()},
        .y = y_nchw.data(),
        .dx = {dx_nchw.data()},
        .params = {scales.data(), shifts.data(), expected.running_mean.data(),
                   expected.running_var.data()},
        .dparams = {expected.dscale.data(), expected.dshift.data(), nullptr, nullptr}};
    reference::forward(kNorm, t);
    expected.y = to_nhwc(shape, y_nchw);
    expected.dother = dy.values();
    for (std::size_t i = 0; i < shape.count(); ++i) {
      double& z = expected.y[i];
      if (given.has_other) z += other[i];
      if (!given.activation) continue;
      const ActivationOp op{.kind = *given.activation, .slope = static_cast<double>(kSlope)};
      expected.dother[i] *= reference::slope_at(op, z);
      z = reference::activate(op, z);
    }
    const Doubles gradient = to_nchw(shape, expected.dother);
    t.dy = gradient.data();
    reference::backward(kNorm, t);
    expected.dx = to_nhwc(shape, dx_nchw);
  }
};

/// What a pass over the case gives.
struct NormRun {
  NormCase& norm;
  KernelValues partials{ValueType::kFloat32, norm.num_partials()};
  KernelValues mean{ValueType::kFloat32, norm.shape.channels};
  KernelValues inv_std{ValueType::kFloat32, norm.shape.channels};
  KernelValues gain{ValueType::kFloat32, norm.shape.channels};
  KernelValues offset{ValueType::kFloat32, norm.shape.channels};
  KernelValues dscale{ValueType::kFloat32, norm.shape.channels};
  KernelValues dshift{ValueType::kFloat32, norm.shape.channels};
  KernelValues slope{ValueType::kFloat32, norm.shape.channels};
  KernelValues level{ValueType::kFloat32, norm.shape.channels};
  KernelValues running_mean = norm.running_mean;
  KernelValues running_var = norm.running_var;
  KernelValues y{norm.type, norm.shape.count(), norm.shape.is_aligned};
  KernelValues dx{norm.type, norm.shape.count(), norm.shape.is_aligned};
  KernelValues dother{norm.type, norm.shape.count(), norm.shape.is_aligned};

  ChannelFactors factors() {
    return {mean.floats(), inv_std.floats(), gain.floats(), offset.floats()};
  }

  void statistics() {
    if (!norm.given.is_batch) {
      BOOST_TEST(running_statistics({.channels = norm.shape.channels,
                                     .scale = norm.scale.floats(),
                                     .shift = norm.shift.floats(),
                                     .epsilon = kNorm.epsilon,
                                     .running_mean = norm.running_mean.floats(),
                                     .running_var = norm.running_var.floats(),
                                     .factors = factors()},
                                    nullptr)
                     .is_ok());
      return;
    }
    BOOST_TEST(
        channel_moments({.rows = norm.rows(), .x = norm.x.data(), .partials = partials.floats()},
                        nullptr)
            .is_ok());
    BOOST_TEST(batch_statistics({.rows = norm.rows(),
                                 .x = norm.x.data(),
                                 .partials = partials.floats(),
                                 .scale = norm.scale.floats(),
                                 .shift = norm.shift.floats(),
                                 .epsilon = kNorm.epsilon,
                                 .momentum = kNorm.momentum,
                                 .running_mean = running_mean.floats(),
                                 .running_var = running_var.floats(),
                                 .factors = factors()},
                                nullptr)
                   .is_ok());
  }

  void forward(void* to) {
    BOOST_TEST(affine_forward({.rows = norm.rows(),
                               .activation = norm.activation(),
                               .x = norm.x.data(),
                               .gain = gain.floats(),
                               .offset = offset.floats(),
                               .other = norm.given.has_other ? norm.other.data() : nullptr,
                               .y = to},
                              nullptr)
                   .is_ok());
  }

  void* y_for_slopes() { return norm.given.has_other ? y.data() : nullptr; }

  void gradients() {
    BOOST_TEST(affine_backward_sums({.rows = norm.rows(),
                                     .activation = norm.activation(),
                                     .x = norm.x.data(),
                                     .dy = norm.dy.data(),
                                     .y = y_for_slopes(),
                                     .factors = factors(),
                                     .partials = partials.floats()},
                                    nullptr)
                   .is_ok());
    BOOST_TEST(norm_gradients({.rows = norm.rows(),
                               .is_batch = norm.given.is_batch,
                               .partials = partials.floats(),
                               .factors = factors(),
                               .dscale = dscale.floats(),
                               .dshift = dshift.floats(),
                               .slope = slope.floats(),
                               .level = level.floats()},
                              nullptr)
                   .is_ok());
  }

  void backward(void* dx_to, void* dother_to) {
    BOOST_TEST(affine_backward({.rows = norm.rows(),
                                .activation = norm.activation(),
                                .x = norm.x.data(),
                                .dy = norm.dy.data(),
                                .y = y_for_slopes(),
                                .factors = factors(),
                                .slope = slope.floats(),
                                .level = level.floats(),
                                .dx = dx_to,
                                .dother = dother_to},
                               nullptr)
                   .is_ok());
  }

  void all() {
    statistics();
    forward(y.data());
    gradients();
    backward(dx.data(), dother.data());
  }

  bool is_kept_behind() const {
    for (const KernelValues* const values :
         {&partials, &mean, &inv_std, &gain, &offset, &dscale, &dshift, &slope, &level,
          &running_mean, &running_var, &y, &dx, &dother}) {
      if (!values->is_kept_behind()) return false;
    }
    return true;
  }
};

/// The output's signs give the slope of a ReLU only, so a sum comes with no other activation.
constexpr Given kGivens[] = {
    {.activation = {}},
    {.activation = ActivationKind::kRelu},
    {.activation = ActivationKind::kLeakyRelu},
    {.activation = ActivationKind::kSilu},
    {.activation = ActivationKind::kRelu, .has_other = true},
    {.activation = ActivationKind::kRelu, .is_batch = false},
};

struct Fixture {
  std::mt19937_64 random{5};

  template <class Check>
  void for_each_case(Check&& check) {
    for (const Shape& shape : kShapes) {
      for (const ValueType type : tests::kValueTypes) {
        for (const Given& given : kGivens) {
          BOOST_TEST_CONTEXT(tests::name_of(type)
                             << ", " << shape.num_rows() << " rows of " << shape.channels
                             << ", case " << &given - kGivens) {
            tests::seed_host_gpu(random());
            NormCase norm(random, shape, type, given);
            check(norm);
          }
        }
      }
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(cuda_channel_norm_kernels, Fixture)

BOOST_AUTO_TEST_CASE(values_statistics_and_gradients_are_those_of_the_reference) {
  for_each_case([](NormCase& norm) {
    NormRun run{norm};
    run.all();
    const double bound = tests::bound_of(norm.type);
    const double term_size = std::sqrt(static_cast<double>(norm.shape.num_rows()));
    BOOST_TEST(tests::relative_l2(run.y.values(), norm.expected.y) < bound);
    BOOST_TEST(tests::relative_l2(run.dother.values(), norm.expected.dother) < bound);
    BOOST_TEST(tests::relative_l2(run.dscale.values(), norm.expected.dscale, term_size) <
               kSumBound);
    BOOST_TEST(tests::relative_l2(run.dshift.values(), norm.expected.dshift, term_size) <
               kSumBound);
    BOOST_TEST(tests::relative_l2(run.running_mean.values(), norm.expected.running_mean) <
               kSumBound);
    BOOST_TEST(tests::relative_l2(run.running_var.values(), norm.expected.running_var) < kSumBound);
    // Of two rows little is left of the gradient: what the mean and the slope take away is nearly all.
    if (norm.shape.num_rows() > 2 || !norm.given.is_batch) {
      BOOST_TEST(tests::relative_l2(run.dx.values(), norm.expected.dx) < bound);
    }
    BOOST_TEST(run.is_kept_behind());
  });
}

// As a convolution's library gives them: the sums of the values themselves and of their squares.
BOOST_AUTO_TEST_CASE(sums_from_elsewhere_give_the_statistics_of_the_reference) {
  for_each_case([](NormCase& norm) {
    if (!norm.given.is_batch) return;
    const std::uint32_t channels = norm.shape.channels;
    Doubles totals(std::size_t{2} * channels);
    for (std::size_t i = 0; i < norm.shape.count(); ++i) {
      totals[i % channels] += norm.x[i];
      totals[channels + i % channels] += norm.x[i] * norm.x[i];
    }
    KernelValues sums(ValueType::kFloat32, totals);
    NormRun run{norm};
    BOOST_TEST(batch_statistics({.rows = norm.rows(),
                                 .x = nullptr,
                                 .partials = sums.floats(),
                                 .scale = norm.scale.floats(),
                                 .shift = norm.shift.floats(),
                                 .epsilon = kNorm.epsilon,
                                 .momentum = kNorm.momentum,
                                 .running_mean = run.running_mean.floats(),
                                 .running_var = run.running_var.floats(),
                                 .factors = run.factors()},
                                nullptr)
                   .is_ok());
    BOOST_TEST(tests::relative_l2(run.running_mean.values(), norm.expected.running_mean) <
               kSumBound);
    BOOST_TEST(tests::relative_l2(run.running_var.values(), norm.expected.running_var) < kSumBound);
    if (norm.shape.num_rows() == 2)
      return;  // two values may be so near that their spread is rounding
    run.forward(run.y.data());
    BOOST_TEST(tests::relative_l2(run.y.values(), norm.expected.y) < tests::bound_of(norm.type));
  });
}

BOOST_AUTO_TEST_CASE(outputs_may_lie_over_inputs) {
  for_each_case([this](NormCase& norm) {
    NormRun run{norm};
    run.all();
    const KernelValues x = norm.x;
    const KernelValues dy = norm.dy;
    run.forward(norm.x.data());
    BOOST_TEST(norm.x.has_bits_of(run.y));
    norm.x = x;
    if (norm.given.has_other) {
      run.forward(norm.other.data());
      BOOST_TEST(norm.other.has_bits_of(run.y));
    }
    run.backward(norm.x.data(), norm.dy.data());
    BOOST_TEST(norm.x.has_bits_of(run.dx));
    BOOST_TEST(norm.dy.has_bits_of(run.dother));
    norm.x = x;
    norm.dy = dy;
    if (norm.given.has_other) {
      const KernelValues y = run.y;
      run.backward(nullptr, run.y.data());
      BOOST_TEST(run.y.has_bits_of(run.dother));
      run.y = y;
    }
    run.backward(norm.dy.data(), nullptr);
    BOOST_TEST(norm.dy.has_bits_of(run.dx));
  });
}

BOOST_AUTO_TEST_CASE(the_order_of_blocks_and_warps_changes_no_bit) {
  for_each_case([this](NormCase& norm) {
    NormRun first{norm};
    first.all();
    tests::seed_host_gpu(random());
    NormRun second{norm};
    second.all();
    for (const auto& [a, b] : {std::pair{&first.partials, &second.partials},
                               {&first.mean, &second.mean},
                               {&first.inv_std, &second.inv_std},
                               {&first.running_var, &second.running_var},
                               {&first.dscale, &second.dscale},
                               {&first.slope, &second.slope},
                               {&first.dx, &second.dx}}) {
      BOOST_TEST(a->has_bits_of(*b));
    }
  });
}

BOOST_AUTO_TEST_CASE(one_row_has_no_deviation) {
  NormCase norm(random, {1, 1, 1, 9}, ValueType::kFloat32, {});
  NormRun run{norm};
  run.running_mean = norm.running_mean;
  run.statistics();
  for (std::size_t c = 0; c < 9; ++c) {
    BOOST_TEST(run.mean[c] == norm.x[c]);
    BOOST_TEST(run.inv_std[c] == 1 / std::sqrt(kNorm.epsilon), boost::test_tools::tolerance(1e-6));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_a_number_stays_in_its_channel_and_shows_in_all_of_it) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  NormCase norm(random, {2, 3, 3, 16}, ValueType::kFloat16, {.activation = ActivationKind::kRelu});
  Doubles values = norm.x.values();
  values[5 * 16 + 3] = kNan;  // channel 3, and not in the first row
  norm.x = KernelValues(ValueType::kFloat16, values);
  NormRun run{norm};
  run.all();
  for (std::size_t c = 0; c < 16; ++c) {
    BOOST_TEST(std::isnan(run.running_mean[c]) == (c == 3));
    BOOST_TEST(std::isnan(run.running_var[c]) == (c == 3));
    BOOST_TEST(std::isnan(run.inv_std[c]) == (c == 3));
    BOOST_TEST(std::isnan(run.dscale[c]) == (c == 3));
  }
  for (std::size_t i = 0; i < run.y.size(); ++i) {
    BOOST_TEST(std::isnan(run.y[i]) == (i % 16 == 3));
    BOOST_TEST(std::isnan(run.dx[i]) == (i % 16 == 3));
  }
}

BOOST_AUTO_TEST_CASE(gradients_of_frozen_parameters_are_left_out) {
  NormCase norm(random, {2, 3, 3, 8}, ValueType::kFloat16, {});
  NormRun run{norm};
  run.all();
  const KernelValues slope = run.slope;
  norm_gradients({.rows = norm.rows(),
                  .is_batch = true,
                  .partials = run.partials.floats(),
                  .factors = run.factors(),
                  .dscale = nullptr,
                  .dshift = nullptr,
                  .slope = run.slope.floats(),
                  .level = run.level.floats()},
                 nullptr);
  BOOST_TEST(run.slope.has_bits_of(slope));
}

BOOST_AUTO_TEST_CASE(channels_are_added_up_for_biases) {
  for (const Shape& shape : kShapes) {
    for (const ValueType type : tests::kValueTypes) {
      KernelValues values(type, tests::normal_values(random, shape.count(), 0.1), shape.is_aligned);
      Doubles expected(shape.channels);
      for (std::size_t i = 0; i < shape.count(); ++i) expected[i % shape.channels] += values[i];
      KernelValues partials(ValueType::kFloat32, num_row_parts(shape.num_rows(), shape.channels) *
                                                     std::size_t{shape.channels});
      KernelValues sums(ValueType::kFloat32, shape.channels);
      BOOST_TEST(channel_sums({.rows = {type, shape.num_rows(), shape.channels},
                               .values = values.data(),
                               .partials = partials.floats(),
                               .sums = sums.floats()},
                              nullptr)
                     .is_ok());
      BOOST_TEST(tests::relative_l2(sums.values(), expected,
                                    std::sqrt(static_cast<double>(shape.num_rows()))) < kSumBound);
      BOOST_TEST(partials.is_kept_behind());
      BOOST_TEST(sums.is_kept_behind());
    }
  }
}

/// Bounds on which the size of `partials` and the time of the passes over them rest.
BOOST_AUTO_TEST_CASE(parts_are_few_and_not_small) {
  BOOST_TEST(num_row_parts(1, 64) == 1);
  BOOST_TEST(num_row_parts(256 * 112 * 112, 64) == 1024);
  BOOST_TEST(num_row_parts(256 * 7 * 7, 2048) == 128);
  BOOST_TEST(num_row_parts(32 * 7 * 7, 2048) == 25);
  BOOST_TEST(num_row_parts(std::size_t{1} << 36, 3) <= 1024);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
