// What a conversion knows before it opens a picture: pictures, classes and splits of its sources.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/convert/convert_config.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/split_draw.h"

namespace penstock::convert {

struct ScannedSources {
  SourceScan scan;  // every picture has its split
  /// Of the sources, before amend_scan changed them.
  std::size_t num_classes = 0;
  std::size_t num_files = 0;
  SplitRule rule;
  DrawnSplits drawn;
  /// Hidden names, links and special files that are left out: how many, and the first by name.
  std::string left_out{};
};

/// Refuses what cannot be converted, then lists it.
///
/// Errors  as convert_folder(), but for those of the pictures themselves
ScannedSources scan_for_conversion(const ConvertConfig& config, const std::stop_token& stop);

/// What a user should read of it, each at most some lines: what was found, warnings, findings.
std::vector<std::string> scan_notices(const ConvertConfig& config, const ScannedSources& sources);

/// How many a notice names.
inline constexpr std::size_t kMaxListed = 10;
/// The first of `count` items, each on a line of its own, and how many more there are.
std::string list_some(const std::vector<std::string>& items, std::uint64_t count);

/// The sources as they were typed: "photos, more".
std::string source_text(const ConvertConfig& config);

}  // namespace penstock::convert
