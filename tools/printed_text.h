// Text that printable() wrote, read back: names as users copy them from what the program printed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penstock::tools {

/// Undoes printable(): \xNN is a byte, two backslashes are one. Nothing when a backslash begins neither, so
/// when printable() cannot have written it.
std::optional<std::string> text_from_printed(std::string_view printed);

}  // namespace penstock::tools
