// Splits that names speak of, where a source has no other way to give them.
#pragma once

#include <optional>
#include <string_view>

#include "tools/convert/source/split_rule.h"

namespace penstock::convert {

/// The split that a path speaks of: the one name of a split between '/', '-', '_' and '.', as in
/// "imagenet-train-000.tar" and "val/000.tar". Nothing when there is none, or several.
std::optional<SplitKind> split_in_path(std::string_view path);

}  // namespace penstock::convert
