// Rewrites a JPEG of several scans as a baseline one of the same coefficients, so that the loader
// decodes it row by row and need not hold them all.
#pragma once

#include <cstddef>
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

}  // namespace penstock::convert
