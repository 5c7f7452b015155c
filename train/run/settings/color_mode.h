// What a network sees of a picture's colours.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::train {

/// By Keras' names.
enum class ColorMode : std::uint8_t {
  kRgb,        // three channels; a gray picture has three equal ones
  kGrayscale,  // one: the luma, of which a JPEG decodes nothing else
};

constexpr std::uint32_t num_channels(ColorMode mode) noexcept {
  return mode == ColorMode::kGrayscale ? 1 : 3;
}

/// "rgb" or "grayscale".
std::string_view color_mode_name(ColorMode mode);

/// Throws InvalidArgument naming both, and the nearest.
ColorMode parse_color_mode(std::string_view name);

}  // namespace penstock::train
