// A folder of class folders, or of split folders of them, as a source.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

/// Lists the pictures of `folder`.
///
/// Errors  those of scan_folder() and find_layout()
SourceScan scan_folder_source(const std::filesystem::path& folder, const LayoutRequest& request,
                              const std::stop_token& stop, std::uint64_t room_bytes = UINT64_MAX);
/// The same of a folder whose files are listed already.
SourceScan scan_folder_source(FolderScan files, const std::filesystem::path& folder,
                              const LayoutRequest& request);

/// The same of files that are listed already, wherever they lie: all of a scan but its source. A
/// picture's place is its file's place in `files`.
///
/// Errors  those of find_layout()
SourceScan scan_layout(FolderScan files, const LayoutRequest& request, const std::string& where);

/// Reads files of `folder`, which was `root` when they were listed, by their names; a scan and more is the
/// caller's. A file that cannot be read is an error of its own only while the folders that it lies in are
/// there; else it is one of the whole source.
std::unique_ptr<const PictureSource> make_folder_reader(const std::filesystem::path& folder,
                                                        const FolderId& root);

}  // namespace penstock::convert
