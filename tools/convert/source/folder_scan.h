// Lists the files of a source folder from metadata alone: nothing is opened. Knows nothing of
// classes, splits or picture formats.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/convert/folder_id.h"
#include "tools/convert/reason/reason_code.h"

namespace penstock::convert {

struct ScannedFile {
  std::string path;  // relative to the source, as bytes, '/' between names
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // since 1970, as the file system counts

  friend bool operator==(const ScannedFile&, const ScannedFile&) = default;
};

/// What was passed over, by kind.
struct SkippedFiles {
  std::uint64_t num_hidden = 0;    // names with a leading dot, whole hidden folders counted as one
  std::uint64_t num_system = 0;    // .DS_Store, Thumbs.db, desktop.ini, ._* and __MACOSX
  std::uint64_t num_symlinks = 0;  // not followed
  std::uint64_t num_special = 0;   // FIFOs, sockets, devices: never opened

  std::uint64_t total() const noexcept {
    return num_hidden + num_system + num_symlinks + num_special;
  }
};

/// One of what `SkippedFiles` counts.
struct PassedOverFile {
  std::string path;  // of a folder, or a link to one, with a slash behind it
  ReasonCode reason = ReasonCode::kHiddenFile;
  std::uint64_t size_bytes = 0;
};

struct UnreadableFolder {
  std::string path;  // as in `folders`
  std::string why;   // in the words of the operating system
};

struct FolderScan {
  std::vector<ScannedFile> files;                    // sorted by the bytes of their paths
  std::vector<std::string> folders;                  // relative, sorted; the source itself left out
  std::vector<std::string> unreadable;               // files among `files` that may not be read
  std::vector<UnreadableFolder> unreadable_folders;  // among `folders`; what is in them is not seen
  SkippedFiles skipped;
  std::vector<PassedOverFile> passed_over;  // each of `skipped`, sorted
  bool is_cut = false;                      // of an archive of which not all could be read
  FolderId root;                            // that paths are relative to, where it is a folder

  std::uint64_t total_bytes() const noexcept;
};

/// Walks `source` and all folders beneath it.
///
/// Errors  NotFound, Io (the source may not be read, or a disk fails); OutOfMemory when what is made of
///         the list would take more than `room_bytes`; Stopped
FolderScan scan_folder(const std::filesystem::path& source, const std::stop_token& stop,
                       std::uint64_t room_bytes = UINT64_MAX);

}  // namespace penstock::convert
