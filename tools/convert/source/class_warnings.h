// What a user should know of the classes of a scan before they are learned from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

/// A line, with how many and the first by name, each for classes without a picture (labels that are numbers
/// leave some out; folders may be empty), and for classes whose names are one but for case, for spaces
/// around them or for the way an accent is written.
///
/// Memory  a bit and 16 bytes a class
std::vector<std::string> class_warnings(const SourceScan& scan);

/// A line where there is one class alone; nothing where there are several.
std::optional<std::string> one_class_warning(const SourceScan& scan);

}  // namespace penstock::convert
