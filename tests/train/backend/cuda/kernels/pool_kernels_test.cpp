// Against the reference's loops in double, which are NCHW.
#include "train/backend/cuda/kernels/pool_kernels.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <optional>

#include "tests/train/backend/cuda/kernels/kernel_values.h"
#include "train/backend/reference/pool_reference.h"

namespace penstock::train::cuda {
namespace {

using tests::KernelValues;

/// From NHWC to NCHW, or back: `inner` is the side that comes last before.
std::vector<double> turned(const std::vector<double>& values, std::size_t samples,
                           std::size_t outer, std::size_t inner) {
  std::vector<double> to(values.size());
  for (std::size_t n = 0; n < samples; ++n) {
    for (std::size_t i = 0; i < outer; ++i) {
      for (std::size_t k = 0; k < inner; ++k) {
        to[(n * inner + k) * outer + i] = values[(n * outer + i) * inner + k];
      }
    }
  }
  return to;
}

/// One pool with drawn values, and what the reference makes of them.
struct PoolCase {
  ValueType type;
  std::size_t samples;
  TensorShape input;
  TensorShape output;
  bool is_aligned = true;

  std::size_t num_inputs() const { return samples * input.num_elements(); }
  std::size_t num_outputs() const { return samples * output.num_elements(); }

  PoolShape shape() const {
    return {.samples = samples,
            .channels = input.channels,
            .in_height = input.height,
            .in_width = input.width,
            .out_height = output.height,
            .out_width = output.width};
  }

  template <class Op>
  std::vector<double> expected_forward(const Op& op, const KernelValues& x) const {
    const std::vector<double> x_nchw = turned(x.values(), samples, input.area(), input.channels);
    std::vector<double> y(num_outputs(), NAN);
    reference::forward(op, reference::NodeTensors<double>{.batch = samples,
                                                          .shape = output,
                                                          .input_shapes = {input},
                                                          .x = {x_nchw.data()},
                                                          .y = y.data()});
    return turned(y, samples, output.channels, output.area());
  }
  template <class Op>
  std::vector<double> expected_backward(const Op& op, const KernelValues& x,
                                        const KernelValues& dy) const {
    const std::vector<double> x_nchw = turned(x.values(), samples, input.area(), input.channels);
    const std::vector<double> dy_nchw =
        turned(dy.values(), samples, output.area(), output.channels);
    std::vector<double> dx(num_inputs(), 0.0);
    reference::backward(op, reference::NodeTensors<double>{.batch = samples,
                                                           .shape = output,
                                                           .input_shapes = {input},
                                                           .x = {x_nchw.data()},
                                                           .dy = dy_nchw.data(),
                                                           .dx = {dx.data()}});
    return turned(dx, samples, input.channels, input.area());
  }
};

/// Values of which many are equal, so that the first one must win.
std::vector<double> coarse_values(std::mt19937_64& random, std::size_t count) {
  std::vector<double> values = tests::normal_values(random, count);
  for (double& value : values) value = std::round(value * 2) / 2;
  return values;
}

void check(const KernelValues& found, const std::vector<double>& expected, ValueType type) {
  BOOST_TEST(tests::relative_l2(found.values(), expected) < tests::bound_of(type));
  BOOST_TEST(found.is_kept_behind());
}

PoolWindow kernel_window(const Window& window, bool counts_padding) {
  return {.kernel_height = window.kernel.rows,
          .kernel_width = window.kernel.cols,
          .stride_y = window.stride.rows,
          .stride_x = window.stride.cols,
          .dilation_y = window.dilation.rows,
          .dilation_x = window.dilation.cols,
          .pad_top = window.pad_top,
          .pad_left = window.pad_left,
          .counts_padding = counts_padding};
}

std::uint32_t num_windows(std::uint32_t in, std::uint32_t pads, std::uint32_t kernel,
                          std::uint32_t stride, std::uint32_t dilation) {
  return (in + pads - (kernel - 1) * dilation - 1) / stride + 1;
}

TensorShape pooled_shape(const TensorShape& input, const Window& w) {
  return {.channels = input.channels,
          .height = num_windows(input.height, w.pad_top + w.pad_bottom, w.kernel.rows,
                                w.stride.rows, w.dilation.rows),
          .width = num_windows(input.width, w.pad_left + w.pad_right, w.kernel.cols, w.stride.cols,
                               w.dilation.cols)};
}

/// Square windows of usual networks, without and with padding; odd ones; dilated ones; gaps between windows.
const std::vector<Window> kWindows{
    {.kernel = {2, 2}, .stride = {2, 2}, .dilation = {1, 1}},
    {.kernel = {3, 3},
     .stride = {2, 2},
     .pad_top = 1,
     .pad_left = 1,
     .pad_bottom = 1,
     .pad_right = 1,
     .dilation = {1, 1}},
    {.kernel = {3, 3},
     .stride = {1, 1},
     .pad_top = 1,
     .pad_left = 1,
     .pad_bottom = 1,
     .pad_right = 1,
     .dilation = {1, 1}},
    {.kernel = {3, 2}, .stride = {1, 3}, .pad_top = 1, .pad_right = 1, .dilation = {1, 1}},
    {.kernel = {3, 2},
     .stride = {2, 1},
     .pad_top = 2,
     .pad_left = 1,
     .pad_bottom = 1,
     .dilation = {2, 3}},
    {.kernel = {1, 1}, .stride = {2, 3}, .dilation = {1, 1}},
    {.kernel = {6, 7}, .stride = {1, 1}, .dilation = {1, 1}},
};

/// Single values, whole vectors, several of them; more places than a block has threads.
const std::vector<TensorShape> kInputs{{.channels = 1, .height = 6, .width = 7},
                                       {.channels = 3, .height = 7, .width = 9},
                                       {.channels = 8, .height = 9, .width = 8},
                                       {.channels = 35, .height = 6, .width = 7},
                                       {.channels = 64, .height = 11, .width = 38}};

struct Fixture {
  std::mt19937_64 random{21};

