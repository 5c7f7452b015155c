// What a dataset says of how it was made: the settings on which its bytes depend.
#pragma once

#include <map>
#include <string>

#include "tools/convert/convert_config.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/split_rule.h"

namespace penstock::convert {

/// Names and values as the journal compares them and the manifest keeps them; `rule` as it was applied to the
/// source, which adds settings of its own.
std::map<std::string, std::string> conversion_settings(const ConvertConfig& config,
                                                       const SplitRule& rule,
                                                       const SourceScan& scan);

}  // namespace penstock::convert
