// Finds the known name that a mistyped one probably meant: for hints.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace penstock {

/// Counts the insertions, deletions and replacements that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Returns the name closest to `typed`, or an empty string when none is near: within two edits, or
/// within a third of its length.
std::string nearest_name(std::string_view typed, std::span<const std::string_view> known);

/// Returns the text of a hint: `did you mean 'conv2d'?` when a known name is near, else all of
/// them.
std::string nearest_name_hint(std::string_view typed, std::span<const std::string_view> known);

}  // namespace penstock
