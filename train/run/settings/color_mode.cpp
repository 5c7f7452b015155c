#include "train/run/settings/color_mode.h"

#include <array>
#include <string>

#include "streamer/core/nearest_name.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

constexpr std::array<std::string_view, 2> kNames = {"rgb", "grayscale"};

}  // namespace

std::string_view color_mode_name(ColorMode mode) {
  return kNames[static_cast<std::size_t>(mode)];
}

ColorMode parse_color_mode(std::string_view name) {
  for (const ColorMode mode : {ColorMode::kRgb, ColorMode::kGrayscale}) {
    if (color_mode_name(mode) == name) return mode;
  }
  refuse_setting({"run", "color_mode", "rgb or grayscale", "\"" + std::string(name) + "\"",
                  nearest_name_hint(name, kNames)});
}

}  // namespace penstock::train
