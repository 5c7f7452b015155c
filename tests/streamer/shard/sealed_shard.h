// Puts the checksums of a shard right after its bytes were changed, so that what refuses it is the
// check of the field and not the checksum. Goes by the tables of FORMAT.md, sections 2 to 4, on
// bytes that may be anything.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "streamer/core/checksum.h"

namespace penstock::tests {

/// Whole numbers in little-endian order, of 1 to 8 bytes.
inline void put_number(std::span<std::byte> at, std::uint64_t value) {
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}
inline std::uint64_t get_number(std::span<const std::byte> at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < at.size(); ++i) value |= std::uint64_t(at[i]) << (8 * i);
  return value;
}

/// A shard's bytes by the names of FORMAT.md.
class SealedShard {
 public:
  static constexpr std::size_t kHeaderBytes = 4096;
  static constexpr std::size_t kChecksumAt = 4088;
  static constexpr std::size_t kSectionsAt = 120;
  static constexpr std::size_t kSectionBytes = 56;
  static constexpr std::size_t kMaxSections = 70;
  static constexpr std::size_t kPageBytes = 4096;

  /// Borrows `bytes`, at least a header.
  explicit SealedShard(std::span<std::byte> bytes) : bytes_(bytes) {}

  static constexpr std::size_t section_at(std::size_t entry) {
    return kSectionsAt + kSectionBytes * entry;
  }
  /// The bytes of the section of that name; empty when it is not there or leaves the file.
  std::span<std::byte> section(std::string_view name) const {
    const std::optional<std::size_t> entry = find(name);
    return entry ? contents(*entry) : std::span<std::byte>();
  }

  /// Computes, from the inside out: sums of the index pages, of the sections, of the header.
  void seal() const {
    seal_pages();
    for (std::size_t entry = 0; entry < kMaxSections; ++entry) {
      const std::span<std::byte> inside = contents(entry);
      if (!inside.empty()) put_number(bytes_.subspan(section_at(entry) + 40, 8), xxh3_64(inside));
    }
    put_number(bytes_.subspan(kChecksumAt, 8), xxh3_64(bytes_.first(kChecksumAt)));
  }

 private:
  std::optional<std::size_t> find(std::string_view name) const {
    for (std::size_t entry = 0; entry < kMaxSections; ++entry) {
      const auto* const text = reinterpret_cast<const char*>(&bytes_[section_at(entry)]);
      if (std::string_view(text, ::strnlen(text, 24)) == name) return entry;
    }
    return std::nullopt;
  }
  std::span<std::byte> contents(std::size_t entry) const {
    const std::span<const std::byte> row = bytes_.subspan(section_at(entry), kSectionBytes);
    const std::uint64_t offset = get_number(row.subspan(24, 8));
    const std::uint64_t length = get_number(row.subspan(32, 8));
    // A section over the header would undo what is sealed.
    if (offset < kHeaderBytes || offset > bytes_.size() || length > bytes_.size() - offset)
      return {};
    return bytes_.subspan(offset, length);
  }
  void seal_pages() const {
    const std::span<std::byte> index = section("index");
    const std::span<std::byte> sums = section("index_page_xxh3");
    for (std::size_t page = 0; page < sums.size() / 8 && page * kPageBytes < index.size(); ++page) {
      const auto rest = index.subspan(page * kPageBytes);
      put_number(sums.subspan(8 * page, 8), xxh3_64(rest.first(std::min(rest.size(), kPageBytes))));
    }
  }

  std::span<std::byte> bytes_;
};

}  // namespace penstock::tests
