// Names of files that are no part of a dataset: hidden ones, and what systems leave behind.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::convert {

enum class NameKind : std::uint8_t { kOrdinary, kHidden, kSystem };

/// Of one name in a path, not empty.
constexpr NameKind name_kind(std::string_view name) noexcept {
  const bool is_system = name == ".DS_Store" || name == "Thumbs.db" || name == "desktop.ini" ||
                         name == "__MACOSX" || name.substr(0, 2) == "._";
  if (is_system) return NameKind::kSystem;
  return name.front() == '.' ? NameKind::kHidden : NameKind::kOrdinary;
}

}  // namespace penstock::convert
