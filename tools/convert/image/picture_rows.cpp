#include "tools/convert/image/picture_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace penstock::convert {
namespace {

using Behind = std::array<std::uint8_t, 3>;

std::uint8_t onto(unsigned behind, unsigned value, unsigned alpha) {
  return static_cast<std::uint8_t>((value * alpha + behind * (255u - alpha) + 127u) / 255u);
}

std::uint8_t added_to(unsigned behind, unsigned value, unsigned alpha) {
  return static_cast<std::uint8_t>(std::min(255u, value + (behind * (255u - alpha) + 127u) / 255u));
}

// `num_colours` samples and alpha become RGB.
template <unsigned num_colours, class Mix>
void lay(std::span<const std::uint8_t> in, const Behind& behind, std::uint8_t* out, Mix mix) {
  for (std::size_t i = 0; i < in.size(); i += num_colours + 1, out += 3) {
    for (unsigned c = 0; c < 3; ++c) {
      out[c] = mix(behind[c], in[i + (num_colours == 1 ? 0 : c)], in[i + num_colours]);
    }
  }
}

}  // namespace

PictureRows::PictureRows(const DeclaredSize& size, RowKind kind, const RgbColour& background)
    : kind_(kind), background_(background) {
  pixels_.width_px = static_cast<std::uint32_t>(size.width_px);
  pixels_.height_px = static_cast<std::uint32_t>(size.height_px);
  pixels_.channels = kind == RowKind::kGray ? 1 : 3;
  pixels_.had_alpha = kind != RowKind::kGray && kind != RowKind::kRgb;
  pixels_.pixels_hwc.resize(size.width_px * size.height_px * pixels_.channels);
}

void PictureRows::put(std::uint32_t y, std::uint32_t x,
                      std::span<const std::uint8_t> samples) noexcept {
  const Behind behind{background_.red, background_.green, background_.blue};
  std::uint8_t* const out =
      &pixels_.pixels_hwc[(std::size_t{y} * pixels_.width_px + x) * pixels_.channels];
  switch (kind_) {
    case RowKind::kGray:
    case RowKind::kRgb:
      std::copy(samples.begin(), samples.end(), out);
      return;
    case RowKind::kGrayAlpha:
      return lay<1>(samples, behind, out, onto);
    case RowKind::kRgba:
      return lay<3>(samples, behind, out, onto);
    case RowKind::kGrayPremultiplied:
      return lay<1>(samples, behind, out, added_to);
    case RowKind::kRgbPremultiplied:
      return lay<3>(samples, behind, out, added_to);
  }
}

std::optional<std::string> other_sides(const DeclaredSize& declared, const DeclaredSize& found) {
  if (declared == found) return std::nullopt;
  return fmt::format("sides: expected {} x {} as first read, found {} x {}", declared.width_px,
                     declared.height_px, found.width_px, found.height_px);
}

}  // namespace penstock::convert
