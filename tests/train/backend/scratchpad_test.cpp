// What oneDNN says that it writes, held with guards behind every argument: a primitive that writes further would
// change another layer's values in the arena, and no sanitizer sees the code that it makes.
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/train/has_bfloat16.h"
#include "train/backend/onednn/parallel.h"
#include "train/backend/onednn/weighted_sizes.h"

namespace penstock::train {
namespace {

using onednn::Arg;
using onednn::PreparedOp;
using onednn::WeightedSizes;
using onednn::WeightLayout;

constexpr std::size_t kGuardBytes = std::size_t{1} << 16;
constexpr std::byte kGuard{0xAB};

constexpr std::array<std::pair<Arg, const char*>, 9> kArgs{{{Arg::kSrc, "src"},
                                                            {Arg::kDst, "dst"},
                                                            {Arg::kWeights, "weights"},
                                                            {Arg::kBias, "bias"},
                                                            {Arg::kDiffSrc, "diff_src"},
                                                            {Arg::kDiffDst, "diff_dst"},
                                                            {Arg::kDiffWeights, "diff_weights"},
                                                            {Arg::kDiffBias, "diff_bias"},
                                                            {Arg::kScratchpad, "scratchpad"}}};

/// Zeros, and a guard behind them.
class GuardedBytes {
 public:
  explicit GuardedBytes(std::size_t bytes)
      : bytes_(bytes), base_(new (kAlignment) std::byte[bytes + kGuardBytes]) {
    std::fill_n(base_.get(), bytes, std::byte{0});
    std::fill_n(base_.get() + bytes, kGuardBytes, kGuard);
  }

  void* base() const { return base_.get(); }
  /// Bytes from the end to behind the last one that was written.
  std::size_t num_overrun_bytes() const {
    const std::byte* end = base_.get() + bytes_;
    std::size_t n = kGuardBytes;
    while (n > 0 && end[n - 1] == kGuard) --n;
    return n;
  }

 private:
  static constexpr std::align_val_t kAlignment{4096};
  struct Delete {
    void operator()(std::byte* base) const { operator delete[](base, kAlignment); }
  };

  std::size_t bytes_;
  std::unique_ptr<std::byte[], Delete> base_;
};

void check_guards(PreparedOp op, const std::string& pass) {
  std::vector<std::pair<const char*, GuardedBytes>> places;
  for (const auto& [arg, name] : kArgs) {
    const std::size_t bytes = op.bytes(arg);
    if (bytes == 0) continue;
    op.set(arg, places.emplace_back(name, GuardedBytes(bytes)).second.base());
  }
  op.run();
  for (const auto& [name, bytes] : places) {
    BOOST_TEST_CONTEXT(pass << ", " << op.implementation() << ", " << name) {
      BOOST_TEST(bytes.num_overrun_bytes() == 0u);
    }
  }
}

std::string text_of(const WeightedSizes& s) {
  const auto text = [](std::uint32_t value) { return std::to_string(value); };
  return text(s.batch) + " samples of " + text(s.input.channels) + " x " + text(s.input.height) +
         " x " + text(s.input.width) + " to " + text(s.output.channels) + " channels, groups " +
         text(s.groups) + ", kernel " + text(s.window.kernel.rows) + ", stride " +
         text(s.window.stride.rows) + " x " + text(s.window.stride.cols) + ", padding " +
         text(s.window.pad_top) + (s.compute == ComputeType::kBfloat16 ? ", bfloat16" : "");
}

/// The three passes as a layer asks for them.
void check_passes(const onednn::OneDnn& library, const WeightedSizes& sizes) {
  for (const unsigned num_threads : {1u, 2u, 3u}) {
    const onednn::ThreadScope threads(num_threads);
    BOOST_TEST_CONTEXT(text_of(sizes) << ", " << num_threads << " threads") {
      WeightLayout forward;
      WeightLayout by_input;
      WeightLayout by_weights;
      check_guards(library.forward(sizes, true, forward), "forward");
      check_guards(library.backward_data(sizes, by_input), "backward_data");
      check_guards(library.backward_weights(weight_gradient_sizes(sizes), by_weights),
                   "backward_weights");
    }
  }
}

/// Convolutions, every other one of a single pixel at step 2 or 3.
class DrawnSizes {
 public:
  explicit DrawnSizes(unsigned seed) : random_(seed) {}

  WeightedSizes operator()(ComputeType compute) {
    const bool is_pointwise = between(0, 1) == 1;
    const std::uint32_t kernel = is_pointwise ? 1 : 3;
    const std::uint32_t groups = between(0, 3) == 0 ? 2 : 1;
    const std::uint32_t pad = between(0, 3) == 0 ? 1 : 0;
    const Extent stride{between(is_pointwise ? 2 : 1, 3), between(1, 3)};
    WeightedSizes sizes{.batch = between(1, 9),
                        .input = {groups * between(1, 20), between(3, 24), between(3, 24)},
                        .output = {.channels = groups * between(1, 20)},
                        .window = {.kernel = {kernel, kernel},
                                   .stride = stride,
                                   .pad_top = pad,
                                   .pad_left = pad,
                                   .pad_bottom = pad,
                                   .pad_right = pad},
                        .groups = groups,
                        .has_bias = between(0, 1) == 1,
                        .compute = compute};
    sizes.output.height = (sizes.input.height + 2 * pad - kernel) / stride.rows + 1;
    sizes.output.width = (sizes.input.width + 2 * pad - kernel) / stride.cols + 1;
    return sizes;
  }

 private:
  std::uint32_t between(std::uint32_t least, std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(least, most)(random_);
  }

  std::mt19937 random_;
};

void check_drawn(ComputeType compute) {
  const unsigned seed = std::random_device()();
  const onednn::OneDnn library;
  BOOST_TEST_CONTEXT("seed " << seed) {
    DrawnSizes draw(seed);
    for (unsigned i = 0; i < 100; ++i) check_passes(library, draw(compute));
  }
}

BOOST_AUTO_TEST_SUITE(scratchpad)

// 3,968 bytes behind it with oneDNN 2.6 and AVX-512, where the layer does not pick the pixels.
BOOST_AUTO_TEST_CASE(a_1x1_convolution_at_step_2_of_few_channels_keeps_to_it) {
  const WeightedSizes sizes{.batch = 9,
                            .input = {8, 32, 32},
                            .output = {12, 16, 16},
                            .window = {.stride = {2, 2}},
                            .has_bias = true};
  BOOST_TEST(picks_pixels(sizes));
  check_passes(onednn::OneDnn(), sizes);
}

BOOST_AUTO_TEST_CASE(no_convolution_in_float32_writes_behind_its_arguments) {
  check_drawn(ComputeType::kFloat32);
}

BOOST_AUTO_TEST_CASE(no_convolution_in_bfloat16_writes_behind_its_arguments,
                     *boost::unit_test::precondition(tests::HasBfloat16())) {
  check_drawn(ComputeType::kBfloat16);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