  template <class Run>
  void for_each_case(Run&& run) {
    std::uint64_t seed = 0;
    for (const Window& window : kWindows) {
      for (const TensorShape& input : kInputs) {
        for (const ValueType type : tests::kValueTypes) {
          tests::seed_host_gpu(++seed);
          BOOST_TEST_CONTEXT("kernel " << window.kernel.rows << " x " << window.kernel.cols
                                       << ", stride " << window.stride.rows << ", dilation "
                                       << window.dilation.rows << ", " << input.channels
                                       << " channels, " << tests::name_of(type)) {
            run(PoolCase{type, 1 + seed % 2, input, pooled_shape(input, window), seed % 5 != 0},
                window);
          }
        }
      }
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(pool_kernels, Fixture)

BOOST_AUTO_TEST_CASE(maxima_of_windows_and_their_gradients_are_those_of_the_reference) {
  for_each_case([&](const PoolCase& pool, const Window& window) {
    const PoolOp op{.kind = PoolKind::kMax, .window = window};
    KernelValues x(pool.type, coarse_values(random, pool.num_inputs()), pool.is_aligned);
    KernelValues y(pool.type, pool.num_outputs(), pool.is_aligned);
    std::vector<std::uint8_t> places(pool.num_outputs() + 8, 255);
    MaxPoolForward forward{.type = pool.type,
                           .shape = pool.shape(),
                           .window = kernel_window(window, false),
                           .x = x.data(),
                           .y = y.data(),
                           .places = places.data()};
    BOOST_TEST(max_pool_forward(forward, nullptr).is_ok());
    BOOST_TEST(y.values() == pool.expected_forward(op, x), boost::test_tools::per_element());
    BOOST_TEST(y.is_kept_behind());
    BOOST_TEST(std::count(places.end() - 8, places.end(), 255) == 8);

    KernelValues dy(pool.type, tests::normal_values(random, pool.num_outputs()), pool.is_aligned);
    KernelValues dx(pool.type, pool.num_inputs(), pool.is_aligned);
    BOOST_TEST(max_pool_backward({.type = pool.type,
                                  .shape = pool.shape(),
                                  .window = kernel_window(window, false),
                                  .places = places.data(),
                                  .dy = dy.data(),
                                  .dx = dx.data()},
                                 nullptr)
                   .is_ok());
    check(dx, pool.expected_backward(op, x, dy), pool.type);

    KernelValues without_places(pool.type, pool.num_outputs(), pool.is_aligned);
    forward.y = without_places.data();
    forward.places = nullptr;
    max_pool_forward(forward, nullptr);
    BOOST_TEST(without_places.has_bits_of(y));
  });
}

BOOST_AUTO_TEST_CASE(averages_of_windows_and_their_gradients_are_those_of_the_reference) {
  for (const bool counts_padding : {false, true}) {
    for_each_case([&](const PoolCase& pool, const Window& window) {
      const PoolOp op{
          .kind = PoolKind::kAverage, .window = window, .counts_padding = counts_padding};
      KernelValues x(pool.type, tests::normal_values(random, pool.num_inputs()), pool.is_aligned);
      KernelValues y(pool.type, pool.num_outputs(), pool.is_aligned);
      AveragePool average{.type = pool.type,
                          .shape = pool.shape(),
                          .window = kernel_window(window, counts_padding),
                          .from = x.data(),
                          .to = y.data()};
      BOOST_TEST(average_pool_forward(average, nullptr).is_ok());
      check(y, pool.expected_forward(op, x), pool.type);
      KernelValues dy(pool.type, tests::normal_values(random, pool.num_outputs()), pool.is_aligned);
      KernelValues dx(pool.type, pool.num_inputs(), pool.is_aligned);
      average.from = dy.data();
      average.to = dx.data();
      BOOST_TEST(average_pool_backward(average, nullptr).is_ok());
      check(dx, pool.expected_backward(op, x, dy), pool.type);
    });
  }
}

struct AdaptiveSizes {
  TensorShape input;
  Extent output;
};

/// Global, over few and over many places; windows that do not overlap, that do, and more of them than places.
const std::vector<AdaptiveSizes> kAdaptive{
    {{.channels = 8, .height = 7, .width = 7}, {1, 1}},
    {{.channels = 35, .height = 7, .width = 5}, {1, 1}},
    {{.channels = 16, .height = 40, .width = 31}, {1, 1}},
    {{.channels = 2048, .height = 2, .width = 2}, {1, 1}},
    {{.channels = 600, .height = 1, .width = 1}, {1, 1}},
    {{.channels = 64, .height = 14, .width = 21}, {7, 7}},
    {{.channels = 3, .height = 12, .width = 6}, {3, 2}},
    {{.channels = 24, .height = 7, .width = 5}, {3, 4}},
    {{.channels = 8, .height = 10, .width = 7}, {4, 7}},
    {{.channels = 6, .height = 3, .width = 4}, {7, 5}},
};

BOOST_AUTO_TEST_CASE(adaptive_pools_and_their_gradients_are_those_of_the_reference) {
  std::uint64_t seed = 0;
  for (const AdaptiveSizes& sizes : kAdaptive) {
    for (const ValueType type : tests::kValueTypes) {
      for (const PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) {
        tests::seed_host_gpu(++seed);
        BOOST_TEST_CONTEXT(sizes.input.height << " x " << sizes.input.width << " to "
                                              << sizes.output.rows << " x " << sizes.output.cols
                                              << ", maxima " << (kind == PoolKind::kMax) << ", "
                                              << tests::name_of(type)) {
          const PoolCase pool{type,
                              1 + seed % 3,
                              sizes.input,
                              {.channels = sizes.input.channels,
                               .height = sizes.output.rows,
                               .width = sizes.output.cols},
                              seed % 7 != 0};
          const AdaptivePoolOp op{.kind = kind, .output = sizes.output};
          KernelValues x(type,
                         kind == PoolKind::kMax
                             ? coarse_values(random, pool.num_inputs())
                             : tests::normal_values(random, pool.num_inputs(), 0.5),
                         pool.is_aligned);
          KernelValues y(type, pool.num_outputs(), pool.is_aligned);
          BOOST_TEST(adaptive_pool_forward({.type = type,
                                            .shape = pool.shape(),
                                            .is_max = kind == PoolKind::kMax,
                                            .x = x.data(),
                                            .y = y.data()},
                                           nullptr)
                         .is_ok());
          check(y, pool.expected_forward(op, x), type);
          KernelValues dy(type, tests::normal_values(random, pool.num_outputs()), pool.is_aligned);
          KernelValues dx(type, pool.num_inputs(), pool.is_aligned);
          BOOST_TEST(adaptive_pool_backward({.type = type,
                                             .shape = pool.shape(),
                                             .is_max = kind == PoolKind::kMax,
                                             .x = kind == PoolKind::kMax ? x.data() : nullptr,
                                             .dy = dy.data(),
                                             .dx = dx.data()},
                                            nullptr)
                         .is_ok());
          check(dx, pool.expected_backward(op, x, dy), type);
        }
      }
    }
  }
}

// By hand: 4 values in a window, where the third is no number.
BOOST_AUTO_TEST_CASE(what_is_not_a_number_wins_over_numbers) {
  const PoolShape shape{
      .samples = 1, .channels = 1, .in_height = 2, .in_width = 2, .out_height = 1, .out_width = 1};
  const PoolWindow window{.kernel_height = 2,
                          .kernel_width = 2,
                          .stride_y = 1,
                          .stride_x = 1,
                          .dilation_y = 1,
                          .dilation_x = 1,
                          .pad_top = 0,
                          .pad_left = 0,
                          .counts_padding = false};
  const std::vector<double> values{1, 2, NAN, 5};
  KernelValues x(ValueType::kFloat32, values);
  KernelValues y(ValueType::kFloat32, std::vector<double>{0});
  std::uint8_t place = 9;
  max_pool_forward({.type = ValueType::kFloat32,
                    .shape = shape,
                    .window = window,
                    .x = x.data(),
                    .y = y.data(),
                    .places = &place},
                   nullptr);
  BOOST_TEST(std::isnan(y[0]));
  BOOST_TEST(place == 2);
  KernelValues adaptive(ValueType::kFloat32, std::vector<double>{0});
  adaptive_pool_forward({.type = ValueType::kFloat32,
                         .shape = shape,
                         .is_max = true,
                         .x = x.data(),
                         .y = adaptive.data()},
                        nullptr);
  BOOST_TEST(std::isnan(adaptive[0]));
  KernelValues dy(ValueType::kFloat32, std::vector<double>{3});
  KernelValues dx(ValueType::kFloat32, 4);
  adaptive_pool_backward({.type = ValueType::kFloat32,
                          .shape = shape,
                          .is_max = true,
                          .x = x.data(),
                          .dy = dy.data(),
                          .dx = dx.data()},
                         nullptr);
  BOOST_TEST(dx.values() == (std::vector<double>{0, 0, 3, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_window_of_minus_infinity_has_its_first_place_as_maximum) {
  const PoolShape shape{
      .samples = 1, .channels = 1, .in_height = 1, .in_width = 2, .out_height = 1, .out_width = 1};
  KernelValues x(ValueType::kFloat32, std::vector<double>(2, -INFINITY));
  KernelValues dy(ValueType::kFloat32, std::vector<double>{3});
  KernelValues dx(ValueType::kFloat32, 2);
  adaptive_pool_backward({.type = ValueType::kFloat32,
                          .shape = shape,
                          .is_max = true,
                          .x = x.data(),
                          .dy = dy.data(),
                          .dx = dx.data()},
                         nullptr);
  BOOST_TEST(dx.values() == (std::vector<double>{3, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_global_pool_gives_the_same_bits_in_any_order_of_threads) {
  const PoolCase pool{ValueType::kFloat32,
                      2,
                      {.channels = 20, .height = 30, .width = 30},
                      {.channels = 20, .height = 1, .width = 1}};
  KernelValues x(pool.type, tests::normal_values(random, pool.num_inputs()));
  std::optional<KernelValues> first;
  for (const std::uint64_t seed : {5, 6}) {
    tests::seed_host_gpu(seed);
    KernelValues y(pool.type, pool.num_outputs());
    adaptive_pool_forward(
        {.type = pool.type, .shape = pool.shape(), .is_max = false, .x = x.data(), .y = y.data()},
        nullptr);
    if (!first) first = y;
    BOOST_TEST(first->has_bits_of(y));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
