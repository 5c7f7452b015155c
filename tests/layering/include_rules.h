// Which folder may include which: the dependency direction of the tree, as a check over its
// #include lines.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace penstock::tests {

/// Returns one line for every #include under `root` that goes against the rules, such as
/// "streamer/read/a.h:3: may not include augment/b.h".
std::vector<std::string> find_include_violations(const std::filesystem::path& root);

}  // namespace penstock::tests
