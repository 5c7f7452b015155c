// What a folder holds, to be compared with another.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "streamer/core/file.h"

namespace penstock::tests {

/// Names and bytes of the files right in `folder`.
inline std::map<std::string, std::string> contents(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files[entry.path().filename()] = read_text_file(entry.path());
  }
  return files;
}

}  // namespace penstock::tests
