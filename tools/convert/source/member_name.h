// What the name of an archive's member means as a path beneath the archive. Names come from others and
// may be anything; none is ever used on the file system.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/convert/source/name_kind.h"

namespace penstock::convert {

/// Returns the path without "." and empty names: "./cat//1.jpg" is "cat/1.jpg", "./" is "".
/// Nothing for a path that leaves the archive: an absolute one, or one with ".." in it.
std::optional<std::string> member_path(std::string_view name);

struct PassedOver {
  NameKind kind = NameKind::kOrdinary;
  std::string_view path;  // up to the name that is hidden, or a system's; of all that is beneath it
};

/// The first name of `path` that is not ordinary; nothing when all are.
std::optional<PassedOver> passed_over(std::string_view path);

}  // namespace penstock::convert
