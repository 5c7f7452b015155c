// The members of a zip file, from its central directory: an .npz is one. Zip64 included, for numpy writes
// it. libarchive would read the members too, but tells no offsets, and a stored array needs no copy.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "streamer/core/file.h"

namespace penstock::convert {

struct ZipMember {
  std::string name;
  bool is_deflated = false;  // else stored as it is
  std::uint32_t crc32 = 0;
  std::uint64_t compressed_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t data_offset_bytes = 0;  // of its first byte, compressed or not
};

/// Whether a file begins as a zip file of at least one member.
bool begins_as_zip(std::span<const std::byte> first_bytes) noexcept;

/// Reads the directory. On return every member's compressed bytes lie within the file.
///
/// Memory  the directory, at most 16 MiB
/// Errors  CorruptData: no directory, one that contradicts itself or the file; Unsupported: several
///         disks, encryption, another compression than deflate; Io
/// Source  PKWARE APPNOTE 6.3.9, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3
std::vector<ZipMember> read_zip_directory(const UniqueFd& file, const std::filesystem::path& path);

}  // namespace penstock::convert
