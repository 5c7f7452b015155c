#include "tools/convert/duplicate/look_hash.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kSide = kLumaSideCells;
constexpr std::size_t kNumWaves = 8;  // along each side; not the mean, which brightness moves
constexpr std::uint16_t kOneTone = 4 << 8;

using Waves = std::array<std::array<std::int64_t, kSide>, kNumWaves>;

// cos(pi (2 i + 1) u / 64) in 1/16384, for u = 1 to 8.
Waves make_waves() {
  Waves waves{};
  for (std::size_t u = 0; u < kNumWaves; ++u) {
    for (std::size_t i = 0; i < kSide; ++i) {
      const double angle = std::numbers::pi * static_cast<double>((2 * i + 1) * (u + 1)) / 64;
      waves[u][i] = std::lround(std::cos(angle) * 16384);
    }
  }
  return waves;
}

// The place in the stored cells of what a viewer shows at (row, column): EXIF 2.32, 4.6.4 A.
std::size_t stored_place(std::size_t row, std::size_t column, std::uint8_t orientation) {
  constexpr std::size_t kLast = kSide - 1;
  const auto at = [](std::size_t stored_row, std::size_t stored_column) {
    return stored_row * kSide + stored_column;
  };
  switch (orientation) {
    case 2:
      return at(row, kLast - column);
    case 3:
      return at(kLast - row, kLast - column);
    case 4:
      return at(kLast - row, column);
    case 5:
      return at(column, row);
    case 6:
      return at(kLast - column, row);
    case 7:
      return at(kLast - column, kLast - row);
    case 8:
      return at(column, kLast - row);
    default:
      return at(row, column);
  }
}

}  // namespace

std::optional<std::uint64_t> look_hash(const LumaCells& cells, std::uint8_t orientation) {
  check_internal(cells.size() == kSide * kSide, "a look is of all cells");
  const auto [least, most] = std::ranges::minmax(cells);
  if (most - least < kOneTone) return std::nullopt;
  static const Waves waves = make_waves();
  // At most 32 x 65280 x 16384 < 2^36, and then 2^55.
  std::array<std::array<std::int64_t, kSide>, kNumWaves> by_row{};
  for (std::size_t u = 0; u < kNumWaves; ++u) {
    for (std::size_t row = 0; row < kSide; ++row) {
      for (std::size_t column = 0; column < kSide; ++column) {
        by_row[u][row] += waves[u][column] * cells[stored_place(row, column, orientation)];
      }
    }
  }
  std::array<std::int64_t, kNumWaves * kNumWaves> coefficients{};
  for (std::size_t v = 0; v < kNumWaves; ++v) {
    for (std::size_t u = 0; u < kNumWaves; ++u) {
      for (std::size_t row = 0; row < kSide; ++row) {
        coefficients[v * kNumWaves + u] += waves[v][row] * by_row[u][row];
      }
    }
  }
  std::array<std::int64_t, kNumWaves* kNumWaves> sorted = coefficients;
  std::ranges::nth_element(sorted, sorted.begin() + sorted.size() / 2);
  const std::int64_t median = sorted[sorted.size() / 2];
  std::uint64_t hash = 0;
  for (const std::int64_t coefficient : coefficients) {
    hash = hash << 1 | (coefficient > median ? 1u : 0u);
  }
  return hash;
}

}  // namespace penstock::convert
