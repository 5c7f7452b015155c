// Names in paths as sources list them, with '/' between.
#pragma once

#include <string_view>

namespace penstock::convert {

/// What stands behind the last slash; all of a path without one.
inline std::string_view last_name(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

/// The folder with its slash; empty for the source itself.
inline std::string_view folder_of(std::string_view path) noexcept {
  return path.substr(0, path.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace penstock::convert
