// The bytes of archives' members, in any order: those of a plain archive where they lie, those of a
// compressed one from the spool.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tools/convert/source/archive_listing.h"
#include "tools/convert/source/spool_file.h"
#include "tools/convert/source/stored_files.h"

namespace penstock::convert {

/// Where the bytes of a member begin: in its archive, or in the spool.
struct MemberPlace {
  std::uint64_t offset_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::uint32_t archive_idx = 0;
  bool is_spooled = false;
};

struct ArchiveBytes {
  std::vector<ListedArchive> archives{};
  std::vector<MemberPlace> places{};         // by file_idx
  std::unique_ptr<const SpoolFile> spool{};  // none where all archives are plain
  /// How they failed, by archive, of those that are compressed.
  std::map<std::uint32_t, std::string> failed_checksums{};
};

/// Archives are opened again whenever they are read.
std::unique_ptr<const FileStore> archive_store(ArchiveBytes bytes);

}  // namespace penstock::convert
