// Lists what lies in tar archives, and makes its bytes readable in any order: those of a plain archive
// where they lie, those of a compressed one from a spool. Knows names and bytes, no pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <vector>

#include "tools/convert/source/spool_file.h"
#include "tools/convert/source/stored_files.h"

namespace penstock::convert {

/// True for a file whose first bytes, decompressed, are those of a tar archive. Throws NotFound, Io.
bool is_archive(const std::filesystem::path& path);

struct ListedArchive {
  std::filesystem::path path{};
  std::string name{};  // relative to the source: "train/000.tar"
  /// Put before each member's name: "", or "train/000/" where there are several archives.
  std::string prefix{};
};

/// Lists the members of `archives`, sorted by the bytes of their names, as a folder's files are:
/// hidden ones and what systems leave are counted. What cannot be offered stands in `findings`:
/// members with unsafe names, holes, or a later twin (as when extracted, the last one holds), links, and
/// the rest of an archive that is cut short or damaged; what lies before that is offered. A hard link to a
/// whole member before it is a file of that member's bytes.
///
/// Memory  about 250 bytes a member, and its name twice, while it is listed; then 24 bytes, and the list
/// Disk    compressed archives: as much as their members together, in the spool
/// Errors  NotFound, Io (the spool's limit too), Unsupported, Stopped; OutOfMemory when what is made of
///         the list would take more than `room_bytes`
StoredFiles list_archives(const std::vector<ListedArchive>& archives, const SpoolConfig& spool,
                          const std::stop_token& stop, std::uint64_t room_bytes = UINT64_MAX);

}  // namespace penstock::convert
