// A path as one word of a command line: hints say what to type, and paths may hold anything.
#pragma once

#include <string>
#include <string_view>

namespace penstock {

/// Quotes `path` where a shell would not take it as it stands: single quotes, or $'...'
/// (POSIX.1-2024) where it holds control characters or bytes that are no UTF-8. A leading dash gets
/// "./" before it.
std::string shell_quoted(std::string_view path);

}  // namespace penstock
