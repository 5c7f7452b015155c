#include "tools/bench/workload.h"

#include <algorithm>
#include <array>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"

namespace penstock::tools::bench {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"resized-crop", "shift-zoom", "pad-crop"};
constexpr std::array<std::string_view, 2> kLayoutNames = {"nchw", "nhwc"};

// Means and deviations of ImageNet: normalising by 0 and 1 could be left out.
augment::AugmentConfig normalising() {
  return {.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}};
}

augment::AugmentConfig augment_of(std::string_view name) {
  augment::AugmentConfig config = normalising();
  config.horizontal_flip = 0.5;
  if (name == kNames[0]) {
    config.random_resized_crop = true;
  } else if (name == kNames[1]) {
    config.width_shift_range = 0.1;
    config.height_shift_range = 0.1;
    config.zoom_range = {.lo = 0.9, .hi = 1.1};
  } else {
    config.random_crop_padding = 4;
    config.fill_mode = augment::FillMode::kConstant;
  }
  return config;
}

}  // namespace

PixelLayout parse_layout(std::string_view name) {
  if (name == kLayoutNames[0]) return PixelLayout::kNchw;
  if (name == kLayoutNames[1]) return PixelLayout::kNhwc;
  throw Error(ErrorCode::kInvalidArgument,
              "--layout: expected nchw or nhwc, found '" + std::string(name) + "'",
              nearest_name_hint(name, kLayoutNames));
}

std::span<const std::string_view> workload_names() {
  return kNames;
}

Workload workload_named(std::string_view name, const WorkloadWish& wish) {
  if (std::ranges::find(kNames, name) == kNames.end()) {
    throw Error(ErrorCode::kInvalidArgument,
                "--augment: expected resized-crop, shift-zoom or pad-crop, found '" +
                    std::string(name) + "'",
                nearest_name_hint(name, kNames));
  }
  const bool is_small = name == kNames[2];
  Workload workload{.name = std::string(name), .spec = {}, .augment = augment_of(name)};
  const std::uint32_t side_px =
      wish.image_side_px > 0 ? wish.image_side_px : (is_small ? 32u : 224u);
  workload.spec = {.batch = wish.batch_size > 0 ? wish.batch_size : (is_small ? 128u : 32u),
                   .height_px = side_px,
                   .width_px = side_px,
                   .channels = 3,
                   .element = ElementType::kFloat32,
                   .layout = wish.layout};
  return workload;
}

std::string_view workload_for(const DatasetSplit& split) {
  std::uint32_t largest_px = 0;
  split.scan_index([&](std::uint64_t, std::span<const IndexRecord> records) {
    for (const IndexRecord& record : records) {
      largest_px = std::max({largest_px, record.width_px, record.height_px});
    }
  });
  return largest_px <= 64 ? kNames[2] : kNames[0];
}

}  // namespace penstock::tools::bench
