// Draws the sheet of a preview: which picture goes where, what is written beside it, and how much
// memory that may take.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "streamer/core/image_view.h"
#include "streamer/shard/dataset.h"
#include "tools/preview_samples.h"

namespace penstock::tools {

struct PreviewSheetConfig {
  PreviewConfig preview;
  std::string title;
  /// The settings, a line each, underneath.
  std::vector<std::string> footer;
  std::filesystem::path out;
  std::uint64_t limit_bytes = 0;
};

/// Where a picture lies on the sheet.
struct PlacedPicture {
  RectPx place;
  std::uint32_t pixel_side_px = 1;  // each of its pixels is such a square
};

struct DrawnSample {
  PreviewSample sample;
  std::optional<PlacedPicture> original = {};
  std::vector<std::optional<PlacedPicture>> versions = {};
  std::string fault = {};  // why some are missing; empty when none is
};

struct DrawnSheet {
  std::vector<DrawnSample> samples = {};
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint64_t peak_bytes = 0;

  std::uint64_t num_failed() const noexcept;
};

/// Draws and publishes the sheet. A sample whose data is bad has the reason in its cells.
///
/// Errors  InvalidArgument above 100 million pixels and for a split without samples, OutOfMemory,
///         Io
DrawnSheet draw_preview(const DatasetSplit& split, const PreviewSheetConfig& config);

}  // namespace penstock::tools
