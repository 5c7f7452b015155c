// A few files of a folder or an archive, those that are compressed decompressed into a spool: MNIST as it
// is published.
#pragma once

#include <filesystem>
#include <stop_token>

#include "tools/convert/source/spool_file.h"
#include "tools/convert/source/stored_files.h"

namespace penstock::convert {

/// `files`, names without ".gz" where their bytes are gzip's, whatever they are called.
/// Findings: archive_truncated and archive_damaged for one that fails; what came before that is
/// offered, of a damaged one with FileStore::failed_checksum().
///
/// Disk    compressed files: as much as they are decompressed, in the spool
/// Errors  NotFound, Io, Stopped
StoredFiles inflate_files(StoredFiles files, const SpoolConfig& spool, const std::stop_token& stop);

/// Throws CorruptData where, beside no folder, there is a file that is called as one of IDX pictures
/// ("-idx3-"). For files of which none begins so.
void refuse_false_idx(const FolderScan& scan, const std::filesystem::path& folder);

/// Whether any of the files begins, decompressed, with IDX's magic number of pictures; opens at most 64.
bool begin_as_idx(const FolderScan& scan, const std::filesystem::path& folder);
bool begin_as_idx(const StoredFiles& files);

}  // namespace penstock::convert
