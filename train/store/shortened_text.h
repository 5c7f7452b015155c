// Text out of a file, as a message shows it: a hostile one may be as long as the file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace penstock::train {

/// Bytes of a name or a value that a reader can still take in.
inline constexpr std::size_t kMaxShownBytes = 80;

/// Returns `text`, or its first kMaxShownBytes bytes and "...", cut between two characters of UTF-8.
std::string shortened(std::string_view text);

}  // namespace penstock::train
