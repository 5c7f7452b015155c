// How a camera was held: the EXIF orientation of a JPEG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penstock::convert {

/// Returns 1 to 8 from the first EXIF segment before the picture data; 1 when there is none or it
/// is not well-formed.
///
/// Source  JEITA CP-3451 (Exif 2.3), 4.5.4 and 4.7.2; ITU-T T.81, B.1.1 for the segments
std::uint8_t read_exif_orientation(std::span<const std::byte> jpeg) noexcept;

/// Makes the first EXIF segment of a JPEG say 1, where it says anything.
void set_exif_upright(std::span<std::byte> jpeg) noexcept;

/// A copy of a JPEG whose EXIF says this: the value is set where there is one, else a segment that says
/// this alone stands before all other EXIF, behind JFIF's own.
std::vector<std::byte> with_exif_orientation(std::span<const std::byte> jpeg,
                                             std::uint8_t orientation);

/// What an EXIF segment holds that says this and nothing else: its mark, and a TIFF of one entry.
std::vector<std::byte> orientation_exif(std::uint8_t orientation);

/// The TIFF alone, as PNG has it in an eXIf chunk.
std::vector<std::byte> orientation_tiff(std::uint8_t orientation);

/// Whether a TIFF is orientation_tiff() of anything: it tells nothing of anybody.
bool is_orientation_alone(std::span<const std::byte> tiff) noexcept;

/// The same as read_exif_orientation() from a TIFF: a file, or what EXIF holds of one (in PNG and WebP too).
std::uint8_t read_tiff_orientation(std::span<const std::byte> tiff) noexcept;

}  // namespace penstock::convert
