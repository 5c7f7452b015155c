// What lies in a source and becomes no picture: handed from a listing to the scan, so that each can be
// counted, listed or refused as its reason's policy says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "tools/convert/source/folder_scan.h"
#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

/// How many files may lie beside archives or batches that names alone tell: opening more to see what they are
/// would cost something.
inline constexpr std::size_t kMaxOthersBeside = 64;

/// Hands over what `files` passed over, by kind and one by one, and its folders that may not be read.
void hand_over_left_out(FolderScan& files, SourceScan& scan);

/// Counts and lists one that belongs to no class.
void leave_outside(SourceScan& scan, std::string path, std::uint64_t size_bytes);

/// Whether a file's first bytes may be a picture's; true for one that may not be read. Throws Io.
bool may_be_picture(const std::filesystem::path& path);

/// Adds what `others` passed over to `files`: of a folder, to what its archives hold.
void add_left_out(const FolderScan& others, FolderScan& files);

}  // namespace penstock::convert
