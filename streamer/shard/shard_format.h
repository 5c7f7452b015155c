// The numbers of the shard format (FORMAT.md): what stands where, in which width.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "streamer/shard/index_record.h"

namespace penstock {

inline constexpr std::uint32_t kShardFormatVersion = 1;

/// The first bytes of a shard; as in PNG, a text-mode transfer or a 7-bit channel breaks them.
inline constexpr char kShardMagic[8] = {'\x89', 'P', 'S', 'H', 'D', '\r', '\n', '\x1a'};

/// Longest side of a stored picture: JPEG's sides are 16-bit numbers. It also keeps every product
/// of sides, components and 4 bytes far below 64 bits.
inline constexpr std::uint32_t kMaxSidePx = 65535;

/// Bounds of the class list: what a reader holds of it cannot be stretched by a forged length.
inline constexpr std::size_t kMaxClassNameBytes = 4096;
inline constexpr std::uint64_t kMaxClasses = 1u << 24;

inline constexpr std::size_t kRecordsPerPage = 64;
inline constexpr std::size_t kIndexPageBytes = kRecordsPerPage * sizeof(IndexRecord);
using IndexPage = std::array<IndexRecord, kRecordsPerPage>;

}  // namespace penstock
