// What a program gets to see of the tree when it includes one header of it.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace penstock::tests {

struct HeaderClosure {
  /// The headers of the tree that are reached, the first ones included: "streamer/core/batch.h".
  std::set<std::string> headers;
  /// One line for every #include that names neither these nor the standard library, such as
  /// "streamer/read/a.h: includes jpeglib.h".
  std::vector<std::string> foreign;
};

/// Follows the #include lines from `entries`, paths from `root`.
HeaderClosure header_closure(const std::filesystem::path& root,
                             const std::vector<std::string>& entries);

}  // namespace penstock::tests
