// Takes out of a PNG whatever tells of people, places and programs, and no pixel: nothing is decoded.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace penstock::convert {

/// Returns the file without its text, XMP, EXIF, time, density, further pictures and chunks of
/// programs, and without anything behind its end. Nothing when it holds nothing of the kind.
///
/// What stays  the chunks that its pixels need, and those that say what its colours are, byte for byte:
///             gAMA, cHRM, sRGB, iCCP, cICP, mDCV, cLLI, sBIT, bKGD, tRNS; and, where EXIF says that the
///             picture is to be turned, an eXIf chunk that says this alone
/// Cost        a look at every chunk; one copy of the file
/// Source      PNG specification (W3C, 3rd edition), 5.6 and 11.3
std::optional<std::vector<std::byte>> strip_png(std::span<const std::byte> png);

}  // namespace penstock::convert
