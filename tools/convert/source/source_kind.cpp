#include "tools/convert/source/source_kind.h"

#include <fmt/core.h>

#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/manifest.h"
#include "tools/convert/ascii_case.h"
#include "tools/convert/source/archive_listing.h"
#include "tools/convert/source/array_store.h"
#include "tools/convert/source/byte_stream.h"
#include "tools/convert/source/cifar_source.h"
#include "tools/convert/source/idx_source.h"
#include "tools/convert/source/inflated_files.h"
#include "tools/convert/table/text_input.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

[[noreturn]] void refuse_source(const fs::path& path, const std::string& found, std::string hint) {
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("source: {}: expected a folder of pictures, an archive of them or a table "
                  "of their paths, found {}",
                  printable_path(path), found),
      std::move(hint));
}

[[noreturn]] void refuse_lone_array(const fs::path& path) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("source: {}: expected pictures and labels, found one array",
                          printable_path(path)),
              "name both: penstock convert --images " + shell_quoted(path.native()) +
                  " --labels labels.npy DATASET");
}

[[noreturn]] void refuse_zip(const fs::path& path) {
  const fs::path stem = path.parent_path() / path.stem();
  const std::string folder = shell_quoted(stem == path ? "FOLDER" : stem.native());
  refuse_source(path, "a zip file",
                fmt::format("unzip it first: unzip {} -d {}; then name {}",
                            shell_quoted(path.native()), folder, folder));
}

// What is called .zip and cannot be read as .npz are is another zip: encrypted, or of very many files.
bool holds_arrays(const fs::path& zip) {
  try {
    return !array_names(zip).empty();
  } catch (const Error& error) {
    if (error.os_error() != 0 || ascii_lower(zip.extension().native()) != ".zip") throw;
    return false;
  }
}

bool is_array_file(const fs::path& path) {
  const std::optional<ArrayFileKind> kind = array_file_kind(path);
  if (kind == ArrayFileKind::kNpy) refuse_lone_array(path);
  if (kind == ArrayFileKind::kNpz && !holds_arrays(path)) refuse_zip(path);
  return kind.has_value();
}

bool is_batch(const FolderScan& scan, const fs::path& folder) {
  return find_cifar(scan) || begin_as_idx(scan, folder);
}

}  // namespace

FileKind kind_of_file(const fs::path& path) {
  if (is_array_file(path)) return FileKind::kArrays;
  if (is_archive(path)) return FileKind::kArchive;
  if (is_batch(file_with_companions(path), path.parent_path())) return FileKind::kBatch;
  const Compression compression = compression_of_file(path);
  if (compression == Compression::kNone && is_text(path)) return FileKind::kTable;
  refuse_false_idx(file_with_companions(path), path.parent_path());
  refuse_source(path,
                compression == Compression::kNone
                    ? "a file of another kind"
                    : fmt::format("{} without a tar archive in it", compression_name(compression)));
}

// Text has no zero bytes; everything else that is a file has some soon.
bool is_text(const fs::path& path) {
  return TextInput(path).lookahead().find('\0') == std::string_view::npos;
}

FolderScan file_with_companions(const fs::path& file) {
  const std::string name = file.filename().string();
  std::set<std::string> names = {name, "batches.meta.txt", "fine_label_names.txt",
                                 "coarse_label_names.txt"};
  names.insert(labels_file_name(name));
  FolderScan scan;
  for (const std::string& one : names) {
    const fs::path path = file.parent_path() / one;
    if (fs::is_regular_file(path)) scan.files.push_back({one, fs::file_size(path)});
  }
  return scan;
}

void refuse_source(const fs::path& path, const std::string& found) {
  refuse_source(
      path, found,
      "name the folder that holds the class folders, a tar archive, or a text of paths and labels");
}

bool is_dataset(const SourceRequest& request) {
  return !request.path.empty() && fs::exists(request.path / kManifestName);
}

bool is_arrays(const SourceRequest& request) {
  if (request.path.empty()) return true;
  return !fs::is_directory(request.path) && kind_of_file(request.path) == FileKind::kArrays;
}

bool is_table(const SourceRequest& request) {
  if (!request.labels.empty()) return true;
  return !request.path.empty() && !fs::is_directory(request.path) &&
         kind_of_file(request.path) == FileKind::kTable;
}

fs::path place_of(const SourceRequest& request) {
  return request.path.empty() ? fs::path(request.arrays.at(0).images) : request.path;
}

std::string where_of(const SourceRequest& request) {
  return printable_path(place_of(request));
}

}  // namespace penstock::convert
