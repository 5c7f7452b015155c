#include "augment/sample_pass.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <vector>

#include "augment/colour/colour_canvas.h"
#include "augment/colour/tone_steps.h"
#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

BOOST_AUTO_TEST_SUITE(sample_pass)

// Too little costs speed alone, so that no pixel would tell: with a canvas, all that sampling asks for is
// left, wherever the scratch begins.
BOOST_AUTO_TEST_CASE(a_canvas_leaves_the_scratch_that_the_fast_ways_need) {
  for (const SizePx output : {SizePx{1, 1}, SizePx{7, 5}, SizePx{224, 224}, SizePx{1, 300}}) {
    for (const std::uint32_t channels : {1u, 3u}) {
      for (const Interpolation interpolation :
           {Interpolation::kBilinear, Interpolation::kBilinearAntialias, Interpolation::kBicubic}) {
        const BatchSpec spec = spec_of(output, channels);
        const std::size_t num_bytes = most_sample_scratch_bytes(spec, interpolation);
        std::vector<std::byte> memory(num_bytes + 64);
        for (std::size_t offset = 0; offset < 64; ++offset) {
          const auto rest = place_canvas(spec, {memory.data() + offset, num_bytes}).rest;
          BOOST_REQUIRE(rest.data() + rest.size() <= memory.data() + offset + num_bytes);
          BOOST_REQUIRE(rest.size() >= warp_scratch_bytes(spec, interpolation));
          BOOST_REQUIRE(rest.size() >= tone_scratch_bytes(spec.width_px));
        }
      }
    }
  }
}

// A float canvas for bytes would be four times their own size.
BOOST_AUTO_TEST_CASE(batches_without_colours_take_no_canvas_but_for_filters) {
  ColourSteps shift;
  shift.add({ColourStepKind::kChannelShift, 1});
  for (const ElementType element : {ElementType::kUint8, ElementType::kFloat16,
                                    ElementType::kBfloat16, ElementType::kFloat32}) {
    BatchSpec spec = spec_of({224, 224}, 3);
    spec.element = element;
    for (const Interpolation interpolation :
         {Interpolation::kNearest, Interpolation::kBilinear, Interpolation::kBilinearAntialias,
          Interpolation::kBicubic}) {
      const bool is_filtered = interpolation == Interpolation::kBilinearAntialias ||
                               interpolation == Interpolation::kBicubic;
      const std::size_t most = most_sample_scratch_bytes(spec, interpolation);
      BOOST_TEST(sample_scratch_bytes(spec, interpolation, {}) ==
                 (is_filtered && element != ElementType::kFloat32
                      ? most
                      : warp_scratch_bytes(spec, interpolation)));
      BOOST_TEST(sample_scratch_bytes(spec, interpolation, shift) == most);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
