// A split as a field of a table names it.
#pragma once

#include <string>

#include "tools/convert/table/table_reader.h"

namespace penstock::convert {

/// Sets the split of `row`. Knows the names of split folders, in any case; an empty field leaves the split
/// open, any other is a fault of the row, where it has none yet.
void read_split_field(const std::string& field, TableRow& row);

}  // namespace penstock::convert
