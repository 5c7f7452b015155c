// Where a conversion is typed.
#pragma once

#include <filesystem>
#include <string>

#include "tests/temporary_folder.h"

namespace penstock::tests {

/// A folder for photos/, and the paths as arguments.
struct PhotosPlace {
  TemporaryFolder folder;
  std::string source = (folder.path() / "photos").string();
  std::string dataset = (folder.path() / "photos.ds").string();

  /// Nothing but photos is there.
  bool is_clean() const {
    return count_entries(folder.path()) == (std::filesystem::exists(source) ? 1u : 0u);
  }
};

}  // namespace penstock::tests
