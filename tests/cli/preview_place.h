// Small datasets and the sheets that `penstock preview` makes of them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "streamer/read/new_picture.h"
#include "tests/cli/run_command.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {

inline constexpr std::uint32_t kRawSidePx = 32;

/// RGB that no symmetry maps to itself; HWC of kRawSidePx x kRawSidePx.
std::vector<std::uint8_t> raw_pixels(std::uint32_t seed);

/// Stored as they are. Borrows `pixels`.
NewSample raw_sample(const std::vector<std::uint8_t>& pixels, PictureFacts facts);

/// A folder for a dataset and its sheet.
struct PreviewPlace {
  std::string dataset() const { return (folder.path() / "photos.ds").string(); }
  std::string sheet() const { return (folder.path() / "sheet.png").string(); }

  /// 13 JPEGs of several sizes and orientations in "train", 3 in "validation".
  void write_jpegs() const;
  /// `count` raw pictures of 32 x 32; the last is stored on its side (EXIF 6).
  void write_raws(std::uint32_t count) const;

  CommandResult preview(std::vector<std::string> more) const;
  nlohmann::json preview_json(std::vector<std::string> more) const;
  /// Of the sheet: BGR.
  cv::Mat pixels() const;

  TemporaryFolder folder;
};

}  // namespace penstock::tests
