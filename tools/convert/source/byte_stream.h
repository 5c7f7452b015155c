// The bytes of a file from first to last, decompressed where it is compressed. Which compression it
// is, its first bytes say, not its name. Knows nothing of archives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tools/convert/source/archive_fault.h"

namespace penstock::convert {

/// Threads  one at a time
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  /// Returns the next bytes, valid until the next call; none at the end, or where the compressed
  /// data fail.
  ///
  /// Errors  Io
  virtual std::span<const std::byte> next() = 0;

  /// Passes over at most `num_bytes` without reading them; returns how many: none where bytes
  /// follow from those before.
  virtual std::uint64_t skip(std::uint64_t num_bytes) = 0;

  /// Why next() ended early. Nothing at an end whose checksums, if the format has any, agree.
  virtual const std::optional<ArchiveFault>& fault() const = 0;
};

enum class Compression : std::uint8_t { kNone, kGzip, kBzip2, kXz, kZstd };

/// Sources  RFC 1952 section 2.3.1; bzip2 manual 1.0.8; xz file format 1.2.0 section 2.1.1;
///          RFC 8878 section 3.1.1
Compression compression_of(std::span<const std::byte> first_bytes) noexcept;
std::string_view compression_name(Compression compression) noexcept;

/// What the first bytes of a file say. Throws NotFound, Io.
Compression compression_of_file(const std::filesystem::path& path);

/// Opens a file to be read from first to last.
///
/// Memory  one block of 64 KiB, what the compression's own window takes (xz -9: 65 MiB; zstd: up
///         to 128 MiB), and no more, whatever the file claims
/// Errors  NotFound, Io; Unsupported for a compression that this build cannot read
std::unique_ptr<ByteStream> open_byte_stream(const std::filesystem::path& path);

/// The same of bytes that lie anywhere, called `where` in messages. Throws Io, Unsupported.
std::unique_ptr<ByteStream> decompressed(std::unique_ptr<ByteStream> stored,
                                         Compression compression, const std::string& where);

}  // namespace penstock::convert
