// A folder of class folders, or of split folders of them, as a source.
#pragma once

#include <filesystem>
#include <stop_token>

#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

/// Lists the pictures of `folder`.
///
/// Errors  those of scan_folder() and find_layout()
SourceScan scan_folder_source(const std::filesystem::path& folder, const LayoutRequest& request,
                              const std::stop_token& stop);

}  // namespace penstock::convert
