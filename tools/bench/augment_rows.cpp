#include "tools/bench/augment_rows.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"

namespace penstock::tools::bench {
namespace {

constexpr augment::SizePx kPhotograph{470, 400};
constexpr augment::SizePx kInput{224, 224};
constexpr augment::SizePx kSmall{32, 32};

// Means and deviations of ImageNet: normalising by 0 and 1 could be left out.
constexpr std::array<double, 3> kMean = {0.485, 0.456, 0.406};
constexpr std::array<double, 3> kStd = {0.229, 0.224, 0.225};

constexpr std::array kRows = {
    AugmentRow{.name = "turned",
               .steps = "flip, shift, zoom, rotation, normalise",
               .picture = kPhotograph,
               .output = kInput,
               .num_samples = 16,
               .config = {.horizontal_flip = 0.5,
                          .width_shift_range = 0.1,
                          .height_shift_range = 0.1,
                          .zoom_range = {.lo = 0.9, .hi = 1.1},
                          .rotation_range = 20,
                          .mean = kMean,
                          .std = kStd},
               .chain = warp_with_opencv,
               .bar = {.times_opencv = 4.5}},
    AugmentRow{
        .name = "resized-crop",
        .steps = "random crop, resize, flip, normalise",
        .picture = kPhotograph,
        .output = kInput,
        .num_samples = 16,
        .config = {.horizontal_flip = 0.5, .random_resized_crop = true, .mean = kMean, .std = kStd},
        .chain = resize_with_opencv,
        .bar = {.most_us = 60, .times_opencv = 2.5}},
    AugmentRow{
        .name = "crop",
        .steps = "crop of the padded picture, flip, normalise",
        .picture = kInput,
        .output = kInput,
        .num_samples = 16,
        .config = {.horizontal_flip = 0.5, .random_crop_padding = 28, .mean = kMean, .std = kStd},
        .chain = pad_with_opencv},
    AugmentRow{.name = "pad-crop",
               .steps = "32 x 32: crop of the padded picture, flip, normalise",
               .picture = kSmall,
               .output = kSmall,
               .num_samples = 512,
               .config = {.horizontal_flip = 0.5,
                          .random_crop_padding = 4,
                          .fill_mode = augment::FillMode::kConstant,
                          .mean = kMean,
                          .std = kStd},
               .chain = pad_with_opencv,
               .bar = {.most_us = 1.5}},
};

}  // namespace

std::span<const AugmentRow> augment_rows() {
  return kRows;
}

const AugmentRow& augment_row_named(std::string_view name) {
  const auto found = std::ranges::find(kRows, name, &AugmentRow::name);
  if (found != kRows.end()) return *found;
  std::vector<std::string_view> known;
  std::string text;
  for (const AugmentRow& row : kRows) {
    known.push_back(row.name);
    text += (text.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error(ErrorCode::kInvalidArgument,
              "--row: expected one of " + text + ", found '" + std::string(name) + "'",
              nearest_name_hint(name, known));
}

}  // namespace penstock::tools::bench
