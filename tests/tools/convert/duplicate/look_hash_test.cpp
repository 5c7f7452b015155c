#include "tools/convert/duplicate/look_hash.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

namespace penstock::convert {
namespace {

constexpr std::uint32_t kSide = kLumaSideCells;

struct Picture {
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint32_t channels = 3;
  std::vector<std::uint8_t> pixels;

  ImageView rows(std::uint32_t begin, std::uint32_t end) const {
    const std::size_t row_bytes = std::size_t{width_px} * channels;
    return {.pixels_hwc = pixels.data() + begin * row_bytes,
            .width_px = width_px,
            .height_px = end - begin,
            .channels = channels,
            .pixel_stride_bytes = channels,
            .row_stride_bytes = row_bytes};
  }
};

struct Fixture {
  Picture noise(std::uint32_t width_px, std::uint32_t height_px, std::uint32_t channels) {
    Picture picture{width_px, height_px, channels, {}};
    picture.pixels.resize(std::size_t{width_px} * height_px * channels);
    for (std::uint8_t& value : picture.pixels) value = static_cast<std::uint8_t>(random());
    return picture;
  }
  LumaCells random_cells() {
    LumaCells cells(std::size_t{kSide} * kSide);
    for (std::uint16_t& cell : cells) cell = static_cast<std::uint16_t>(random() % 65281);
    return cells;
  }

