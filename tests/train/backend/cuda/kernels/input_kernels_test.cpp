// Against the definition, in double.
#include "train/backend/cuda/kernels/input_kernels.h"

#include <boost/test/unit_test.hpp>

#include "tests/train/backend/cuda/kernels/kernel_values.h"

namespace penstock::train::cuda {
namespace {

using tests::KernelValues;
using Doubles = std::vector<double>;

/// As for ImageNet's colours, and one of a fourth channel.
constexpr float kGain[4] = {0.0171f, 0.0175f, 0.0174f, 0.5f};
constexpr float kOffset[4] = {-2.1f, -2.0f, -1.8f, 0.25f};

struct Layout {
  std::size_t num_places;
  std::uint32_t channels;
  std::uint32_t stored_channels;
};

/// The kernel for pictures with and without a rest, over several blocks; every other number of channels.
constexpr Layout kLayouts[] = {{1, 3, 4},   {2, 3, 4}, {35, 3, 4},  {6001, 3, 4}, {10, 1, 1},
                               {300, 1, 4}, {9, 2, 8}, {270, 3, 3}, {17, 4, 4},   {17, 3, 8}};

struct Fixture {
  std::mt19937_64 random{9};

  Doubles expected_of(const Layout& layout, const Doubles& pixels) {
    Doubles values(layout.num_places * layout.stored_channels);
    for (std::size_t place = 0; place < layout.num_places; ++place) {
      for (std::size_t c = 0; c < layout.channels; ++c) {
        values[place * layout.stored_channels + c] =
            static_cast<double>(kGain[c]) * pixels[place * layout.channels + c] +
            static_cast<double>(kOffset[c]);
      }
    }
    return values;
  }

  void check(const Layout& layout, PixelType pixel_type, const void* data, const Doubles& pixels) {
    const Doubles expected = expected_of(layout, pixels);
    for (const ValueType type : tests::kValueTypes) {
      for (const bool is_aligned : {true, false}) {
        BOOST_TEST_CONTEXT(tests::name_of(type)
                           << ", layout " << &layout - kLayouts << ", aligned " << is_aligned) {
          KernelValues values(type, expected.size(), is_aligned);
          InputPixels args{.pixel_type = pixel_type,
                           .value_type = type,
                           .num_places = layout.num_places,
                           .channels = layout.channels,
                           .stored_channels = layout.stored_channels,
                           .gain = {},
                           .offset = {},
                           .pixels = data,
                           .values = values.data()};
          std::copy_n(kGain, 4, args.gain);
          std::copy_n(kOffset, 4, args.offset);
          BOOST_TEST(input_pixels(args, nullptr).is_ok());
          BOOST_TEST(tests::relative_l2(values.values(), expected) < tests::bound_of(type));
          BOOST_TEST(values.is_kept_behind());
          for (std::size_t i = 0; i < expected.size(); ++i) {
            if (i % layout.stored_channels >= layout.channels) BOOST_REQUIRE(values[i] == 0.0);
          }
        }
      }
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(cuda_input_kernels, Fixture)

BOOST_AUTO_TEST_CASE(pixels_become_values_wherever_a_batch_begins) {
  for (const Layout& layout : kLayouts) {
    for (const std::size_t first : {0, 1, 2}) {
      std::vector<std::uint8_t> bytes(first + layout.num_places * layout.channels);
      for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
      check(layout, PixelType::kUint8, bytes.data() + first,
            Doubles(bytes.begin() + static_cast<std::ptrdiff_t>(first), bytes.end()));
    }
  }
}

BOOST_AUTO_TEST_CASE(pixels_of_other_types_become_values) {
  constexpr std::pair<PixelType, ValueType> kTypes[] = {
      {PixelType::kFloat16, ValueType::kFloat16},
      {PixelType::kBfloat16, ValueType::kBfloat16},
      {PixelType::kFloat32, ValueType::kFloat32}};
  for (const Layout& layout : kLayouts) {
    for (const auto& [pixel_type, stored_as] : kTypes) {
      KernelValues pixels(
          stored_as, tests::normal_values(random, layout.num_places * layout.channels, 120, 50));
      check(layout, pixel_type, pixels.data(), pixels.values());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
