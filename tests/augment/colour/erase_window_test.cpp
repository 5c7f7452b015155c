#include "augment/colour/erase_window.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <stop_token>
#include <vector>

namespace penstock::augment {
namespace {

/// A batch place of 4 x 3 pixels, every byte 1, after a window of it is erased.
std::vector<std::byte> erased(const RectPx& window, float value, ElementType element,
                              PixelLayout layout, const std::stop_token* stop = nullptr) {
  const BatchSpec spec{.batch = 1,
                       .height_px = 3,
                       .width_px = 4,
                       .channels = 3,
                       .element = element,
                       .layout = layout};
  std::vector<std::byte> bytes(spec.sample_bytes(), std::byte{1});
  erase_window(window, value, {&spec, bytes.data(), stop});
  return bytes;
}

BOOST_AUTO_TEST_SUITE(erase_window)

// By hand: columns 1 and 2 of the last row.
BOOST_AUTO_TEST_CASE(the_window_of_every_channel_is_overwritten_and_nothing_else) {
  const RectPx window{.x = 1, .y = 2, .width = 2, .height = 1};
  const auto nchw = erased(window, 9, ElementType::kUint8, PixelLayout::kNchw);
  const auto nhwc = erased(window, 9, ElementType::kUint8, PixelLayout::kNhwc);
  BOOST_REQUIRE(nchw.size() == 36u);
  for (std::size_t i = 0; i < 36; ++i) {
    const std::size_t pixel_nchw = i % 12;
    const std::size_t pixel_nhwc = i / 3;
    BOOST_TEST(int(nchw[i]) == (pixel_nchw == 9 || pixel_nchw == 10 ? 9 : 1));
    BOOST_TEST(int(nhwc[i]) == (pixel_nhwc == 9 || pixel_nhwc == 10 ? 9 : 1));
  }
}

// IEEE 754: -1.5 is 0xBE00 in binary16, 0xBFC0 as the upper half of binary32.
BOOST_AUTO_TEST_CASE(values_are_elements_of_the_batch) {
  const RectPx first{.width = 1, .height = 1};
  const auto bits_of = [&](ElementType element) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, erased(first, -1.5f, element, PixelLayout::kNhwc).data(), 2);
    return bits;
  };
  BOOST_TEST(bits_of(ElementType::kFloat16) == 0xBE00);
  BOOST_TEST(bits_of(ElementType::kBfloat16) == 0xBFC0);
  float value = 0;
  std::memcpy(&value, erased(first, -1.5f, ElementType::kFloat32, PixelLayout::kNhwc).data(), 4);
  BOOST_TEST(value == -1.5f);
}

BOOST_AUTO_TEST_CASE(an_empty_window_changes_nothing) {
  for (const std::byte byte : erased({}, 9, ElementType::kUint8, PixelLayout::kNchw)) {
    BOOST_REQUIRE(int(byte) == 1);
  }
}

// By hand: rows 1 and 2, columns 2 and 3.
BOOST_AUTO_TEST_CASE(every_row_of_every_element_type_is_overwritten) {
  const RectPx window{.x = 2, .y = 1, .width = 2, .height = 2};
  for (const ElementType element : {ElementType::kUint8, ElementType::kFloat16,
                                    ElementType::kBfloat16, ElementType::kFloat32}) {
    for (const PixelLayout layout : {PixelLayout::kNchw, PixelLayout::kNhwc}) {
      const std::vector<std::byte> bytes = erased(window, 0, element, layout);
      const std::size_t num_bytes = element_bytes(element);
      BOOST_REQUIRE(bytes.size() == 36 * num_bytes);
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::size_t at = i / num_bytes;
        const std::size_t pixel = layout == PixelLayout::kNchw ? at % 12 : at / 3;
        const bool is_within = pixel >= 4 && pixel % 4 >= 2;
        BOOST_REQUIRE(int(bytes[i]) == (is_within ? 0 : 1));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_more_is_written_into_an_abandoned_place) {
  std::stop_source source;
  source.request_stop();
  const std::stop_token stop = source.get_token();
  for (const std::byte byte :
       erased({.width = 4, .height = 3}, 9, ElementType::kUint8, PixelLayout::kNchw, &stop)) {
    BOOST_REQUIRE(int(byte) == 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
