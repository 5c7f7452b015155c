// A split as a field of a table names it.
#pragma once

#include <optional>
#include <string>

#include "tools/convert/source/split_rule.h"

namespace penstock::convert {

/// Knows the names of split folders, in any case; an empty field leaves the split open. Throws
/// InvalidArgument naming the line for any other.
std::optional<SplitKind> read_split_field(const std::string& field, const std::string& where);

}  // namespace penstock::convert
