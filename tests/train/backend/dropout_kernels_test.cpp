#include "train/backend/onednn/dropout_kernels.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "train/graph/train_draws.h"

namespace penstock::train {
namespace {

using onednn::DropoutDraws;
using onednn::kDropoutBlock;

BOOST_AUTO_TEST_SUITE(dropout_kernels)

// Block 300 has counters above 2^16, whose high bits are in another word.
BOOST_AUTO_TEST_CASE(draws_are_those_of_the_counter_one_by_one) {
  const std::vector<DropoutDraws> places = {
      {.seed = 5, .step = 1000, .sample_idx = 3, .node = 7, .threshold = 0x40000000},
      {.seed = 0xFEDCBA9876543210,
       .step = 0x3FFFFFFFFF,
       .sample_idx = 0xFFFFFF,
       .node = 0xFFFFF,
       .threshold = 0xFFFFFFFF},
      {.seed = 0xFFFFFFFF, .step = 0, .sample_idx = 0, .node = 0, .threshold = 0x80000001},
      {.threshold = 0}};
  for (const DropoutDraws& draws : places) {
    for (const std::size_t block : {0u, 1u, 300u}) {
      std::array<std::uint8_t, kDropoutBlock> kept;
      draw_kept(draws, block, kept.data());
      std::vector<int> expected;
      for (std::size_t i = 0; i < kDropoutBlock; ++i) {
        const std::size_t at = block * kDropoutBlock + i;
        const PhiloxCounter words =
            dropout_words(draws.seed, draws.step, draws.sample_idx, draws.node, at / 4);
        expected.push_back(words[at % 4] >= draws.threshold ? 1 : 0);
      }
      BOOST_TEST(std::vector<int>(kept.begin(), kept.end()) == expected,
                 boost::test_tools::per_element());
    }
  }
}

// 37 values: whole vectors of every width, and some left over.
template <class T>
void check_scaling() {
  constexpr std::size_t kCount = 37;
  std::vector<std::uint8_t> kept(kCount);
  std::vector<T> x(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    kept[i] = i % 3 == 1 ? 0 : 1;
    x[i] = rounded_to<T>(0.37F * static_cast<float>(i) - 5);
  }
  x[4] = rounded_to<T>(std::numeric_limits<float>::quiet_NaN());   // dropped
  x[22] = rounded_to<T>(-std::numeric_limits<float>::infinity());  // dropped
  x[35] = rounded_to<T>(std::numeric_limits<float>::infinity());   // kept
  std::vector<T> y(kCount + 1, rounded_to<T>(7));
  onednn::scale_kept(kCount, kept.data(), 1.25F, x.data(), y.data());
  for (std::size_t i = 0; i < kCount; ++i) {
    const float expected = kept[i] == 0 ? 0 : to_float(rounded_to<T>(to_float(x[i]) * 1.25F));
    BOOST_TEST(to_float(y[i]) == expected);
  }
  BOOST_TEST(to_float(y[kCount]) == 7);
  onednn::scale_kept(kCount, kept.data(), 1.25F, x.data(), x.data());
  for (std::size_t i = 0; i < kCount; ++i) BOOST_TEST(to_float(x[i]) == to_float(y[i]));
}

BOOST_AUTO_TEST_CASE(what_is_dropped_is_zero_and_the_rest_is_scaled) {
  check_scaling<float>();
  check_scaling<Bfloat16>();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
