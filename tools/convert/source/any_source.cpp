#include "tools/convert/source/any_source.h"

#include <fmt/core.h>

#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/manifest.h"
#include "tools/convert/source/archive_listing.h"
#include "tools/convert/source/archive_source.h"
#include "tools/convert/source/byte_stream.h"
#include "tools/convert/source/cifar_source.h"
#include "tools/convert/source/folder_source.h"
#include "tools/convert/source/idx_source.h"
#include "tools/convert/source/inflated_files.h"
#include "tools/convert/source/webdataset_source.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

constexpr const char* kExpected = "expected a folder of pictures or an archive of them";

enum class SourceKind : std::uint8_t { kLayout, kWebDataset, kCifar10, kCifar100, kIdx };

SourceKind kind_of(const StoredFiles& files) {
  const std::optional<CifarKind> cifar = find_cifar(files.scan);
  if (cifar == CifarKind::kCifar10) return SourceKind::kCifar10;
  if (cifar == CifarKind::kCifar100) return SourceKind::kCifar100;
  if (is_idx(files)) return SourceKind::kIdx;
  return is_webdataset(files.scan) ? SourceKind::kWebDataset : SourceKind::kLayout;
}

// An option that would do nothing is a mistake.
void check_options(const SourceRequest& request, SourceKind kind) {
  if (!request.class_names_file.empty() && kind == SourceKind::kLayout) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("--class-names: {}: expected a source whose labels are numbers, found "
                            "class folders",
                            printable_path(request.path)),
                "leave --class-names out: the folders name the classes");
  }
  if (request.label && kind != SourceKind::kCifar100) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("--label: {}: expected CIFAR-100, which has two labels, found a source "
                            "with one",
                            printable_path(request.path)),
                "leave --label out");
  }
}

SourceScan scan_as(SourceKind kind, StoredFiles files, const SourceRequest& request,
                   const std::stop_token& stop) {
  switch (kind) {
    case SourceKind::kCifar10:
      return scan_cifar(std::move(files), CifarKind::kCifar10, request, stop);
    case SourceKind::kCifar100:
      return scan_cifar(std::move(files), CifarKind::kCifar100, request, stop);
    case SourceKind::kIdx:
      return scan_idx(std::move(files), request, stop);
    case SourceKind::kWebDataset:
      return scan_webdataset(std::move(files), request);
    case SourceKind::kLayout:
      break;
  }
  return scan_archive_layout(std::move(files), request);
}

SourceScan scan_stored(StoredFiles files, const SourceRequest& request,
                       const std::stop_token& stop) {
  const SourceKind kind = kind_of(files);
  check_options(request, kind);
  SourceScan scan = scan_as(kind, std::move(files), request, stop);
  // find_layout() says it of folders.
  if (kind != SourceKind::kLayout && scan.class_names.size() == 1) {
    scan.warnings.push_back(fmt::format("there is only one class ({}): nothing to tell apart",
                                        tools::printable(scan.class_names.front())));
  }
  return scan;
}

SourceScan scan_archives(StoredFiles files, const SourceRequest& request,
                         const std::stop_token& stop) {
  if (!files.scan.files.empty()) return scan_stored(std::move(files), request, stop);
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("source: {}: expected pictures in the archive, found no file{}", files.where,
                  files.findings.empty() ? "" : " (" + files.findings.front().detail + ")"),
      "see what it holds: tar -tf " + shell_quoted(request.path.native()));
}

// A single batch, or a single file of IDX pictures, with the lists and labels that belong to it.
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

SourceScan scan_file(const SourceRequest& request, const std::stop_token& stop) {
  if (is_archive(request.path)) {
    return scan_archives(
        files_in_archive(request.path, request.spool, stop, request.list_room_bytes), request,
        stop);
  }
  FolderScan scan = file_with_companions(request.path);
  const fs::path folder = request.path.parent_path();
  if (find_cifar(scan) || begin_as_idx(scan, folder)) {
    return scan_stored(inflate_files(std::move(scan), folder, request.spool, stop), request, stop);
  }
  const Compression compression = compression_of_file(request.path);
  const std::string found =
      compression == Compression::kNone
          ? "a file that is neither"
          : fmt::format("{} without a tar archive in it", compression_name(compression));
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("source: {}: {}, found {}", printable_path(request.path), kExpected, found),
      "name the folder that holds the class folders, or a tar archive");
}

SourceScan scan_any_folder(const SourceRequest& request, const std::stop_token& stop) {
  const fs::path& folder = request.path;
  FolderScan scan = scan_folder(folder, stop, request.list_room_bytes);
  if (holds_archives_only(scan)) {
    return scan_archives(
        files_in_archives(scan, folder, request.spool, stop, request.list_room_bytes), request,
        stop);
  }
  if (find_cifar(scan)) {
    return scan_stored(files_in_folder(std::move(scan), folder), request, stop);
  }
  if (begin_as_idx(scan, folder)) {
    return scan_stored(inflate_files(std::move(scan), folder, request.spool, stop), request, stop);
  }
  check_options(request, SourceKind::kLayout);
  return scan_folder_source(std::move(scan), folder, request.split);
}

}  // namespace

void check_source(const SourceRequest& request) {
  const fs::path& source = request.path;
  const fs::file_status status = fs::status(source);
  if (!fs::exists(status)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("source: {}: expected a folder of pictures, found nothing",
                            printable_path(source)),
                "check the path: penstock convert SOURCE DATASET");
  }
  if (!fs::is_directory(status) && !fs::is_regular_file(status)) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("source: {}: {}, found a special file", printable_path(source), kExpected),
        "name the folder that holds the class folders");
  }
  if (fs::is_directory(status) && fs::exists(source / kManifestName)) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("source: {}: expected a folder of pictures, found a dataset",
                            printable_path(source)),
                "penstock inspect " + shell_quoted(source.native()));
  }
}

SourceScan scan_source(const SourceRequest& request, const std::stop_token& stop) {
  check_source(request);
  return fs::is_directory(request.path) ? scan_any_folder(request, stop) : scan_file(request, stop);
}

}  // namespace penstock::convert
