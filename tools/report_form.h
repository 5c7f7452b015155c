// What penstock inspect may be asked for.
#pragma once

#include <cstdint>

namespace penstock::tools {

enum class ReportForm : std::uint8_t { kText, kJson };

/// Whether payload is read too, to say what metadata the pictures carry.
enum class MetadataDepth : std::uint8_t { kNone, kCounted };

}  // namespace penstock::tools
