#include "tools/convert/table/split_field.h"

#include <fmt/core.h>

#include "tools/convert/source/dataset_layout.h"
#include "tools/terminal.h"

namespace penstock::convert {

void read_split_field(const std::string& field, TableRow& row) {
  row.split = field.empty() ? std::nullopt : split_of_folder_name(field);
  if (field.empty() || row.split || !row.fault.empty()) return;
  row.fault =
      fmt::format("expected train, val, valid, validation, test or testing as split, found '{}'",
                  tools::printable(field));
  row.fault_reason = ReasonCode::kUnknownSplit;
}

}  // namespace penstock::convert
