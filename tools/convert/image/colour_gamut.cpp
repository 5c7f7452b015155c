#include "tools/convert/image/colour_gamut.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "tools/convert/image/byte_reader.h"

namespace penstock::convert {
namespace {

using Bytes = std::span<const std::byte>;

struct Chromaticity {
  double x = 0;
  double y = 0;
};
using Primaries = std::array<Chromaticity, 3>;

double triangle_area(const Primaries& p) noexcept {
  return std::abs((p[1].x - p[0].x) * (p[2].y - p[0].y) - (p[2].x - p[0].x) * (p[1].y - p[0].y)) /
         2;
}

// IEC 61966-2-1, and the same adapted to D50, in which ICC profiles state them.
constexpr Primaries kSrgb{{{0.64, 0.33}, {0.30, 0.60}, {0.15, 0.06}}};
constexpr Primaries kSrgbD50{{{0.6485, 0.3309}, {0.3212, 0.5979}, {0.1559, 0.0660}}};

bool is_wide(const Primaries& primaries, const Primaries& srgb) noexcept {
  constexpr double kWider = 1.1;
  return triangle_area(primaries) > kWider * triangle_area(srgb);
}

double s15_fixed16(std::uint64_t bits) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(bits)) / 65536.0;
}

std::optional<Chromaticity> read_xyz(Bytes icc, std::uint64_t offset) noexcept {
  std::array<double, 3> xyz{};
  constexpr std::uint64_t kTypeBytes = 8;
  for (std::size_t i = 0; i < xyz.size(); ++i) {
    const auto bits = read_number(icc, offset + kTypeBytes + 4 * i, 4, ByteOrder::kBig);
    if (!bits) return std::nullopt;
    xyz[i] = s15_fixed16(*bits);
  }
  const double sum = xyz[0] + xyz[1] + xyz[2];
  if (sum <= 0) return std::nullopt;
  return Chromaticity{xyz[0] / sum, xyz[1] / sum};
}

}  // namespace

bool is_wide_gamut_icc(Bytes icc) noexcept {
  constexpr std::uint64_t kHeaderBytes = 128;
  constexpr std::uint64_t kTagBytes = 12;
  constexpr std::uint64_t kMaxTags = 1024;
  constexpr std::array<std::uint64_t, 3> kColorants{0x7258595A, 0x6758595A, 0x6258595A};  // rXYZ..
  const auto num_tags = read_number(icc, kHeaderBytes, 4, ByteOrder::kBig);
  if (!num_tags || *num_tags > kMaxTags) return false;
  Primaries primaries{};
  std::array<bool, 3> is_found{};
  for (std::uint64_t i = 0; i < *num_tags; ++i) {
    const std::uint64_t entry = kHeaderBytes + 4 + i * kTagBytes;
    const auto tag = read_number(icc, entry, 4, ByteOrder::kBig);
    const auto offset = read_number(icc, entry + 4, 4, ByteOrder::kBig);
    if (!tag || !offset) return false;
    for (std::size_t c = 0; c < kColorants.size(); ++c) {
      if (*tag != kColorants[c]) continue;
      const auto xy = read_xyz(icc, *offset);
      if (!xy) return false;
      primaries[c] = *xy;
      is_found[c] = true;
    }
  }
  return is_found[0] && is_found[1] && is_found[2] && is_wide(primaries, kSrgbD50);
}

bool is_wide_gamut_chrm(Bytes chrm) noexcept {
  constexpr double kUnit = 100000.0;
  Primaries primaries{};
  for (std::size_t c = 0; c < primaries.size(); ++c) {
    // The white point stands first.
    const auto x = read_number(chrm, 8 + 8 * c, 4, ByteOrder::kBig);
    const auto y = read_number(chrm, 12 + 8 * c, 4, ByteOrder::kBig);
    if (!x || !y) return false;
    primaries[c] = {static_cast<double>(*x) / kUnit, static_cast<double>(*y) / kUnit};
  }
  return is_wide(primaries, kSrgb);
}

bool is_wide_gamut_name(std::string_view name) noexcept {
  using namespace std::string_view_literals;
  for (const std::string_view wide :
       {"P3"sv, "Adobe RGB"sv, "AdobeRGB"sv, "ProPhoto"sv, "2020"sv, "Wide Gamut"sv, "ROMM"sv}) {
    if (name.find(wide) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace penstock::convert
