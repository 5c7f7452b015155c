// Programs that a script under test finds in the place of the real ones.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/tools/picture_folder.h"

namespace penstock::tests {

/// Writes a program of `lines` for the shell, and the folders it lies in.
inline void write_script(const std::filesystem::path& path, const std::string& lines) {
  write_file(path, "#!/bin/sh\n" + lines);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

/// A PATH on which the programs in `folder` come first.
inline std::string path_with(const std::filesystem::path& folder) {
  const char* const path = std::getenv("PATH");
  return folder.native() + ":" + (path == nullptr ? "/usr/bin:/bin" : path);
}

}  // namespace penstock::tests
