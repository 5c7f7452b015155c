// Several sources as one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

/// Returns the name of each source: the last name of its path; of equal ones the second gets "-2" behind
/// it, the third "-3".
std::vector<std::string> source_names(std::span<const std::filesystem::path> paths);

struct NamedScan {
  std::string name;  // without a slash, different from the others'
  SourceScan scan;
};

/// Whether names of pictures begin with that of their source.
enum class SourceNames : std::uint8_t {
  kWhereSeveral,
  kAlways,  // as in a dataset of several sources, to which one of them is added once more
};

/// Merges classes by name, sorted by bytes, and puts "name/" before each picture's name, so that names
/// stay different and a finding says where. One scan alone stays as it is, where `names` allows it.
SourceScan combine_scans(std::vector<NamedScan> scans,
                         SourceNames names = SourceNames::kWhereSeveral);

}  // namespace penstock::convert
