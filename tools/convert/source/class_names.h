// Names of classes whose labels are numbers, from a user's file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace penstock::convert {

/// Most classes that labels written as numbers may make: one file cannot ask for more memory.
inline constexpr std::uint32_t kMaxNumberedClasses = 1u << 20;

/// Reads one name a line, or "index,name" lines in any order; empty lines at the end are passed over.
///
/// Errors  NotFound, Io; InvalidArgument: a name twice, an empty one or none, no UTF-8, an index
///         twice or left out
std::vector<std::string> read_class_names(const std::filesystem::path& file);

/// Whether they can be: UTF-8, not empty, all different.
bool are_class_names(const std::vector<std::string>& names);

/// The lines of a text, without what ends them and without empty ones at the end.
std::vector<std::string> lines_of(const std::string& text);

/// "0", "1", ... as names.
std::vector<std::string> numbered_class_names(std::uint32_t num_classes);

}  // namespace penstock::convert
