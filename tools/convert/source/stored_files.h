// Files that lie somewhere, in a folder or in archives: their names and sizes, and their bytes in any
// order. What kind of source they are together is found out from here on alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/convert/quarantine.h"
#include "tools/convert/source/folder_scan.h"
#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

/// Threads  any, also at once
class FileStore {
 public:
  virtual ~FileStore() = default;

  /// Fills `bytes` from `offset_bytes` of a file. Returns fewer at its end.
  ///
  /// Errors  NotFound, Io
  virtual std::size_t read_at(std::uint32_t file_idx, std::uint64_t offset_bytes,
                              std::span<std::byte> bytes) const = 0;

  /// The archive that a file lies in, relative to the source; empty for one that lies in a folder.
  virtual std::string_view archive_name(std::uint32_t file_idx) const = 0;

  /// Names the file called `name` in messages: "photos/1.jpg", "photos.tar: cat/1.jpg".
  virtual std::string where(std::uint32_t file_idx, std::string_view name) const = 0;

  /// How the checksum of the stream that a file came from failed: any byte of it may be another. Empty: it
  /// did not, or there is none.
  virtual std::string_view failed_checksum(std::uint32_t /*file_idx*/) const { return {}; }

  /// What it holds in memory, where that grows with the number of files.
  virtual std::uint64_t memory_bytes() const { return 0; }
};

struct StoredFiles {
  FolderScan scan;  // a file's place in `scan.files` is its file_idx in the store
  std::unique_ptr<const FileStore> store;
  std::vector<QuarantineEntry> findings;
  std::vector<SourceFile> read_files;       // those that hold many pictures each
  std::vector<std::string> whole_archives;  // as `findings` would call them
  std::size_t num_archives = 0;             // that they lie in, unreadable ones too; 0: in a folder
  std::string where;                        // the whole, in messages
};

/// A file as it is now. Throws NotFound, Io.
SourceFile source_file(const std::filesystem::path& path);

/// A few files of `folder`, opened again whenever they are read. Throws NotFound, Io.
StoredFiles files_in_folder(FolderScan scan, const std::filesystem::path& folder);

/// All of a small file, as text; nothing when it is longer than `max_bytes`. Throws Io.
std::optional<std::string> read_small_file(const StoredFiles& files, std::uint32_t file_idx,
                                           std::uint64_t max_bytes);

/// Pictures that are files of a store: place = file_idx.
std::unique_ptr<const PictureSource> pictures_of(std::unique_ptr<const FileStore> store);

}  // namespace penstock::convert
