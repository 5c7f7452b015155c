// Which folder a path leads to: what tells whether another one has taken its place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace penstock::convert {

/// The same for every name of one folder, and another for any other that is there at the same time.
struct FolderId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const FolderId&, const FolderId&) = default;
};

/// Of an open folder; `path` for the message. Throws Io.
FolderId folder_id(int folder_fd, const std::filesystem::path& path);
/// Of the folder that `path` leads to; nothing where there is none, or none that may be entered and listed.
std::optional<FolderId> find_folder_id(const std::filesystem::path& path);

}  // namespace penstock::convert
