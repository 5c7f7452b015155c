// What a scan has found, as text that two scans can be compared by: one row a picture, and one for
// each archive or batch. Its digest stands in the journal, the rows themselves beside it, so that a
// difference can be named.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

inline constexpr const char* kSourceRowsName = "journal.sources";

/// XXH3-128 of the rows, 32 hexadecimal digits.
std::string source_digest(const SourceScan& scan);

/// Writes the rows into `folder`; throws Io.
void write_source_rows(const std::filesystem::path& folder, const SourceScan& scan);

/// Says in words how a scan differs from the rows in `folder`: at most ten lines, as "  photos/1.jpg:
/// another size" and "  and 12 more". A line that says so when the rows cannot be read.
///
/// Cost  16 bytes a picture of both scans
std::vector<std::string> source_differences(const std::filesystem::path& folder,
                                            const SourceScan& scan);

}  // namespace penstock::convert
