#include "streamer/pipeline/resize_transform.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "streamer/core/error.h"
#include "streamer/core/range_check.h"
#include "streamer/core/stored_axes.h"

namespace penstock {
namespace {

struct Point {
  double x;
  double y;
};

/// Where a point of the upright picture lies in the stored one; both in fractions of the sides.
Point stored_point(const StoredAxes& axes, Point upright) {
  const Point turned = axes.are_swapped ? Point{upright.y, upright.x} : upright;
  return {axes.is_x_mirrored ? 1 - turned.x : turned.x,
          axes.is_y_mirrored ? 1 - turned.y : turned.y};
}

float bilinear(const ImageView& image, double x, double y, std::uint32_t channel) {
  const double clamped_x = std::clamp(x, 0.0, static_cast<double>(image.width_px - 1));
  const double clamped_y = std::clamp(y, 0.0, static_cast<double>(image.height_px - 1));
  const auto x0 = static_cast<std::uint32_t>(clamped_x);
  const auto y0 = static_cast<std::uint32_t>(clamped_y);
  const std::uint32_t x1 = std::min(x0 + 1, image.width_px - 1);
  const std::uint32_t y1 = std::min(y0 + 1, image.height_px - 1);
  const auto fx = static_cast<float>(clamped_x - x0);
  const auto fy = static_cast<float>(clamped_y - y0);
  const auto at = [&](std::uint32_t px, std::uint32_t py) {
    return static_cast<float>(image.row(py)[px * image.pixel_stride_bytes + channel]);
  };
  const float top = at(x0, y0) + fx * (at(x1, y0) - at(x0, y0));
  const float bottom = at(x0, y1) + fx * (at(x1, y1) - at(x0, y1));
  return top + fy * (bottom - top);
}

}  // namespace

void ResizeConfig::validate() const {
  for (const float value : std) {
    if (value > 0) continue;
    refuse_setting({"resize", "std", "above 0", std::to_string(value)});
  }
}

ResizeTransform::ResizeTransform(ResizeConfig config) : config_(config) {
  config_.validate();
}

void ResizeTransform::accept(const BatchSpec& spec) const {
  if (spec.element != ElementType::kFloat32 && spec.element != ElementType::kUint8) {
    throw Error(ErrorCode::kUnsupported, "resize: element: expected float32 or uint8");
  }
}

std::uint32_t ResizeTransform::finest_decode_scale(const SampleInfo& info,
                                                   const BatchSpec& spec) const noexcept {
  if (!config_.decode_scaling) return 1;
  const bool is_turned = stored_axes(info.orientation).are_swapped;
  const std::uint32_t out_width = is_turned ? spec.height_px : spec.width_px;
  const std::uint32_t out_height = is_turned ? spec.width_px : spec.height_px;
  std::uint32_t scale = std::min<std::uint32_t>(8, info.max_decode_scale);
  while (scale > 1 && (info.width_px < out_width * scale || info.height_px < out_height * scale)) {
    scale /= 2;
  }
  return scale;
}

SamplePlan ResizeTransform::plan(const SampleInfo& info, const BatchSpec& spec,
                                 const Draws&) const noexcept {
  SamplePlan plan;
  plan.source_region = {0, 0, info.width_px, info.height_px};
  plan.decode_scale = finest_decode_scale(info, spec);
  plan.store(info);
  return plan;
}

void ResizeTransform::apply(const DecodedView& decoded, const SamplePlan& plan,
                            std::span<std::byte>, const SampleSlot& slot) const noexcept {
  const BatchSpec& spec = *slot.spec;
  const auto info = plan.load<SampleInfo>();
  const StoredAxes axes = stored_axes(info.orientation);
  const std::size_t plane = std::size_t{spec.height_px} * spec.width_px;
  const bool is_nchw = spec.layout == PixelLayout::kNchw;
  // The decoded picture covers ceil(side / scale) pixels, the last of them only in part.
  const double scaled_width = static_cast<double>(info.width_px) / decoded.decode_scale;
  const double scaled_height = static_cast<double>(info.height_px) / decoded.decode_scale;
  for (std::uint32_t y = 0; y < spec.height_px; ++y) {
    if (slot.is_abandoned()) return;
    for (std::uint32_t x = 0; x < spec.width_px; ++x) {
      const Point at = stored_point(axes, {(x + 0.5) / spec.width_px, (y + 0.5) / spec.height_px});
      const std::size_t pixel = std::size_t{y} * spec.width_px + x;
      for (std::uint32_t c = 0; c < spec.channels; ++c) {
        const float value =
            bilinear(decoded.image, at.x * scaled_width - 0.5, at.y * scaled_height - 0.5, c);
        const std::size_t element = is_nchw ? c * plane + pixel : pixel * spec.channels + c;
        if (spec.element == ElementType::kUint8) {
          slot.pixels[element] = static_cast<std::byte>(std::lrintf(value));
        } else {
          reinterpret_cast<float*>(slot.pixels)[element] =
              (value / 255.0f - config_.mean[c]) / config_.std[c];
        }
      }
    }
  }
}

std::size_t ResizeTransform::worst_case_scratch_bytes(const BatchSpec&) const noexcept {
  return 0;
}

std::string ResizeTransform::identity() const {
  std::string text = "transform=resize\ndecode_scaling=";
  text += config_.decode_scaling ? "auto\n" : "off\n";
  for (int c = 0; c < 3; ++c) {
    char line[64];
    std::snprintf(line, sizeof line, "channel=%a,%a\n", static_cast<double>(config_.mean[c]),
                  static_cast<double>(config_.std[c]));
    text += line;
  }
  return text;
}

}  // namespace penstock
