// A folder of class folders, or of split folders of them, as a source.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>

#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

/// Lists the pictures of `folder`.
///
/// Errors  those of scan_folder() and find_layout()
SourceScan scan_folder_source(const std::filesystem::path& folder, const LayoutRequest& request,
                              const std::stop_token& stop);

/// Reads files of `folder` by their names; a scan and more is the caller's.
std::unique_ptr<const PictureSource> make_folder_reader(const std::filesystem::path& folder);

/// An entry for each folder that may not be read.
std::vector<QuarantineEntry> findings_of(const FolderScan& scan);

}  // namespace penstock::convert
