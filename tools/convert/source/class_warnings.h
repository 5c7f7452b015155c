// What a user should know of the classes of a scan before they are learned from.
#pragma once

#include <string>
#include <vector>

#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

/// A line, with how many and the first by name, each for a class that is the only one, for classes without a
/// picture (labels that are numbers leave some out; folders may be empty), and for what class_twin_warnings()
/// finds.
///
/// Memory  a bit and 16 bytes a class
std::vector<std::string> class_warnings(const SourceScan& scan);

/// The same for classes whose names are one but for case, for spaces around them or for the way an accent is
/// written.
std::vector<std::string> class_twin_warnings(const std::vector<std::string>& class_names);

}  // namespace penstock::convert
