// GIF, by giflib: the first frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/image_format.h"
#include "tools/convert/image/rgb_colour.h"

namespace penstock::convert {

/// Decodes the first frame, on its canvas. What it does not cover is transparent, whatever background
/// the file tells, as in browsers. Gray where the whole palette is, and nothing is transparent. An index
/// beyond the palette is black.
///
/// Memory  gif_decoding_bytes()
/// Errors  a reason in words; sides other than `declared`
/// Source  Graphics Interchange Format, version 89a
DecodeOutcome decode_gif_picture(std::span<const std::byte> gif, const DeclaredSize& declared,
                                 const RgbColour& background);

/// Bytes that decoding takes beside the file, at most.
std::uint64_t gif_decoding_bytes(const DeclaredSize& size) noexcept;

/// The giflib that this was built with, which cannot tell by itself: "5.2.1".
std::string giflib_version();

}  // namespace penstock::convert
