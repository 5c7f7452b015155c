// A sample as a file that every viewer opens: stored bytes as they are, bare pixels as PNG; JPEG and what was
// bare say the orientation of the index.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/shard/index_record.h"

namespace penstock::care {

/// The extension that a sample's bytes should have, with its dot.
///
/// Errors  Unsupported for a codec that this build does not know
std::string_view sample_extension(const IndexRecord& record);

/// Whether the EXIF of a JPEG does not say the orientation that the index does: as a file it would be seen
/// otherwise than a training sees it.
bool is_told_by_index_alone(const IndexRecord& record, std::span<const std::byte> stored);

/// Turns a sample's stored bytes into those of a file, which says its orientation.
///
/// Errors  Unsupported (unknown codec; raw pixels with 2 or 4 components); CorruptData when raw bytes
///         are not as many as the record's pixels have
std::vector<std::byte> sample_as_file(const IndexRecord& record, std::vector<std::byte> stored);

/// Whether the name of a file fits what is in it: "1.png" fits PNG alone.
bool fits_name(std::string_view name, std::string_view extension);

}  // namespace penstock::care
