// What a manifest's classes take in memory: the part of a plan that grows with their number.
#pragma once

#include <cstdint>

#include "streamer/shard/manifest.h"

namespace penstock {

/// An upper bound of what names and counts by class take, malloc's overhead included: while the
/// manifest is read as text and as JSON, or while a shard's names are held against it, whichever is
/// more. Counted name by name.
///
/// Cost    one pass over the names
/// Source  libstdc++ 12, nlohmann/json 3.11; held by open_shards_test
std::uint64_t classes_bytes(const Manifest& manifest) noexcept;

}  // namespace penstock
