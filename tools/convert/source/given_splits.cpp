#include "tools/convert/source/given_splits.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "streamer/core/error.h"

namespace penstock::convert {

GivenSplits::GivenSplits(const SplitRequest& request, std::string where)
    : request_(request), where_(std::move(where)) {}

void GivenSplits::note(SplitKind split) const {
  const char* flag = nullptr;
  if (split == SplitKind::kValidation && request_.validation_fraction) flag = "--validation-split";
  if (split == SplitKind::kTest && request_.test_fraction) flag = "--test-split";
  if (flag == nullptr) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("{}: {}: expected a source without this split, found one that has it",
                          flag, where_),
              fmt::format("leave {} out: the source decides", flag));
}

std::optional<SplitKind> GivenSplits::listed(std::optional<SplitKind> given) const noexcept {
  const bool draws = request_.validation_fraction || request_.test_fraction;
  if (given == SplitKind::kTrain && draws) return std::nullopt;
  return given;
}

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
