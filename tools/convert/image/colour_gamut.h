// Whether a colour profile is wider than sRGB, as far as its header tells.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace penstock::convert {

/// True when the triangle of its primaries is a tenth larger than sRGB's. A profile without
/// primaries (gray, inks, tables alone) is not wide. `icc` may be the profile's first piece.
///
/// Source  ICC.1:2010, 7.2 (header), 7.3 (tag table), 9.2 (colorants), 10.31 (XYZType)
bool is_wide_gamut_icc(std::span<const std::byte> icc) noexcept;

/// The same of the data of a PNG's cHRM chunk. Source: PNG specification, 11.3.2.1.
bool is_wide_gamut_chrm(std::span<const std::byte> chrm) noexcept;

/// The same by a profile's name, where its content is compressed.
bool is_wide_gamut_name(std::string_view name) noexcept;

}  // namespace penstock::convert
