#include "tools/convert/source/split_in_path.h"

#include <algorithm>
#include <string>

#include "tools/convert/source/dataset_layout.h"

namespace penstock::convert {

std::optional<SplitKind> split_in_path(std::string_view path) {
  std::optional<SplitKind> found;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find_first_of("/-_.", begin), path.size());
    const std::optional<SplitKind> split =
        split_of_folder_name(std::string(path.substr(begin, end - begin)));
    if (split && found && *split != *found) return std::nullopt;
    if (split) found = split;
    begin = end + 1;
  }
  return found;
}

}  // namespace penstock::convert
