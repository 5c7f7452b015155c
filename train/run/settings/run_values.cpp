#include "train/run/settings/run_values.h"

#include "streamer/core/number_text.h"
#include "train/graph/toml_table.h"

namespace penstock::train {

std::optional<SidesPx> parse_sides_px(std::string_view text) {
  const std::size_t cross = text.find_first_of("xX");
  const auto height = parse_digits<std::uint32_t>(text.substr(0, cross));
  const auto width = cross == std::string_view::npos
                         ? height
                         : parse_digits<std::uint32_t>(text.substr(cross + 1));
  if (!height || !width || *height == 0 || *width == 0) return std::nullopt;
  return SidesPx{*height, *width};
}

std::string format_number(double value) {
  return format_toml({value});
}

}  // namespace penstock::train
