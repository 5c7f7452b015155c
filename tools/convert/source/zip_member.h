// The bytes of one member of a zip file, decompressed, with its checksum compared.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>

#include "streamer/core/file.h"
#include "tools/convert/source/archive_fault.h"
#include "tools/convert/source/zip_directory.h"

namespace penstock::convert {

/// Gives `take` the member's bytes from first to last, in pieces of at most 256 KiB, and no more than
/// its size says. Returns why that is not all of it: data that do not decompress, another size, a
/// CRC-32 that differs; what came before has been given.
///
/// Errors  Io, Stopped; what `take` throws
/// Source  zlib.h 1.2.13, inflateInit2 (windowBits -15); APPNOTE 6.3.9 section 4.4.7
std::optional<ArchiveFault> read_zip_member(
    const UniqueFd& file, const std::filesystem::path& path, const ZipMember& member,
    const std::function<void(std::span<const std::byte>)>& take, const std::stop_token& stop);

}  // namespace penstock::convert