  const unsigned seed = std::random_device()();
  std::mt19937 random{seed};
};

// In 1/32 of a pixel: how much of pixel i lies in the cell.
std::uint64_t share(std::uint64_t i, std::uint64_t cell, std::uint64_t side_px) {
  const std::uint64_t begin = std::max(kSide * i, cell * side_px);
  const std::uint64_t end = std::min(kSide * (i + 1), (cell + 1) * side_px);
  return end > begin ? end - begin : 0;
}

// By the definition, pixel by pixel.
LumaCells cells_by_pixel(const Picture& picture) {
  LumaCells cells;
  for (std::uint32_t r = 0; r < kSide; ++r) {
    for (std::uint32_t c = 0; c < kSide; ++c) {
      std::uint64_t sum = 0;
      std::uint64_t area = 0;
      for (std::uint32_t y = 0; y < picture.height_px; ++y) {
        const std::uint64_t height = share(y, r, picture.height_px);
        for (std::uint32_t x = 0; height > 0 && x < picture.width_px; ++x) {
          const std::uint64_t weight = height * share(x, c, picture.width_px);
          const std::uint8_t* const px =
              &picture.pixels[(std::size_t{y} * picture.width_px + x) * picture.channels];
          sum += weight * (picture.channels == 1 ? px[0] * 65536u
                                                 : 19595u * px[0] + 38470u * px[1] + 7471u * px[2]);
          area += weight;
        }
      }
      cells.push_back(static_cast<std::uint16_t>(sum / area / 256));
    }
  }
  return cells;
}

// The transform as it is written, in floating point.
std::uint64_t hash_in_doubles(const LumaCells& cells) {
  std::vector<double> coefficients;
  for (int v = 1; v <= 8; ++v) {
    for (int u = 1; u <= 8; ++u) {
      double sum = 0;
      for (std::uint32_t y = 0; y < kSide; ++y) {
        for (std::uint32_t x = 0; x < kSide; ++x) {
          sum += cells[y * kSide + x] * std::cos(std::numbers::pi * (2 * x + 1) * u / 64) *
                 std::cos(std::numbers::pi * (2 * y + 1) * v / 64);
        }
      }
      coefficients.push_back(sum);
    }
  }
  std::vector<double> sorted = coefficients;
  std::ranges::sort(sorted);
  std::uint64_t hash = 0;
  for (const double coefficient : coefficients) hash = hash << 1 | (coefficient > sorted[32]);
  return hash;
}

BOOST_FIXTURE_TEST_SUITE(look_hash_tests, Fixture)

BOOST_AUTO_TEST_CASE(cells_are_the_means_of_their_pixels_wherever_rows_are_cut) {
  BOOST_TEST_MESSAGE("seed " << seed);
  for (const std::uint32_t channels : {1u, 3u}) {
    for (const auto& [width_px, height_px] :
         {std::pair{1u, 1u}, {31u, 33u}, {64u, 5u}, {100u, 257u}, {7u, 90u}}) {
      const Picture picture = noise(width_px, height_px, channels);
      LumaCellSums sums(width_px, height_px);
      for (std::uint32_t y = 0; y < height_px;) {
        const std::uint32_t end =
            std::min<std::uint32_t>(height_px, y + 1 + static_cast<std::uint32_t>(random() % 40));
        sums.add(picture.rows(y, end));
        y = end;
      }
      BOOST_CHECK_MESSAGE(sums.means() == cells_by_pixel(picture),
                          "seed " << seed << ", " << width_px << " x " << height_px);
    }
  }
}

// Of twice the size by repeating pixels: nothing of what is shown differs.
BOOST_AUTO_TEST_CASE(a_picture_of_twice_the_size_has_the_same_cells) {
  BOOST_TEST_MESSAGE("seed " << seed);
  for (const auto& [width_px, height_px] :
       {std::pair{5u, 3u}, {24u, 16u}, {48u, 31u}, {50u, 90u}}) {
    const Picture small = noise(width_px, height_px, 3);
    Picture large{2 * width_px, 2 * height_px, 3, {}};
    for (std::uint32_t y = 0; y < large.height_px; ++y) {
      for (std::uint32_t x = 0; x < large.width_px; ++x) {
        const auto at = small.pixels.begin() + (y / 2 * width_px + x / 2) * 3;
        large.pixels.insert(large.pixels.end(), at, at + 3);
      }
    }
    BOOST_CHECK_MESSAGE(
        luma_cells(small.rows(0, height_px)) == luma_cells(large.rows(0, large.height_px)),
        "seed " << seed << ", " << width_px << " x " << height_px);
  }
}

// At most the median and a coefficient that is all but the same may change places.
BOOST_AUTO_TEST_CASE(the_hash_is_that_of_the_transform_in_floating_point) {
  BOOST_TEST_MESSAGE("seed " << seed);
  for (int i = 0; i < 50; ++i) {
    const LumaCells cells = random_cells();
    BOOST_CHECK_MESSAGE(look_distance_bits(*look_hash(cells, 1), hash_in_doubles(cells)) <= 2,
                        "seed " << seed);
  }
}

// Each step is one that a viewer takes: mirrored, turned by a quarter to the right.
BOOST_AUTO_TEST_CASE(a_picture_that_is_turned_by_its_orientation_looks_as_if_it_were_stored_so) {
  BOOST_TEST_MESSAGE("seed " << seed);
  const LumaCells stored = random_cells();
  const auto moved = [](const LumaCells& from, auto place) {
    LumaCells to(from.size());
    for (std::uint32_t y = 0; y < kSide; ++y) {
      for (std::uint32_t x = 0; x < kSide; ++x) {
        const auto [row, column] = place(y, x);
        to[row * kSide + column] = from[y * kSide + x];
      }
    }
    return to;
  };
  const auto mirror = [&](const LumaCells& cells) {
    return moved(cells,
                 [](std::uint32_t y, std::uint32_t x) { return std::pair(y, kSide - 1 - x); });
  };
  const auto right = [&](const LumaCells& cells) {
    return moved(cells,
                 [](std::uint32_t y, std::uint32_t x) { return std::pair(x, kSide - 1 - y); });
  };
  // EXIF: 6 is turned by 90 degrees to the right, 3 by 180, 8 by 270; 2 is mirrored, 7 then turned to
  // the right, 4 by 180, 5 by 270.
  LumaCells turned = stored;
  LumaCells mirrored = mirror(stored);
  const std::uint8_t turns[] = {1, 6, 3, 8};
  const std::uint8_t mirrors[] = {2, 7, 4, 5};
  for (int i = 0; i < 4; ++i) {
    BOOST_CHECK_MESSAGE(look_hash(stored, turns[i]) == look_hash(turned, 1),
                        "seed " << seed << ", " << int{turns[i]});
    BOOST_CHECK_MESSAGE(look_hash(stored, mirrors[i]) == look_hash(mirrored, 1),
                        "seed " << seed << ", " << int{mirrors[i]});
    turned = right(turned);
    mirrored = right(mirrored);
  }
}

BOOST_AUTO_TEST_CASE(a_picture_of_one_tone_has_no_look) {
  LumaCells cells(std::size_t{kSide} * kSide, 100 << 8);
  cells[5] += (4 << 8) - 1;
  BOOST_TEST(!look_hash(cells, 1).has_value());
  cells[5] += 1;
  BOOST_TEST(look_hash(cells, 1).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
