// How deep TOML text nests, found before it is parsed: the parser and what it returns take stack for every
// level, and a key of some kilobytes can name thousands of them. Knows nothing of the parser.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock::train {

/// Levels that a value may lie below the file: each part of its header and of its keys is one, and each
/// bracket around it. Model and run files take fewer than ten.
inline constexpr std::uint32_t kMaxTomlDepth = 64;

/// Returns the line, counted from 1, on which `text` first goes deeper than kMaxTomlDepth. Strings and
/// comments are passed over. Of text that is no TOML it says so much: up to its first error the parser
/// sees no more levels than are counted here.
///
/// Cost    one pass; allocates nothing beyond the levels
/// Source  https://toml.io/en/v1.0.0
std::optional<std::uint64_t> line_beyond_toml_depth(std::string_view text);

}  // namespace penstock::train
