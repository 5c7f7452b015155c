// Against the reference's loops in double, which are NCHW.
#include "train/backend/cuda/kernels/sample_norm_kernels.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <optional>

#include "tests/train/backend/cuda/kernels/kernel_values.h"
#include "train/backend/reference/activation_reference.h"
#include "train/backend/reference/norm_reference.h"

namespace penstock::train::cuda {
namespace {

using tests::KernelValues;

constexpr double kEpsilon = 1e-3;  // large enough to be seen

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

/// What the reference makes of a node's values; places of a sample are its columns.
struct Expected {
  std::vector<double> y;
  std::vector<double> dx;
  std::vector<double> dscale;
  std::vector<double> dshift;
};

/// Values of a node, drawn.
struct NormCase {
  ValueType type;
  std::size_t samples;
  std::size_t places;
  std::uint32_t channels;
  bool is_aligned = true;
  KernelValues x;
  KernelValues dy;
  KernelValues scale;
  KernelValues shift;

  /// The mean is far from 0 where digits would get lost with it.
  NormCase(ValueType values_type, std::size_t num_samples, std::size_t num_places,
           std::uint32_t num_channels, bool aligned, std::mt19937_64& random)
      : type(values_type),
        samples(num_samples),
        places(num_places),
        channels(num_channels),
        is_aligned(aligned),
        x(type, tests::normal_values(random, count(), 3.0, 0.5), aligned),
        dy(type, tests::normal_values(random, count(), 0.2), aligned),
        scale(ValueType::kFloat32, tests::normal_values(random, num_channels, 1.0, 0.3), aligned),
        shift(ValueType::kFloat32, tests::normal_values(random, num_channels), aligned) {}

  std::size_t count() const { return samples * places * channels; }
  KernelValues empty() const { return KernelValues(type, count(), is_aligned); }
  KernelValues empty_params() const {
    return KernelValues(ValueType::kFloat32, channels, is_aligned);
  }

  template <class Op>
  Expected expected(const Op& op) const {
    std::vector<double> scale_values = scale.values();
    std::vector<double> shift_values = shift.values();
    const std::vector<double> x_nchw = turned(x.values(), samples, places, channels);
    const std::vector<double> dy_nchw = turned(dy.values(), samples, places, channels);
    Expected found{std::vector<double>(count()), std::vector<double>(count()),
                   std::vector<double>(channels), std::vector<double>(channels)};
    const TensorShape shape{
        .channels = channels, .height = 1, .width = static_cast<std::uint32_t>(places)};
    const reference::NodeTensors<double> tensors{
        .batch = samples,
        .is_training = true,
        .shape = shape,
        .input_shapes = {shape},
        .x = {x_nchw.data()},
        .y = found.y.data(),
        .dy = dy_nchw.data(),
        .dx = {found.dx.data()},
        .params = {scale_values.data(), shift_values.data()},
        .dparams = {found.dscale.data(), found.dshift.data()}};
    reference::forward(op, tensors);
    reference::backward(op, tensors);
    found.y = turned(found.y, samples, channels, places);
    found.dx = turned(found.dx, samples, channels, places);
    return found;
  }
};

void check(const KernelValues& found, const std::vector<double>& expected, ValueType type) {
  BOOST_TEST(tests::relative_l2(found.values(), expected) < tests::bound_of(type));
  BOOST_TEST(found.is_kept_behind());
}

/// Sums of thousands of gradients that are partly equal and opposite: their own rounding counts.
void check_params(const KernelValues& found, const std::vector<double>& expected) {
  BOOST_TEST(tests::relative_l2(found.values(), expected) < 1e-5);
  BOOST_TEST(found.is_kept_behind());
}

struct Sizes {
  std::size_t samples;
  std::size_t places;
  std::uint32_t channels;
  std::uint32_t groups;
};

struct Fixture {
  std::mt19937_64 random{31};

