// In which form a loader keeps samples in memory.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock {

/// What stays in memory from epoch to epoch.
enum class CacheForm : std::uint8_t {
  kNone,
  kEncoded,  // the stored bytes, verified: saves reading and checksum
  kDecoded,  // the whole picture at its decode scale: saves decoding too
};

/// "none", "encoded" or "decoded".
std::string_view cache_form_name(CacheForm form) noexcept;
/// Throws InvalidArgument, with the names, for any other.
CacheForm parse_cache_form(std::string_view name);

}  // namespace penstock
