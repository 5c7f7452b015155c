// Which folder may include which: the dependency direction of the tree, as a check over its
// #include lines.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace penstock::tests {

struct IncludeReport {
  std::size_t num_files = 0;
  /// One line for every #include that goes against the rules, such as
  /// "streamer/read/a.h:3: may not include augment/b.h".
  std::vector<std::string> violations;
};

/// Reads every source file under `root` but those under tests/, which may include anything.
IncludeReport check_includes(const std::filesystem::path& root);

}  // namespace penstock::tests