  template <class Run>
  void for_each_case(const std::vector<Sizes>& all_sizes, const Run& run) {
    std::uint64_t seed = 0;
    for (const Sizes& sizes : all_sizes) {
      for (const ValueType type : tests::kValueTypes) {
        tests::seed_host_gpu(++seed);
        BOOST_TEST_CONTEXT(sizes.samples << " x " << sizes.places << " x " << sizes.channels
                                         << ", groups " << sizes.groups << ", "
                                         << tests::name_of(type)) {
          NormCase norm(type, sizes.samples, sizes.places, sizes.channels, seed % 5 != 0, random);
          run(norm, sizes);
        }
      }
    }
  }
};

/// One value to a lane, several; rows that fill no block, and many blocks; more packs than a block has threads.
const std::vector<Sizes> kRowSizes{{1, 1, 35, 1},    {2, 3, 6, 1},     {3, 70, 8, 1},
                                   {2, 150, 96, 1},  {1, 9, 768, 1},   {1, 40, 1000, 1},
                                   {1, 37, 2056, 1}, {1, 33, 1027, 1}, {5, 230, 24, 1}};

BOOST_FIXTURE_TEST_SUITE(sample_norm_kernels, Fixture)

BOOST_AUTO_TEST_CASE(layer_norm_and_its_gradients_are_those_of_the_reference) {
  for_each_case(kRowSizes, [](NormCase& norm, const Sizes&) {
    const Expected expected = norm.expected(LayerNormOp{.epsilon = kEpsilon});
    const std::size_t num_rows = norm.samples * norm.places;
    KernelValues y = norm.empty();
    LayerNormForward forward{.type = norm.type,
                             .num_rows = num_rows,
                             .channels = norm.channels,
                             .epsilon = kEpsilon,
                             .x = norm.x.data(),
                             .scale = norm.scale.floats(),
                             .shift = norm.shift.floats(),
                             .y = y.data()};
    BOOST_TEST(layer_norm_forward(forward, nullptr).is_ok());
    check(y, expected.y, norm.type);

    KernelValues partials(ValueType::kFloat32,
                          std::size_t{num_layer_norm_parts(num_rows)} * 2 * norm.channels);
    KernelValues dx = norm.empty();
    KernelValues dscale = norm.empty_params();
    KernelValues dshift = norm.empty_params();
    const LayerNormBackward backward{.type = norm.type,
                                     .num_rows = num_rows,
                                     .channels = norm.channels,
                                     .epsilon = kEpsilon,
                                     .x = norm.x.data(),
                                     .scale = norm.scale.floats(),
                                     .dy = norm.dy.data(),
                                     .partials = partials.floats(),
                                     .dx = dx.data(),
                                     .dscale = dscale.floats(),
                                     .dshift = dshift.floats()};
    BOOST_TEST(layer_norm_backward(backward, nullptr).is_ok());
    check(dx, expected.dx, norm.type);
    check_params(dscale, expected.dscale);
    check_params(dshift, expected.dshift);
    BOOST_TEST(partials.is_kept_behind());

    // Frozen, or the first of the network.
    KernelValues dshift_alone = norm.empty_params();
    LayerNormBackward part = backward;
    part.dx = nullptr;
    part.dscale = nullptr;
    part.dshift = dshift_alone.floats();
    BOOST_TEST(layer_norm_backward(part, nullptr).is_ok());
    BOOST_TEST(dshift_alone.has_bits_of(dshift));

    // In place of dy and of x.
    KernelValues in_place = norm.dy;
    part = backward;
    part.dscale = nullptr;
    part.dshift = nullptr;
    part.partials = nullptr;
    part.dy = part.dx = in_place.data();
    BOOST_TEST(layer_norm_backward(part, nullptr).is_ok());
    BOOST_TEST(in_place.has_bits_of(dx));
    in_place = norm.x;
    part.dy = norm.dy.data();
    part.x = part.dx = in_place.data();
    layer_norm_backward(part, nullptr);
    BOOST_TEST(in_place.has_bits_of(dx));
    in_place = norm.x;
    forward.x = forward.y = in_place.data();
    layer_norm_forward(forward, nullptr);
    BOOST_TEST(in_place.has_bits_of(y));
  });
}

/// One group; a channel each; several groups to a pack, and packs that groups cut; odd numbers; groups of more
/// packs than a block has threads; a last slice that is shorter.
const std::vector<Sizes> kGroupSizes{
    {2, 50, 64, 32},  {3, 20, 35, 5},  {1, 33, 24, 8},  {2, 7, 6, 2},    {2, 40, 256, 32},
    {1, 300, 8, 1},   {2, 1, 512, 4},  {1, 5, 2304, 1}, {1, 6, 1026, 2}, {2, 19, 96, 96},
    {1, 30, 168, 56}, {2, 9, 560, 80}, {1, 11, 264, 3}, {2, 13, 198, 3}, {1, 2000, 72, 12}};

BOOST_AUTO_TEST_CASE(group_norm_and_its_gradients_are_those_of_the_reference) {
  for_each_case(kGroupSizes, [](NormCase& norm, const Sizes& sizes) {
    const Expected expected =
        norm.expected(GroupNormOp{.groups = sizes.groups, .epsilon = kEpsilon});
    KernelValues y = norm.empty();
    KernelValues factors(ValueType::kFloat32, norm.samples * sizes.groups * 2);
    GroupNormForward forward{.type = norm.type,
                             .samples = norm.samples,
                             .places = norm.places,
                             .channels = norm.channels,
                             .groups = sizes.groups,
                             .epsilon = kEpsilon,
                             .x = norm.x.data(),
                             .scale = norm.scale.floats(),
                             .shift = norm.shift.floats(),
                             .factors = factors.floats(),
                             .y = y.data()};
    BOOST_TEST(group_norm_forward(forward, nullptr).is_ok());
    check(y, expected.y, norm.type);
    BOOST_TEST(factors.is_kept_behind());

    KernelValues sums(ValueType::kFloat32, norm.samples * 2 * norm.channels);
    KernelValues dx = norm.empty();
    KernelValues dscale = norm.empty_params();
    KernelValues dshift = norm.empty_params();
    const GroupNormBackward backward{.type = norm.type,
                                     .samples = norm.samples,
                                     .places = norm.places,
                                     .channels = norm.channels,
                                     .groups = sizes.groups,
                                     .x = norm.x.data(),
                                     .scale = norm.scale.floats(),
                                     .factors = factors.floats(),
                                     .dy = norm.dy.data(),
                                     .sums = sums.floats(),
                                     .dx = dx.data(),
                                     .dscale = dscale.floats(),
                                     .dshift = dshift.floats()};
    BOOST_TEST(group_norm_backward(backward, nullptr).is_ok());
    // Of a group of few values that are all taken away again little is left but rounding.
    if (norm.places * norm.channels / sizes.groups > 1) check(dx, expected.dx, norm.type);
    check_params(dscale, expected.dscale);
    check_params(dshift, expected.dshift);
    BOOST_TEST(sums.is_kept_behind());

    KernelValues dscale_alone = norm.empty_params();
    GroupNormBackward part = backward;
    part.dx = nullptr;
    part.dshift = nullptr;
    part.dscale = dscale_alone.floats();
    BOOST_TEST(group_norm_backward(part, nullptr).is_ok());
    BOOST_TEST(dscale_alone.has_bits_of(dscale));

    KernelValues in_place = norm.dy;
    part = backward;
    part.dscale = nullptr;
    part.dshift = nullptr;
    part.dy = part.dx = in_place.data();
    BOOST_TEST(group_norm_backward(part, nullptr).is_ok());
    BOOST_TEST(in_place.has_bits_of(dx));
    in_place = norm.x;
    part.dy = norm.dy.data();
    part.x = part.dx = in_place.data();
    group_norm_backward(part, nullptr);
    BOOST_TEST(in_place.has_bits_of(dx));
    in_place = norm.x;
    forward.x = forward.y = in_place.data();
    group_norm_forward(forward, nullptr);
    BOOST_TEST(in_place.has_bits_of(y));
  });
}

BOOST_AUTO_TEST_CASE(softmax_and_its_gradient_are_those_of_the_reference) {
  for_each_case(kRowSizes, [&](NormCase& norm, const Sizes&) {
    norm.x =
        KernelValues(norm.type, tests::normal_values(random, norm.count(), 0, 3), norm.is_aligned);
    const std::size_t num_rows = norm.samples * norm.places;
    KernelValues y = norm.empty();
    Softmax forward{.type = norm.type,
                    .num_rows = num_rows,
                    .channels = norm.channels,
                    .x = norm.x.data(),
                    .y = y.data()};
    BOOST_TEST(softmax_forward(forward, nullptr).is_ok());
    check(y, norm.expected(SoftmaxOp{}).y, norm.type);
    KernelValues in_place = norm.x;
    forward.x = forward.y = in_place.data();
    softmax_forward(forward, nullptr);
    BOOST_TEST(in_place.has_bits_of(y));

    KernelValues dx = norm.empty();
    SoftmaxBackward backward{.type = norm.type,
                             .num_rows = num_rows,
                             .channels = norm.channels,
                             .y = y.data(),
                             .dy = norm.dy.data(),
                             .dx = dx.data()};
    BOOST_TEST(softmax_backward(backward, nullptr).is_ok());
    // From y as it is kept, rounded.
    std::vector<double> expected(norm.count());
    for (std::size_t row = 0; row < num_rows; ++row) {
      double sum = 0;
      const std::size_t first = row * norm.channels;
      for (std::size_t i = first; i < first + norm.channels; ++i) sum += y[i] * norm.dy[i];
      for (std::size_t i = first; i < first + norm.channels; ++i) {
        expected[i] = y[i] * (norm.dy[i] - sum);
      }
    }
    check(dx, expected, norm.type);
    in_place = norm.dy;
    backward.dy = backward.dx = in_place.data();
    softmax_backward(backward, nullptr);
    BOOST_TEST(in_place.has_bits_of(dx));
  });
}

// exp(-20000) is 0; the differences decide, not the scores.
BOOST_AUTO_TEST_CASE(a_softmax_of_large_scores_is_finite) {
  KernelValues x(ValueType::kFloat32, std::vector<double>{1e4, 1e4, -1e4, 3e4, 3e4, 3e4});
  KernelValues y(ValueType::kFloat32, 6);
  softmax_forward(
      {.type = ValueType::kFloat32, .num_rows = 2, .channels = 3, .x = x.data(), .y = y.data()},
      nullptr);
  const std::vector<double> expected{0.5, 0.5, 0, 1.0 / 3, 1.0 / 3, 1.0 / 3};
  BOOST_TEST(tests::relative_l2(y.values(), expected) < 1e-6);
}

BOOST_AUTO_TEST_CASE(norms_give_the_same_bits_in_any_order_of_threads) {
  std::optional<KernelValues> layer;
  std::optional<KernelValues> group;
  for (const std::uint64_t seed : {3, 4}) {
    tests::seed_host_gpu(seed);
    std::mt19937_64 same(8);
    NormCase norm(ValueType::kBfloat16, 2, 300, 64, true, same);
    KernelValues partials(ValueType::kFloat32, std::size_t{num_layer_norm_parts(600)} * 128);
    KernelValues dscale = norm.empty_params();
    layer_norm_backward({.type = norm.type,
                         .num_rows = 600,
                         .channels = 64,
                         .epsilon = kEpsilon,
                         .x = norm.x.data(),
                         .scale = norm.scale.floats(),
                         .dy = norm.dy.data(),
                         .partials = partials.floats(),
                         .dx = nullptr,
                         .dscale = dscale.floats(),
                         .dshift = nullptr},
                        nullptr);
    if (!layer) layer = dscale;
    BOOST_TEST(layer->has_bits_of(dscale));
    KernelValues factors(ValueType::kFloat32, 2 * 16 * 2);
    group_norm_forward({.type = norm.type,
                        .samples = 2,
                        .places = 300,
                        .channels = 64,
                        .groups = 16,
                        .epsilon = kEpsilon,
                        .x = norm.x.data(),
                        .scale = norm.scale.floats(),
                        .shift = norm.shift.floats(),
                        .factors = factors.floats(),
                        .y = norm.x.data()},
                       nullptr);
    if (!group) group = factors;
    BOOST_TEST(group->has_bits_of(factors));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
