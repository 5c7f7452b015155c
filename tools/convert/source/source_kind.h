// What a SOURCE is, found out without listing it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tools/convert/source/folder_scan.h"
#include "tools/convert/source/source_request.h"

namespace penstock::convert {

enum class FileKind : std::uint8_t {
  kArrays,   // several, in one file
  kArchive,  // tar
  kBatch,    // of CIFAR, or IDX
  kTable,    // or a list: text
};

/// What a file is, by its first bytes and, of a batch, its name.
///
/// Errors  InvalidArgument: no source, one array alone, a zip of anything but arrays; NotFound, Io; those of
///         array_names()
FileKind kind_of_file(const std::filesystem::path& path);

/// Whether all that is read of the file at first is free of zero bytes. Throws NotFound, Io.
bool is_text(const std::filesystem::path& path);

/// A single batch, or a single file of IDX pictures, with the lists and labels that belong to it.
FolderScan file_with_companions(const std::filesystem::path& file);

/// Throws InvalidArgument: `path` was expected to be a source, found `found`.
[[noreturn]] void refuse_source(const std::filesystem::path& path, const std::string& found);

bool is_dataset(const SourceRequest& request);
/// Errors  those of kind_of_file()
bool is_arrays(const SourceRequest& request);
bool is_table(const SourceRequest& request);

/// The path that messages name: of pairs of arrays, the first one's.
std::filesystem::path place_of(const SourceRequest& request);
std::string where_of(const SourceRequest& request);

}  // namespace penstock::convert
