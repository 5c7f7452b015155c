#include "tools/convert/table/split_field.h"

#include <fmt/core.h>

#include "streamer/core/error.h"
#include "tools/convert/source/dataset_layout.h"
#include "tools/terminal.h"

namespace penstock::convert {

std::optional<SplitKind> read_split_field(const std::string& field, const std::string& where) {
  if (field.empty()) return std::nullopt;
  if (const auto split = split_of_folder_name(field)) return split;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("table: {}: expected train, val, valid, validation, test or testing as "
                          "split, found '{}'",
                          where, tools::printable(field)),
              "an empty field leaves the split to be drawn");
}

}  // namespace penstock::convert
