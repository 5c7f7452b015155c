// Takes out of a JPEG whatever tells of people, places and cameras, and no pixel: nothing is decoded.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace penstock::convert {

/// Returns the file without its EXIF, XMP, comments, thumbnails and other segments of applications, and
/// without anything behind its end. Nothing when it holds nothing of the kind, or no scan.
///
/// What stays  all that decoding needs, scan data byte for byte; what decides about colours: JFIF's
///             segment (without its thumbnail), Adobe's (its 12 bytes) and the ICC profile; and, where
///             EXIF says that the picture is to be turned, an EXIF segment that says this alone, so that
///             the picture stands upright in every viewer
/// Cost        a look at every byte, at memory speed; one copy of the file
/// Source      ITU-T T.81, annex B; JFIF 1.02; Adobe TN 5116 for APP14; ICC.1:2022, B.4 for APP2
std::optional<std::vector<std::byte>> strip_jpeg(std::span<const std::byte> jpeg);

}  // namespace penstock::convert
