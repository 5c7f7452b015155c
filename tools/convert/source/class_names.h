// Names of classes whose labels are numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::convert {

/// Most classes that labels written as numbers may make: one file cannot ask for more memory.
inline constexpr std::uint32_t kMaxNumberedClasses = 1u << 20;

/// Whether texts can name classes: UTF-8, not empty, all different.
bool are_class_names(const std::vector<std::string>& names);

/// The lines of a text, without what ends them and without empty ones at the end.
std::vector<std::string> lines_of(const std::string& text);

/// Why a label cannot be a class, were it stored: a zero byte in it, too many bytes. Empty: it can.
std::string class_label_fault(const std::string& label);

/// "0", "1", ... as names.
std::vector<std::string> numbered_class_names(std::uint32_t num_classes);

}  // namespace penstock::convert
