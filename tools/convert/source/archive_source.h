// Archives as sources: finds out what lies in them.
#pragma once

#include <filesystem>
#include <stop_token>
#include <vector>

#include "tools/convert/source/folder_scan.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/source_request.h"
#include "tools/convert/source/stored_files.h"

namespace penstock::convert {

/// Whether a folder holds archives and nothing else, by the ends of their names: a million pictures are
/// not opened to find out.
bool holds_archives_only(const FolderScan& scan);
/// Whether what else it holds only lies beside archives, or above them: at most 64 files, none of them a
/// picture by its name or its first bytes. Throws Io.
bool holds_archives_beside_others(const FolderScan& scan, const std::filesystem::path& folder);
/// Throws InvalidArgument where archives lie beside what makes the folder none of archives, and no folder is
/// there that could be a class.
void refuse_archives_among_others(const FolderScan& scan, const std::filesystem::path& folder);
/// Takes what is not named as an archive out of `scan`.
std::vector<ScannedFile> take_out_others(FolderScan& scan);

/// The members of the archives in `folder`. Of a single one names are as in it; of several they begin
/// with the archive's name without its extension.
StoredFiles files_in_archives(const FolderScan& scan, const std::filesystem::path& folder,
                              const SpoolConfig& spool, const std::stop_token& stop,
                              std::uint64_t room_bytes = UINT64_MAX);
/// The members of one archive.
StoredFiles files_in_archive(const std::filesystem::path& archive, const SpoolConfig& spool,
                             const std::stop_token& stop, std::uint64_t room_bytes = UINT64_MAX);

/// Lists class folders or split folders in an archive; of several, one class each.
///
/// Errors  InvalidArgument: several archives with folders in them; those of find_layout()
SourceScan scan_archive_layout(StoredFiles files, const SourceRequest& request);

}  // namespace penstock::convert
