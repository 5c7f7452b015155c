// .npy and .npz files made by hand, byte by byte, from the documents of their formats (numpy.lib.format;
// PKWARE APPNOTE): nothing of the readers under test makes them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::tests {

inline void put_le(std::string& bytes, std::uint64_t value, int num_bytes) {
  for (int i = 0; i < num_bytes; ++i) bytes += static_cast<char>(value >> (8 * i));
}

/// A header of format 1.0, or `major`.0, padded as numpy does to a multiple of 64 bytes.
inline std::string npy_header(std::string dictionary, int major = 1) {
  const std::size_t head_bytes = major == 1 ? 10 : 12;
  while ((head_bytes + dictionary.size() + 1) % 64 != 0) dictionary += ' ';
  dictionary += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(major);
  bytes += '\0';
  put_le(bytes, dictionary.size(), major == 1 ? 2 : 4);
  return bytes + dictionary;
}

inline std::string npy_file(const std::string& descr, const std::string& shape,
                            std::string_view elements) {
  return npy_header("{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape +
                    ", }") +
         std::string(elements);
}

/// The bytes 0, 1, 2 ... of `num_bytes`, in a circle of 251, which divides no side.
inline std::string counted_bytes(std::size_t num_bytes) {
  std::string bytes{};
  for (std::size_t i = 0; i < num_bytes; ++i) bytes += static_cast<char>(i % 251);
  return bytes;
}

/// CRC-32 by its definition, bit by bit (reflected polynomial 0xEDB88320).
inline std::uint32_t crc32_of(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

/// Deflate data without compression: blocks of type 0 (RFC 1951, section 3.2.4).
inline std::string deflated(std::string_view bytes) {
  std::string result;
  do {
    const std::string_view block = bytes.substr(0, 60000);
    bytes.remove_prefix(block.size());
    result += static_cast<char>(bytes.empty() ? 1 : 0);
    put_le(result, block.size(), 2);
    put_le(result, ~block.size() & 0xFFFF, 2);
    result += block;
  } while (!bytes.empty());
  return result;
}

struct ZipPart {
  std::string name{};
  std::string bytes{};
  bool is_deflated = false;
  bool has_zip64_sizes = false;  // in the directory, as of a member above 4 GiB
  std::uint16_t flags = 0;
  std::uint32_t crc32_change = 0;  // makes its checksum a wrong one
};

inline std::string zip_file(const std::vector<ZipPart>& parts) {
  std::string file;
  std::string directory;
  for (const ZipPart& part : parts) {
    const std::string data = part.is_deflated ? deflated(part.bytes) : part.bytes;
    const std::uint32_t crc = crc32_of(part.bytes) ^ part.crc32_change;
    const std::size_t local_at = file.size();
    const auto put_common = [&](std::string& to, bool in_directory) {
      put_le(to, 20, 2);  // version needed
      put_le(to, part.flags, 2);
      put_le(to, part.is_deflated ? 8 : 0, 2);
      put_le(to, 0, 4);  // time and date
      put_le(to, crc, 4);
      const bool is_large = in_directory && part.has_zip64_sizes;
      put_le(to, is_large ? 0xFFFFFFFF : data.size(), 4);
      put_le(to, is_large ? 0xFFFFFFFF : part.bytes.size(), 4);
      put_le(to, part.name.size(), 2);
    };
    put_le(file, 0x04034b50, 4);
    put_common(file, false);
    put_le(file, 20, 2);  // an extra field here alone, as zipfile writes with force_zip64
    file += part.name;
    put_le(file, 1, 2);
    put_le(file, 16, 2);
    put_le(file, part.bytes.size(), 8);
    put_le(file, data.size(), 8);
    file += data;

    put_le(directory, 0x02014b50, 4);
    put_le(directory, 20, 2);  // made by
    put_common(directory, true);
    put_le(directory, part.has_zip64_sizes ? 20 : 0, 2);
    put_le(directory, 0, 2);  // comment
    put_le(directory, 0, 8);  // disk, attributes
    put_le(directory, local_at, 4);
    directory += part.name;
    if (part.has_zip64_sizes) {
      put_le(directory, 1, 2);
      put_le(directory, 16, 2);
      put_le(directory, part.bytes.size(), 8);
      put_le(directory, data.size(), 8);
    }
  }
  const std::size_t directory_at = file.size();
  file += directory;
  put_le(file, 0x06054b50, 4);
  put_le(file, 0, 4);  // disks
  put_le(file, parts.size(), 2);
  put_le(file, parts.size(), 2);
  put_le(file, directory.size(), 4);
  put_le(file, directory_at, 4);
  put_le(file, 0, 2);
  return file;
}

}  // namespace penstock::tests
