// The members of a tar archive, from first to last, by libarchive: v7, ustar, pax and GNU tar. Nothing
// is extracted and no link followed; what a name means, others decide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "tools/convert/source/byte_stream.h"
#include "tools/convert/source/libarchive_input.h"

namespace penstock::convert {

enum class MemberKind : std::uint8_t { kFile, kFolder, kSymbolicLink, kHardLink, kSpecial };

struct TarMember {
  std::string name;  // as bytes, as the archive has it; empty when it has none
  MemberKind kind = MemberKind::kFile;
  std::uint64_t size_bytes = 0;
  std::uint64_t offset_bytes = 0;  // of its data, in the decompressed archive
  bool has_holes = false;          // a sparse file: its data do not lie in one piece
  std::string link_target{};       // of a hard link: the name of the member whose bytes it has
};

/// Threads  one at a time
/// Source   POSIX.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format"; libarchive's
///          tar(5)
class TarReader {
 public:
  /// Reads `stream`, which outlives the reader.
  explicit TarReader(ByteStream& stream);

  /// Returns the next member; nothing at the end, or where the archive fails. Passes over what was
  /// not read of the member before.
  ///
  /// Errors  Io
  std::optional<TarMember> next();

  /// Reads on in the member's data. Returns fewer bytes at its end, or where the archive fails.
  std::size_t read(std::span<std::byte> bytes);

  /// Why next() or read() ended early. An archive without the blocks of zeros that end it counts as
  /// cut short: it may have been cut between two members.
  const std::optional<ArchiveFault>& fault() const noexcept { return fault_; }

  /// Bytes of the decompressed archive that were passed so far.
  std::uint64_t position_bytes() const;

  /// Whether the bytes begin as a tar archive does.
  static bool is_tar(ByteStream& stream);

 private:
  void fail();

  ByteStream* stream_;
  LibarchiveInput input_;
  UniqueArchive handle_;
  std::uint64_t end_of_last_bytes_ = 0;
  std::optional<ArchiveFault> fault_;
};

}  // namespace penstock::convert
