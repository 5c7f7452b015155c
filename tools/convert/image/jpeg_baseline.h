// Rewrites a JPEG as a baseline one of the same coefficients: one of several scans, so that the
// loader decodes it row by row and need not hold them all; or turned, without decoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

namespace penstock::convert {

/// The rewritten bytes, or libjpeg's words on why there are none.
using BaselineOutcome = std::variant<std::vector<std::byte>, std::string>;

/// Rewrites without loss: one scan, Huffman tables made for the picture, a restart marker at the
/// end of each row of minimum coded units. APPn segments and comments are kept, byte for byte and
/// in their order, EXIF and colour profile among them. Holds all coefficients while it works.
///
/// A decoder that smooths blocks (libjpeg does unless told otherwise) shows other pixels than before
/// where the last scans are missing.
/// Stop          within a row of blocks; the reason is then "stopped"
/// Errors        a reason: damaged, or sampled such that one scan cannot hold all components
/// Reproducible  the same bytes give the same bytes
/// Source        libjpeg-turbo 2.1.5, libjpeg.txt, "Really raw data: DCT coefficients"
BaselineOutcome rewrite_as_baseline(std::span<const std::byte> jpeg, const std::stop_token& stop);

/// The same, turned upright block by block as `orientation` (EXIF, 1 to 8) says. The EXIF segment
/// then says 1. Each pixel is what it was but for the rounding of subsampled chroma.
///
/// Errors  as above; and sides that are no whole number of coded units where they change places
BaselineOutcome rewrite_upright(std::span<const std::byte> jpeg, std::uint8_t orientation,
                                const std::stop_token& stop);

}  // namespace penstock::convert
